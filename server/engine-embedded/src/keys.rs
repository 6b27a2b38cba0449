//! Names of a tenant's objects at the destination, and nothing else.

use domain::{Scn, backup::BackupKind};
use uuid::Uuid;

/// Prefix of everything of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct TenantKeys(String);

impl TenantKeys {
    pub(crate) fn new(cluster: Uuid, tenant: Uuid) -> Self {
        TenantKeys(format!("{cluster}/{tenant}"))
    }

    pub(crate) fn root(&self) -> &str {
        &self.0
    }

    /// Who the tenant is, for people and for rebuilding.
    pub(crate) fn identity(&self) -> String {
        format!("{}/tenant.json", self.0)
    }

    /// What was copied, at a second destination.
    pub(crate) fn copied(&self) -> String {
        format!("{}/copied.json", self.0)
    }

    /// What cleanups removed and are removing.
    pub(crate) fn cleanup(&self) -> String {
        format!("{}/cleanup.json", self.0)
    }

    pub(crate) fn data(&self) -> String {
        format!("{}/data", self.0)
    }

    pub(crate) fn set(&self, directory: &str) -> String {
        format!("{}/data/{directory}", self.0)
    }

    pub(crate) fn log(&self) -> String {
        format!("{}/clog", self.0)
    }

    pub(crate) fn round(&self, round: i64) -> String {
        format!("{}/clog/round_{round:04}", self.0)
    }

    pub(crate) fn round_start(&self, round: i64) -> String {
        format!("{}/round.json", self.round(round))
    }

    pub(crate) fn round_end(&self, round: i64) -> String {
        format!("{}/end.json", self.round(round))
    }

    /// How far the round is durable, while nothing is committed.
    pub(crate) fn checkpoint(&self, round: i64) -> String {
        format!("{}/checkpoint.json", self.round(round))
    }

    pub(crate) fn segment(&self, round: i64, piece: u32, file: &str) -> String {
        format!("{}/piece_{piece:04}/{file}", self.round(round))
    }

    pub(crate) fn piece(&self, round: i64, piece: u32) -> String {
        format!("{}/piece_{piece:04}", self.round(round))
    }

    /// The final list of a piece, written when the next one begins.
    pub(crate) fn piece_list(&self, round: i64, piece: u32) -> String {
        format!("{}/piece_{piece:04}/piece.json", self.round(round))
    }
}

/// Who the cluster is, for people and for rebuilding.
pub(crate) fn cluster_identity(cluster: Uuid) -> String {
    format!("{cluster}/cluster.json")
}

/// Directory name of a set: number, kind and the time it was begun, such as `000012_full_20261122T120000Z`.
pub(crate) fn set_directory(id: i64, kind: BackupKind, begun: Scn) -> String {
    let digits: String = begun
        .display_seconds()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let (date, time) = digits.split_at(8);
    format!("{id:06}_{}_{date}T{time}Z", kind.code())
}

/// Number of the set that a directory name stands for.
pub(crate) fn set_number(directory: &str) -> Option<i64> {
    directory.split('_').next()?.parse().ok()
}

/// Number of the round that a directory name stands for.
pub(crate) fn round_number(directory: &str) -> Option<i64> {
    directory.strip_prefix("round_")?.parse().ok()
}

/// Round that an object of the log belongs to.
pub(crate) fn round_of(key: &str) -> Option<i64> {
    key.split('/').find_map(round_number)
}

/// Round and piece of a segment's key.
pub(crate) fn round_and_piece(key: &str) -> Option<(i64, u32)> {
    let mut parts = key.rsplit('/').skip(1);
    let piece = parts.next()?.strip_prefix("piece_")?.parse().ok()?;
    let round = round_number(parts.next()?)?;
    Some((round, piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let keys = TenantKeys::new(Uuid::nil(), Uuid::nil());
        assert_eq!(
            round_and_piece(&keys.segment(12, 3, "x.seg")),
            Some((12, 3))
        );
        let begun = Scn::parse_rfc3339("2026-11-22T12:00:00.9Z").unwrap();
        let directory = set_directory(12, BackupKind::Full, begun);
        assert_eq!(directory, "000012_full_20261122T120000Z");
        assert_eq!(set_number(&directory), Some(12));
        assert_eq!(set_number("junk"), None);
        assert_eq!(round_number("round_0012"), Some(12));
        assert_eq!(round_number("junk"), None);
    }
}
