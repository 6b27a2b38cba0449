//! The only place where text becomes part of a statement: literals and names.

/// A name or text that cannot be part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unquotable {
    /// NUL ends statements early in some versions.
    #[error("it holds a NUL character")]
    Nul,
    /// Names of nothing.
    #[error("it is empty")]
    Empty,
    /// Longer than any name of the database.
    #[error("it is longer than 128 characters")]
    Long,
}

/// Most characters of a name (`TENANT_NAME` is varchar(128)).
const NAME_CHARS_MAX: usize = 128;

/// A string literal with its quotes, by the rules of MySQL with backslash escapes, which are OceanBase's default.
pub fn literal(text: &str) -> Result<String, Unquotable> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\0' => return Err(Unquotable::Nul),
            // Doubled rather than escaped: right with and without NO_BACKSLASH_ESCAPES.
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// A name in backticks.
pub fn name(text: &str) -> Result<String, Unquotable> {
    if text.is_empty() {
        return Err(Unquotable::Empty);
    }
    if text.contains('\0') {
        return Err(Unquotable::Nul);
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(Unquotable::Long);
    }
    Ok(format!("`{}`", text.replace('`', "``")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a literal back the way the database's scanner does; `None` when it ends early or never.
    fn read_literal(sql: &str) -> Option<String> {
        let mut characters = sql.strip_prefix('\'')?.chars().peekable();
        let mut text = String::new();
        loop {
            match characters.next()? {
                '\\' => text.push(characters.next()?),
                '\'' if characters.peek() == Some(&'\'') => {
                    characters.next();
                    text.push('\'');
                }
                '\'' => return characters.next().is_none().then_some(text),
                other => text.push(other),
            }
        }
    }

    fn read_name(sql: &str) -> Option<String> {
        let inner = sql.strip_prefix('`')?.strip_suffix('`')?;
        let single = inner.replace("``", "");
        (!single.contains('`')).then(|| inner.replace("``", "`"))
    }

    proptest! {
        #[test]
        fn literals_read_back_and_never_end_early(text in "[^\\x00]{0,64}") {
            prop_assert_eq!(read_literal(&literal(&text).unwrap()), Some(text));
        }

        #[test]
        fn hostile_literals_read_back(text in "['\\\\;`\"-]{0,16}") {
            prop_assert_eq!(read_literal(&literal(&text).unwrap()), Some(text));
        }

        #[test]
        fn names_read_back(text in "[^\\x00]{1,128}") {
            prop_assert_eq!(read_name(&name(&text).unwrap()), Some(text));
        }
    }

    #[test]
    fn what_cannot_be_quoted_is_refused() {
        assert_eq!(literal("a\0b"), Err(Unquotable::Nul));
        assert_eq!(name(""), Err(Unquotable::Empty));
        assert_eq!(name(&"x".repeat(129)), Err(Unquotable::Long));
    }
}
