//! Signatures as DingTalk and Feishu want them.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Scn, scn::NS_PER_SECOND};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A DingTalk address with time and signature: HMAC-SHA256 of `time\nsecret` under the secret, in milliseconds.
pub(super) fn dingtalk(url: &str, secret: &str, now: Scn) -> String {
    let time = now.ms();
    let sign = hmac(secret.as_bytes(), format!("{time}\n{secret}").as_bytes());
    let between = if url.contains('?') { '&' } else { '?' };
    format!("{url}{between}timestamp={time}&sign={}", escaped(&sign))
}

/// Time in seconds and signature for a Feishu body: HMAC-SHA256 of nothing under `time\nsecret`.
pub(super) fn feishu(secret: &str, now: Scn) -> (String, String) {
    let time = now.0 / NS_PER_SECOND;
    (
        time.to_string(),
        hmac(format!("{time}\n{secret}").as_bytes(), b""),
    )
}

fn hmac(key: &[u8], text: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("invariant: this takes keys of any length");
    mac.update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Base64 as a part of an address.
fn escaped(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values made with another program, by the definitions above.
    #[test]
    fn signatures_equal_those_of_another_program() {
        let now = Scn::from_ms(1_700_000_000_123);
        assert_eq!(
            dingtalk("https://host/robot/send?access_token=a", "SECabc", now),
            format!(
                "https://host/robot/send?access_token=a&timestamp=1700000000123&sign={}",
                "IqXBU%2FaLfwMA3S%2FtDcfRmHx5vWHw9Y1aOgFLBr1Ti9w%3D"
            )
        );
        assert_eq!(
            feishu("abc", now),
            (
                "1700000000".to_owned(),
                "VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4=".to_owned()
            )
        );
    }
}
