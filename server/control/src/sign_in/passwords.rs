//! Passwords: slow digests that are made beside the tasks of the console, a few at a time.

use super::secret;
use crate::error::Error;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use std::sync::OnceLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Memory of one digest, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Threads of one digest.
const LANES: u32 = 1;
/// Bytes of salt.
const SALT_BYTES: usize = 16;
/// Digests that are made at once; each takes [`MEMORY_KIB`] and one processor.
const AT_ONCE_MAX: usize = 2;
/// Callers that may wait for their turn.
const WAITING_MAX: usize = 64;

/// Makes and checks digests of passwords.
pub(super) struct Passwords {
    turns: Semaphore,
    places: Semaphore,
    /// What the passwords of unknown users are checked against, so that they take as long as others.
    nobody: OnceLock<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            turns: Semaphore::new(AT_ONCE_MAX),
            places: Semaphore::new(AT_ONCE_MAX + WAITING_MAX),
            nobody: OnceLock::new(),
        }
    }
}

/// The right to make a digest now.
pub(super) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Passwords {
    /// Waits for a turn; refuses when too many wait already.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, Error> {
        let busy = || {
            let text = "too many are signing in at the same time; try again in a few seconds";
            Error::Unavailable(text.to_owned())
        };
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let turn = self.turns.acquire().await.map_err(|_| busy())?;
        Ok(Turn {
            _turn: turn,
            _place: place,
        })
    }

    /// The digest of a password, with its salt and parameters.
    pub(super) async fn digest(&self, _: &Turn<'_>, password: &str) -> Result<String, Error> {
        let mut salt = [0_u8; SALT_BYTES];
        secret::fill(&mut salt)?;
        let password = password.to_owned();
        aside(move || digest(&password, &salt)).await?
    }

    /// Whether a password has this digest. Without one the answer is no, and takes as long.
    pub(super) async fn fits(
        &self,
        turn: &Turn<'_>,
        password: &str,
        stored: Option<&str>,
    ) -> Result<bool, Error> {
        let nobody = match self.nobody.get() {
            Some(nobody) => nobody.clone(),
            None => {
                let made = self.digest(turn, "nobody has this password").await?;
                self.nobody.get_or_init(|| made).clone()
            }
        };
        let known = stored.is_some();
        let stored = stored.map_or(nobody, str::to_owned);
        let password = password.to_owned();
        let fits = aside(move || fits(&password, &stored)).await??;
        Ok(fits && known)
    }
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Unavailable(format!("a password could not be checked: {error}")))
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| broken(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn digest(password: &str, salt: &[u8]) -> Result<String, Error> {
    let salt = SaltString::encode_b64(salt).map_err(|error| broken(&error))?;
    let digest = argon2()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| broken(&error))?;
    Ok(digest.to_string())
}

fn fits(password: &str, stored: &str) -> Result<bool, Error> {
    use argon2::password_hash::Error::Password;
    let stored = PasswordHash::new(stored).map_err(|error| broken(&error))?;
    match argon2()?.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(Password) => Ok(false),
        Err(error) => Err(broken(&error)),
    }
}

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::Unavailable(format!(
        "a password could not be checked ({error}); reset it with `tidemark user reset NAME`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_digest_fits_its_password_only_and_two_of_one_password_differ() {
        let passwords = Passwords::default();
        let turn = passwords.turn().await.unwrap();
        let one = passwords
            .digest(&turn, "correct horse battery")
            .await
            .unwrap();
        let other = passwords
            .digest(&turn, "correct horse battery")
            .await
            .unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        let fits = async |password: &str, stored: Option<&str>| {
            passwords.fits(&turn, password, stored).await.unwrap()
        };
        assert!(fits("correct horse battery", Some(&one)).await);
        assert!(!fits("correct horse batterY", Some(&one)).await);
        assert!(!fits("correct horse battery", None).await);
        assert!(!fits("nobody has this password", None).await);
        assert!(passwords.fits(&turn, "x", Some("no digest")).await.is_err());
    }

    #[tokio::test]
    async fn a_crowd_is_refused_and_not_kept_waiting() {
        let passwords = Passwords::default();
        let _first = passwords.turn().await.unwrap();
        let _second = passwords.turn().await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| Box::pin(passwords.turn()))
            .collect();
        for one in &mut waiting {
            let soon = tokio::time::timeout(std::time::Duration::ZERO, one).await;
            assert!(soon.is_err(), "it waits");
        }
        assert!(matches!(passwords.turn().await, Err(Error::Unavailable(_))));
    }
}
