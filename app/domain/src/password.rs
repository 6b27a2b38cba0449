//! What a password has to be. Guessing takes either luck or length, and luck is what a list has.

use crate::validate::Violation;

/// Fewest characters of a password.
pub const LENGTH_MIN: usize = 12;
/// Most bytes of a password; more would only keep the machine busy.
pub const BYTES_MAX: usize = 256;
/// Fewest different characters.
const DIFFERENT_MIN: usize = 5;
/// What stands in place of a password wherever one is told to be wrong.
const NOT_SHOWN: &str = "not shown";

/// Words that lists of guesses begin with. A password that is little more than one of them, or several,
/// is refused.
const COMMON: [&str; 34] = [
    "password",
    "passwort",
    "passw0rd",
    "p@ssw0rd",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwerty",
    "azerty",
    "iloveyou",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "master",
    "sunshine",
    "princess",
    "trustno1",
    "changeme",
    "default",
    "secret",
    "tidemark",
    "backup",
    "root",
    "login",
    "test",
    "abc",
    "summer",
    "winter",
    "correcthorsebatterystaple",
];
/// Rows of keys and letters that people run along.
const RUNS: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
];

/// Checks a password for the user `name`. The violation never holds the password.
pub fn check(field: &str, password: &str, name: &str) -> Result<(), Violation> {
    let wrong = |allowed: String| Err(Violation::new(field, NOT_SHOWN, allowed));
    if password.chars().count() < LENGTH_MIN {
        return wrong(format!(
            "use at least {LENGTH_MIN} characters; a few words that do not belong together are easy to \
             remember"
        ));
    }
    if password.len() > BYTES_MAX {
        return wrong(format!("use at most {BYTES_MAX} bytes"));
    }
    let plain = password.to_ascii_lowercase();
    let mut different: Vec<char> = plain.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT_MIN {
        return wrong("use more than a few different characters".to_owned());
    }
    let name = name.to_ascii_lowercase();
    if name.len() > 2 && left_without(&plain, &[&name]) < LENGTH_MIN / 2 {
        return wrong("use something that is not mostly the name of the user".to_owned());
    }
    if left_without(&plain, &COMMON) < LENGTH_MIN / 2 || left_without_runs(&plain) < LENGTH_MIN / 2
    {
        return wrong(
            "use something that is not made of common words, or of keys and digits in a row"
                .to_owned(),
        );
    }
    Ok(())
}

/// Letters that remain when the words are taken out, digits and marks at its end too.
fn left_without(plain: &str, words: &[&str]) -> usize {
    let mut left = plain.to_owned();
    for word in words {
        left = left.replace(word, " ");
    }
    if left.len() == plain.len() {
        return plain.chars().count();
    }
    // Once a common word is in it, digits and marks around it are what a list adds as well.
    left.chars().filter(|c| c.is_alphabetic()).count()
}

/// Characters that do not just follow, or repeat, the one before them.
fn left_without_runs(plain: &str) -> usize {
    let follows = |a: char, b: char| {
        a == b
            || RUNS.iter().any(|run| {
                let at = |c| run.find(c);
                matches!((at(a), at(b)), (Some(a), Some(b)) if a.abs_diff(b) == 1)
            })
    };
    let characters: Vec<char> = plain.chars().collect();
    let jumps = characters
        .windows(2)
        .filter(|pair| !follows(pair[0], pair[1]));
    jumps.count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unlikely_ones_are_taken() {
        for good in [
            "correct horse battery",
            "vT9#mK2$pL5w",
            "Vier Möwen am Kai",
            "ledger-harbour-91-moss",
            "7f3a9c0e5b1d",
        ] {
            assert_eq!(check("Password", good, "maria"), Ok(()), "{good}");
        }
    }

    #[test]
    fn short_long_and_obvious_ones_are_refused_and_never_repeated() {
        let long = "aB3-".repeat(65);
        let bad = [
            "",
            "short",
            "elevenchars",
            "aaaaaaaaaaaaaaa",
            "abababababab",
            "password1234",
            "Password2026!",
            "123456789012",
            "qwertyuiop12",
            "abcdefghijkl",
            "adminadmin12",
            "maria-maria-1",
            "letmein123456",
            "tidemark-backup",
            "changeme!2026",
            long.as_str(),
        ];
        for password in bad {
            let violation = check("Password", password, "maria").unwrap_err();
            assert_eq!(violation.value, NOT_SHOWN, "{password}");
            if !password.is_empty() {
                assert!(!violation.to_string().contains(password), "{password}");
            }
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(check("Password", "äöüßéñçøåæœð", "x").is_ok());
        assert!(check("Password", "äöüßéñ", "x").is_err());
    }
}
