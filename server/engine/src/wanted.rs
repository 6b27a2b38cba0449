//! What a strategy wants of settings that a cluster keeps by itself, and what became of sending it.

use domain::strategy::Setting;

/// What a strategy decides for every tenant of a cluster. The key in the destination is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct WantedSettings {
    /// Address below which every tenant gets a place of its own, such as `file:///backup`; may hold a key.
    pub destination: String,
    /// Days of log in one piece, 1 to 7.
    pub piece_days: u8,
    /// Days that every moment stays recoverable; `None` removes nothing by age.
    pub retention_days: Option<u32>,
}

impl std::fmt::Debug for WantedSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.destination.split('?').next().unwrap_or_default();
        f.debug_struct("WantedSettings")
            .field("destination", &place)
            .field("piece_days", &self.piece_days)
            .field("retention_days", &self.retention_days)
            .finish()
    }
}

/// A setting that was sent, or that would have had to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The tenant's name.
    pub tenant: String,
    /// What was set.
    pub what: Setting,
    /// To what, without keys; empty for nothing.
    pub value: String,
    /// Why it was not set, and what to do; absent when it was.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let wanted = WantedSettings {
            destination: "oss://bucket/p?host=h&access_id=me&access_key=s3cr3t".to_owned(),
            piece_days: 1,
            retention_days: Some(7),
        };
        let shown = format!("{wanted:?}");
        assert!(
            shown.contains("oss://bucket/p") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}
