//! Checks of what people type. The browser previews them; the server's answer counts.

use crate::access::RESERVED_NAMES;
use serde::{Deserialize, Serialize};

/// A wrong field: which one, what was given, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field} \"{value}\": {allowed}")]
pub struct Violation {
    /// The field's label or option name.
    pub field: String,
    /// The value as it was given.
    pub value: String,
    /// What is allowed, as the end of a sentence.
    pub allowed: String,
}

impl Violation {
    /// A wrong `value` in `field`; `allowed` says what would be right.
    pub fn new(field: &str, value: &str, allowed: impl Into<String>) -> Self {
        Violation {
            field: field.to_owned(),
            value: value.to_owned(),
            allowed: allowed.into(),
        }
    }
}

/// `text` as a sentence: with a capital letter in front and one full stop behind.
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| {
        // ASCII only: the tables of all other letters would be downloaded with the page.
        format!("{}{}.", first.to_ascii_uppercase(), letters.as_str())
    })
}

/// Longest name of a tenant or cluster, in characters.
pub const NAME_LENGTH_MAX: usize = 64;

/// Checks a tenant or cluster name: `[A-Za-z][A-Za-z0-9_]{1,63}`.
pub fn name(field: &str, value: &str) -> Result<String, Violation> {
    let mut characters = value.chars();
    let starts = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts && rest && (2..=NAME_LENGTH_MAX).contains(&value.len()) {
        return Ok(value.to_owned());
    }
    Err(Violation::new(
        field,
        value,
        "use 2 to 64 letters, digits and underscores, beginning with a letter",
    ))
}

/// Checks the name of a user: 2 to 64 letters, digits and `. _ - @`, a letter or digit first, and none
/// that a part of the console acts under.
pub fn user_name(field: &str, value: &str) -> Result<String, Violation> {
    let mut characters = value.chars();
    let starts = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    if !(starts && rest && (2..=NAME_LENGTH_MAX).contains(&value.len())) {
        return Err(Violation::new(
            field,
            value,
            "use 2 to 64 letters, digits, dots, dashes, underscores and @, beginning with a letter or digit",
        ));
    }
    if RESERVED_NAMES.contains(&value.to_ascii_lowercase().as_str()) {
        return Err(Violation::new(
            field,
            value,
            "use another name; the console itself acts under this one",
        ));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_one_capital_and_one_full_stop() {
        assert_eq!(sentence("use two letters"), "Use two letters.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn names_follow_the_rule_to_its_edges() {
        let longest = format!("a{}", "9".repeat(63));
        for good in ["ab", "Orders_2", "z_", longest.as_str()] {
            assert_eq!(name("tenant", good).as_deref(), Ok(good));
        }
        let long = format!("a{}", "9".repeat(64));
        for bad in [
            "",
            "a",
            "1a",
            "_a",
            "a-b",
            "a b",
            "größe",
            "a/b",
            "../x",
            long.as_str(),
        ] {
            assert_eq!(name("tenant", bad).unwrap_err().value, bad);
        }
    }

    #[test]
    fn names_of_users_may_be_addresses_but_not_those_of_the_console() {
        for good in ["maria", "m.rossi", "ops-2", "maria@example.org", "7up"] {
            assert_eq!(user_name("Name", good).as_deref(), Ok(good));
        }
        let long = "a".repeat(65);
        for bad in [
            "",
            "a",
            ".x",
            "a b",
            "ma/ria",
            "märia",
            "Demonstration",
            "scheduler",
            long.as_str(),
        ] {
            assert_eq!(user_name("Name", bad).unwrap_err().value, bad);
        }
    }
}
