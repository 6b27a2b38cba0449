//! Secrets that the console makes: tokens of sessions and of one-time links. Only their digests are stored.

use crate::error::Error;

/// Random bytes of a token.
const BYTES: usize = 32;

/// A token nobody can guess, in hexadecimal.
pub(super) fn fresh() -> Result<String, Error> {
    let mut bytes = [0_u8; BYTES];
    fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Random bytes.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|cause| {
        Error::Unavailable(format!(
            "the machine gives no randomness ({cause}); try again in a moment"
        ))
    })
}

/// What is stored of a token. As the token cannot be guessed, it needs no slow digest.
pub(super) fn digest(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_256_bits_and_differ_from_their_digests() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
        assert_ne!(digest(&one), one);
        assert_eq!(digest(&one), digest(&one));
    }
}
