//! Keys: 256 random bits that seal and open. They lie in a file beside the database, never in it.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of the number that is used once with a key; random ones do not meet within the limit of secrets.
const NONCE_BYTES: usize = 12;
/// Longest key file that is read.
const FILE_BYTES_MAX: u64 = 4096;
/// What makes a key's name of a key; the name tells nothing about the key.
const NAMING: &str = "tidemark 2026 name of a secret key";

/// A key. It wipes itself from memory.
pub struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key {} (not shown)", self.id())
    }
}

/// A key that cannot be used. Nothing in it tells the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a key at all.
    #[error(
        "{place} holds no key; a key is 64 hexadecimal digits, such as `openssl rand -hex 32` prints"
    )]
    NotAKey {
        /// The file or the variable.
        place: String,
    },
    /// The file system refused.
    #[error("the key file {} cannot be used: {operation} failed: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
    /// No randomness.
    #[error("the operating system gave no randomness for a key: {0}")]
    Random(getrandom::Error),
}

impl Key {
    /// A key nobody can guess.
    pub fn fresh() -> Result<Key, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(KeyError::Random)?;
        Ok(Key(bytes))
    }

    /// Reads 64 hexadecimal digits; `place` is where they came from.
    pub fn read(text: &str, place: &str) -> Result<Key, KeyError> {
        let wrong = || KeyError::NotAKey {
            place: place.to_owned(),
        };
        let bytes = Zeroizing::new(from_hex(text.trim()).ok_or_else(wrong)?);
        let bytes: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Key(Zeroizing::new(bytes)))
    }

    /// The name of this key; stored beside what it has sealed.
    pub fn id(&self) -> String {
        to_hex(&blake3::derive_key(NAMING, self.0.as_slice())[..8])
    }

    /// Seals `text` for a purpose and an owner; hexadecimal.
    pub(super) fn seal(&self, bound: &Bound<'_>, text: &str) -> Result<String, KeyError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(KeyError::Random)?;
        let payload = Payload {
            msg: text.as_bytes(),
            aad: &bound.bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .expect("invariant: the texts that are sealed are far shorter than the cipher's limit");
        Ok(to_hex(&nonce) + &to_hex(&sealed))
    }

    /// Opens what [`Key::seal`] made for the same purpose and owner; nothing when anything differs.
    pub(super) fn open(&self, bound: &Bound<'_>, sealed: &str) -> Option<Zeroizing<String>> {
        let bytes = from_hex(sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let payload = Payload {
            msg: sealed,
            aad: &bound.bytes(),
        };
        let open = self.cipher().decrypt(&nonce.into(), payload).ok()?;
        match String::from_utf8(open) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                None
            }
        }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&(*self.0).into())
    }
}

/// What a sealed secret is bound to: moved to another purpose or owner it does not open.
pub(super) struct Bound<'a> {
    /// What it is for.
    pub(super) purpose: &'a str,
    /// Whose it is.
    pub(super) owner: &'a str,
}

impl Bound<'_> {
    /// No two pairs give the same bytes: the first text's length stands in front.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"tidemark secret 1".to_vec();
        bytes.extend((self.purpose.len() as u64).to_be_bytes());
        bytes.extend(self.purpose.as_bytes());
        bytes.extend(self.owner.as_bytes());
        bytes
    }
}

/// Reads a key file; nothing when there is none.
pub(super) fn read_file(path: &Path) -> Result<Option<Key>, KeyError> {
    let failed = |operation| move |cause| io_error(path, operation, cause);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(io_error(path, "opening", cause)),
    };
    let mode = file.metadata().map_err(failed("looking at its rights"))?;
    if mode.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        tracing::warn!(
            "others may read the key file {path}; take that right away: chmod 600 {path}"
        );
    }
    let mut text = Zeroizing::new(String::new());
    io::Read::read_to_string(&mut io::Read::take(file, FILE_BYTES_MAX), &mut text)
        .map_err(failed("reading"))?;
    Key::read(&text, &format!("the key file {}", path.display())).map(Some)
}

/// Writes a key file that was not there; for the owner only from its first byte on, and durable.
pub(super) fn write_file(path: &Path, key: &Key) -> Result<(), KeyError> {
    let failed = |operation| move |cause| io_error(path, operation, cause);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("making it"))?;
    let text = Zeroizing::new(to_hex(key.0.as_slice()) + "\n");
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed("writing"))?;
    sync_folder(path)
}

/// Puts the file `from` in the place of `to`, durable.
pub(super) fn replace_file(from: &Path, to: &Path) -> Result<(), KeyError> {
    std::fs::rename(from, to).map_err(|cause| io_error(to, "putting the new key there", cause))?;
    sync_folder(to)
}

/// Removes a key file that nothing was sealed with.
pub(super) fn remove_file(path: &Path) -> Result<(), KeyError> {
    std::fs::remove_file(path).map_err(|cause| io_error(path, "removing it", cause))
}

fn sync_folder(path: &Path) -> Result<(), KeyError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|cause| io_error(path, "making its folder durable", cause))
}

fn io_error(path: &Path, operation: &'static str, cause: io::Error) -> KeyError {
    KeyError::Io {
        path: path.to_owned(),
        operation,
        cause,
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound<'static> = Bound {
        purpose: "channel",
        owner: "7",
    };

    #[test]
    fn what_was_sealed_opens_only_as_it_was_sealed() {
        let (key, other) = (Key::fresh().unwrap(), Key::fresh().unwrap());
        let sealed = key.seal(&BOUND, "hunter2").unwrap();
        assert_eq!(key.open(&BOUND, &sealed).unwrap().as_str(), "hunter2");
        assert_ne!(sealed, key.seal(&BOUND, "hunter2").unwrap(), "never twice");
        assert!(other.open(&BOUND, &sealed).is_none());
        for (purpose, owner) in [("channel", "8"), ("storage", "7"), ("chann", "el7")] {
            assert!(key.open(&Bound { purpose, owner }, &sealed).is_none());
        }
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(key.open(&BOUND, &changed).is_none(), "digit {at}");
        }
        assert!(key.open(&BOUND, "").is_none() && key.open(&BOUND, "ü").is_none());
    }

    #[test]
    fn a_key_is_named_but_never_shown() {
        let text = "0123456789abcdef".repeat(4);
        let key = Key::read(&format!("{text}\n"), "here").unwrap();
        assert!(!format!("{key:?}").contains("0123"));
        assert_eq!(key.id(), Key::read(&text, "there").unwrap().id());
        for bad in [
            "",
            "hunter2",
            &text[1..],
            &format!("{text}00"),
            &text.replace('a', "g"),
        ] {
            let told = Key::read(bad, "TIDEMARK_KEY").unwrap_err().to_string();
            assert!(
                told.contains("TIDEMARK_KEY") && told.contains("64"),
                "{told}"
            );
            assert!(!told.contains("hunter2") && !told.contains("456789"));
        }
    }

    #[test]
    fn a_key_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert!(read_file(&path).unwrap().is_none());
        let key = Key::fresh().unwrap();
        write_file(&path, &key).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read_file(&path).unwrap().unwrap().id(), key.id());
        assert!(write_file(&path, &key).is_err(), "never written over");
    }
}
