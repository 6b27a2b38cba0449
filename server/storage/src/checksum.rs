//! blake3 sums and their hexadecimal form.

use std::io::Read;

pub use blake3::{Hash, Hasher};

/// The sum of `bytes` in 64 hexadecimal digits.
pub fn blake3_hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads `source` to its end and gives its length and its sum.
pub fn blake3_of(source: &mut dyn Read) -> std::io::Result<(u64, Hash)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok((total, hasher.finalize())),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                total += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads what [`blake3_hex`] wrote; `None` for any other text.
pub fn parse_hex(text: &str) -> Option<Hash> {
    Hash::from_hex(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_stream_agree_with_the_published_value() {
        // The official test vector for empty input.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(blake3_hex(b""), empty);
        let long = vec![7; 1_000_003];
        let (total, sum) = blake3_of(&mut long.as_slice()).unwrap();
        assert_eq!(total, 1_000_003);
        assert_eq!(parse_hex(&blake3_hex(&long)), Some(sum));
        assert_eq!(parse_hex("no sum"), None);
    }
}
