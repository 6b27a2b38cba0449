//! Which sets and pieces a restore to a point in time would take.

use super::World;
use super::archive::Piece;
use super::backup::Set;
use super::dest;
use crate::SqlError;
use crate::error;
use crate::version::Version;

/// The sets and pieces of a restore.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) sets: Vec<Set>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) scn: i64,
}

impl World {
    /// Chooses for the paths of FROM; without `until`, as far as the paths reach.
    pub(crate) fn choose(
        &self,
        from: &str,
        until: Option<i64>,
        passwords: &[String],
    ) -> Result<Selection, SqlError> {
        let mut keys = Vec::new();
        for part in from.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let uri = dest::parse(part, self.version())?;
            self.readable(&uri.key())?;
            keys.push(uri.key());
        }
        if keys.is_empty() {
            return Err(error::coded(9026, "backup destination is not valid"));
        }
        let all: Vec<&Set> = self
            .sets
            .iter()
            .filter(|s| keys.contains(&s.root))
            .collect();
        let roots: std::collections::BTreeSet<&str> = all.iter().map(|s| s.root.as_str()).collect();
        if roots.len() > 1 {
            return Err(error::not_supported(
                "restore from multiple data paths is not supported",
            ));
        }
        let sets: Vec<&Set> = all.into_iter().filter(|s| s.is_usable()).collect();
        let mut pieces: Vec<Piece> = self
            .rounds
            .iter()
            .filter(|r| keys.contains(&r.path))
            .flat_map(|r| r.pieces(self.checkpoint(r)))
            .filter(|p| p.file_status == "AVAILABLE")
            .collect();
        pieces.sort_by_key(|p| (p.round, p.id));
        let log_only = pieces.is_empty() && keys.len() == 1;
        let target = self.target(until, &sets, &pieces, log_only)?;
        let chain = chain(&sets, target);
        let Some(last) = chain.last() else {
            return Err(self.no_set(&sets));
        };
        for set in &chain {
            if let Some(password) = &set.password
                && !passwords.contains(password)
            {
                return Err(error::coded(9047, "invalid password for backup"));
            }
        }
        let pieces = if log_only && last.plus && target == last.min_restore_scn {
            Vec::new()
        } else {
            cover(&pieces, last.replay_scn, target).ok_or_else(error::not_enough_log)?
        };
        Ok(Selection {
            sets: chain,
            pieces,
            scn: target,
        })
    }

    /// Reading needs neither room nor the permission to write.
    fn readable(&self, key: &str) -> Result<(), SqlError> {
        match self.storage_ready(key) {
            Err(e) if e.code == 9070 => Err(e),
            _ => Ok(()),
        }
    }

    fn target(
        &self,
        until: Option<i64>,
        sets: &[&Set],
        pieces: &[Piece],
        log_only: bool,
    ) -> Result<i64, SqlError> {
        if let Some(scn) = until {
            return Ok(scn);
        }
        if let Some(newest) = pieces.last() {
            return Ok(newest.checkpoint_scn);
        }
        if log_only
            && self.version() >= Version::V4_2_0
            && let Some(set) = sets.iter().rev().find(|s| s.plus)
        {
            return Ok(set.min_restore_scn);
        }
        Err(error::not_enough_log())
    }

    fn no_set(&self, sets: &[&Set]) -> SqlError {
        let newer = self.version() >= Version::V4_3_3;
        match sets.iter().map(|s| s.min_restore_scn).min() {
            Some(scn) if newer => error::coded(
                9119,
                format!(
                    "no full backup set can be used to restore to given time, minimum restorable \
                     time is {}",
                    crate::calendar::text(scn / 1000, 480)
                ),
            ),
            _ => error::not_enough_log(),
        }
    }
}

/// The chain of sets for a target: the newest full one that is early enough, and the incrementals on it.
fn chain(sets: &[&Set], target: i64) -> Vec<Set> {
    let mut sorted: Vec<&Set> = sets.to_vec();
    sorted.sort_by_key(|s| s.id);
    let mut chain: Vec<Set> = Vec::new();
    for set in sorted {
        if set.min_restore_scn > target {
            break;
        }
        if !set.incremental {
            chain.clear();
            chain.push(set.clone());
        } else {
            let has = |id: i64| chain.iter().any(|s| s.id == id);
            if has(set.prev_full) && has(set.prev_inc) {
                chain.push(set.clone());
            }
        }
    }
    chain
}

/// The pieces that lead without a gap from `replay` to `target`.
///
/// The end of a piece is theoretical: the last piece of a stopped round may end after a later round began, so the
/// walk begins at the latest piece that starts early enough.
fn cover(pieces: &[Piece], replay: i64, target: i64) -> Option<Vec<Piece>> {
    let first = pieces
        .iter()
        .rposition(|p| p.start_scn <= replay && p.end_scn > replay)?;
    let mut used: Vec<Piece> = vec![pieces[first].clone()];
    for piece in &pieces[first + 1..] {
        let previous = &used[used.len() - 1];
        if previous.checkpoint_scn >= target || piece.start_scn != previous.end_scn {
            break;
        }
        used.push(piece.clone());
    }
    let enough = used.last().is_some_and(|p| p.checkpoint_scn >= target);
    enough.then_some(used)
}
