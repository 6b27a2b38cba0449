//! Keys: relative paths made of plain components.

use crate::StorageError;

/// Leaves room for the dot, the mark and the uuid of a temporary name within 255 bytes.
const COMPONENT_BYTES_MAX: usize = 200;
const TEMP_MARK: &str = ".tmp-";
/// Directories of two-phase deletes; never listed.
pub(crate) const TRASH: &str = "trash";

/// Refuses what is not a key of an object.
pub(crate) fn check(operation: &'static str, key: &str) -> Result<(), StorageError> {
    let reason = if key == crate::identity::FILE {
        Some("this name belongs to the destination itself".to_owned())
    } else {
        key.split('/').find_map(bad_component)
    };
    match reason {
        None => Ok(()),
        Some(reason) => Err(StorageError::Invalid {
            operation,
            what: format!("{key:?}"),
            reason,
        }),
    }
}

/// A prefix without its last slash; empty means everything.
pub(crate) fn check_prefix<'a>(
    operation: &'static str,
    prefix: &'a str,
) -> Result<&'a str, StorageError> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if !prefix.is_empty() {
        check(operation, prefix)?;
    }
    Ok(prefix)
}

fn bad_component(component: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if component.is_empty() {
        Some("a key is relative and has no empty part".to_owned())
    } else if component.starts_with('.') {
        Some("no part of a key begins with a dot".to_owned())
    } else if component.len() > COMPONENT_BYTES_MAX {
        Some(format!(
            "a part of a key has at most {COMPONENT_BYTES_MAX} characters"
        ))
    } else if !component.bytes().all(plain) {
        Some("a key is made of letters, digits, \"_\", \"-\", \".\" and \"/\"".to_owned())
    } else {
        None
    }
}

/// A name, unused so far, for something not yet published beside `name`.
pub(crate) fn temp_name(name: &str) -> String {
    format!(".{name}{TEMP_MARK}{}", uuid::Uuid::new_v4())
}

/// Whether a directory entry is one of [`temp_name`].
pub(crate) fn is_temp(name: &str) -> bool {
    name.starts_with('.') && name.contains(TEMP_MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_inside_the_destination() {
        for key in [
            "set.json",
            "a/b/c.pack",
            "0000a-0000b.seg",
            "T_1/data/000012_full_20261122T120000Z",
        ] {
            check("write", key).unwrap();
        }
        let long = "x".repeat(201);
        for key in [
            "",
            "/etc",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "a/./b",
            ".a",
            "a/.b.tmp-1",
            "a b",
            "a\\b",
            "é",
            "a\0",
            "tidemark.json",
            &long,
        ] {
            let error = check("write", key).unwrap_err().to_string();
            assert!(error.starts_with("write "), "{key:?}: {error}");
        }
        assert_eq!(check_prefix("list", "a/b/").unwrap(), "a/b");
        assert_eq!(check_prefix("list", "").unwrap(), "");
        assert!(check_prefix("list", "/").is_ok_and(str::is_empty));
        assert!(check_prefix("list", "../").is_err());
    }

    #[test]
    fn temporary_names_are_known_again_and_never_keys() {
        let name = temp_name("set.json");
        assert!(is_temp(&name));
        assert!(check("write", &name).is_err());
        assert!(!is_temp("set.json"));
    }
}
