//! What is durable at the destination for one tenant: rounds of log, their segments, backup sets.
//!
//! Log delay and recoverable ranges come from here and from nowhere else. It is read from the
//! destination, and grows by what has been published; intentions have no place in it.

use crate::{
    commit::Head,
    keys::{self, TenantKeys},
    segment::SegmentName,
    set::SetManifest,
};
use domain::{
    BackupSetId, Scn,
    backup::{BackupKind, BackupSet},
    recoverable::{GapCause, LogSpan},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::{Dest, StorageError};

/// The start of a round, as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RoundStart {
    pub(crate) format: u32,
    /// The state the round begins with; its transaction number is zero.
    pub(crate) base: Head,
    /// Why it does not continue the round before.
    pub(crate) cause: GapCause,
    /// The same in words.
    pub(crate) note: String,
}

/// The end of a round, as stored; a round without one may go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RoundEnd {
    pub(crate) format: u32,
    pub(crate) txn: u64,
    /// Everything committed at or before it is in the round.
    pub(crate) checkpoint: Scn,
    /// Who ended it and why.
    pub(crate) reason: String,
}

/// How far a round is durable, written while nothing is committed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) format: u32,
    /// The state, which has not changed since its last commit.
    pub(crate) head: Head,
    /// Nothing later than the head was committed at or before it.
    pub(crate) checkpoint: Scn,
}

/// A segment at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    pub(crate) key: String,
    pub(crate) name: SegmentName,
    pub(crate) piece: u32,
    pub(crate) bytes: u64,
}

/// One round.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) start: RoundStart,
    pub(crate) end: Option<RoundEnd>,
    /// By first transaction.
    pub(crate) segments: BTreeMap<u64, SegmentInfo>,
}

/// Everything of one tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) rounds: BTreeMap<i64, Round>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) sets: BTreeMap<i64, SetManifest>,
    /// Set directories without a manifest: never finished.
    pub(crate) unfinished: Vec<String>,
    /// Segments that a merged one covers; to be deleted when nobody reads.
    pub(crate) covered: Vec<String>,
    /// Manifests that do not read, each with why.
    pub(crate) damaged: Vec<String>,
    /// Log files and sets found damaged when they were read: key or directory, and why.
    pub(crate) known_damage: BTreeMap<String, String>,
}

/// An unbroken run of a round's segments.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) span: LogSpan,
    /// Transaction the run begins after.
    pub(crate) after_txn: u64,
    /// Its last transaction.
    pub(crate) last_txn: u64,
}

impl History {
    /// Reads a tenant's history from the destination.
    pub(crate) fn load(dest: &Dest, keys: &TenantKeys) -> Result<Self, StorageError> {
        let mut history = History::default();
        history.load_rounds(dest, keys)?;
        history.load_sets(dest, keys)?;
        history.checkpoint = optional(dest.get_manifest(&keys.checkpoint()), &mut history.damaged)?;
        Ok(history)
    }

    fn load_rounds(&mut self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        let mut segments = Vec::new();
        for entry in dest.list(&keys.log())? {
            let file = entry.key.rsplit('/').next().unwrap_or_default();
            if let (Some(name), Some((round, piece))) =
                (SegmentName::parse(file), keys::round_and_piece(&entry.key))
            {
                segments.push((
                    round,
                    SegmentInfo {
                        name,
                        piece,
                        bytes: entry.size,
                        key: entry.key,
                    },
                ));
            } else if file == "round.json" {
                let start: Option<RoundStart> =
                    optional(dest.get_manifest(&entry.key), &mut self.damaged)?;
                if let Some(start) = start {
                    let end = optional(
                        dest.get_manifest(&keys.round_end(start.base.round)),
                        &mut self.damaged,
                    )?;
                    self.rounds.insert(
                        start.base.round,
                        Round {
                            start,
                            end,
                            segments: BTreeMap::new(),
                        },
                    );
                }
            }
        }
        for (round, segment) in segments {
            let Some(round) = self.rounds.get_mut(&round) else {
                continue;
            };
            // A merged segment comes behind its first part and replaces it; the other parts lie inside it.
            let last = round
                .segments
                .values()
                .next_back()
                .map_or(0, |last| last.name.last_txn);
            if segment.name.last_txn <= last {
                self.covered.push(segment.key);
            } else if let Some(part) = round.segments.insert(segment.name.first_txn, segment) {
                self.covered.push(part.key);
            }
        }
        Ok(())
    }

    fn load_sets(&mut self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        for directory in dest.list_dirs(&keys.data())? {
            let key = format!("{}/set.json", keys.set(&directory));
            if !dest.exists(&key)? {
                self.unfinished.push(directory);
                continue;
            }
            let set: Option<SetManifest> = optional(dest.get_manifest(&key), &mut self.damaged)?;
            if let Some(set) = set {
                self.sets.insert(set.set_id, set);
            }
        }
        Ok(())
    }

    /// Drops what was known `before` the destination was `listed` and is not there any more.
    pub(crate) fn forget_missing(&mut self, before: &History, listed: &History) {
        for (number, round) in &mut self.rounds {
            let Some(known) = before.rounds.get(number) else {
                continue;
            };
            let there = listed.rounds.get(number);
            round.segments.retain(|txn, _| {
                !known.segments.contains_key(txn)
                    || there.is_some_and(|round| round.segments.contains_key(txn))
            });
        }
        self.sets.retain(|number, _| {
            !before.sets.contains_key(number) || listed.sets.contains_key(number)
        });
    }

    /// Leaves a log file or set out from now on, because reading it found it damaged.
    pub(crate) fn mark_damaged(&mut self, name: &str, why: String) {
        self.known_damage.insert(name.to_owned(), why);
        self.leave_out_damage();
    }

    /// Takes over what an earlier look knew to be damaged and is still there.
    pub(crate) fn keep_known_damage(&mut self, earlier: &History) {
        self.known_damage.extend(earlier.known_damage.clone());
        self.leave_out_damage();
    }

    fn leave_out_damage(&mut self) {
        let damage = &self.known_damage;
        for round in self.rounds.values_mut() {
            round
                .segments
                .retain(|_, segment| !damage.contains_key(&segment.key));
        }
        self.sets
            .retain(|_, set| !damage.contains_key(&set.directory));
    }

    /// The round in which the log was archived last.
    pub(crate) fn last_round(&self) -> Option<&Round> {
        self.rounds.values().next_back()
    }

    /// Number that the next round gets.
    pub(crate) fn next_round(&self) -> i64 {
        self.rounds.keys().next_back().map_or(1, |round| round + 1)
    }

    /// Number that the next set gets; numbers of unfinished ones are not used again.
    pub(crate) fn next_set(&self) -> i64 {
        let unfinished = self
            .unfinished
            .iter()
            .filter_map(|directory| keys::set_number(directory));
        self.sets
            .keys()
            .copied()
            .chain(unfinished)
            .max()
            .map_or(1, |set| set + 1)
    }

    /// The unbroken runs of a round, oldest first. More than one means that segments are missing.
    pub(crate) fn runs(&self, round: &Round) -> Vec<Run> {
        let start = &round.start;
        let number = start.base.round;
        let span = |start, cause, note: &str| LogSpan {
            round: number,
            start,
            end: start,
            cause,
            note: note.to_owned(),
        };
        let mut runs = vec![Run {
            span: span(start.base.scn, start.cause, &start.note),
            after_txn: 0,
            last_txn: 0,
        }];
        for segment in round.segments.values() {
            let current = runs.last_mut().expect("invariant: there is always one");
            if segment.name.first_txn > current.last_txn + 1 {
                let note = format!(
                    "Log of {} commits is missing at the destination, in front of {}.",
                    segment.name.first_txn - current.last_txn - 1,
                    segment.key
                );
                runs.push(Run {
                    span: span(segment.name.first_scn, GapCause::LogMissing, &note),
                    after_txn: segment.name.first_txn - 1,
                    last_txn: segment.name.first_txn - 1,
                });
            }
            let current = runs.last_mut().expect("invariant: there is always one");
            if segment.name.last_txn > current.last_txn {
                current.last_txn = segment.name.last_txn;
                current.span.end = current.span.end.max(segment.name.until);
            }
        }
        let last = runs.last_mut().expect("invariant: there is always one");
        if let Some(end) = round.end.as_ref().filter(|end| end.txn == last.last_txn) {
            last.span.end = last.span.end.max(end.checkpoint);
        }
        let checkpoint = self.checkpoint.as_ref();
        let here = checkpoint.filter(|it| it.head.round == number && it.head.txn == last.last_txn);
        if let Some(checkpoint) = here {
            last.span.end = last.span.end.max(checkpoint.checkpoint);
        }
        runs
    }

    /// Log at the destination, as ranges are computed from it.
    pub(crate) fn spans(&self) -> Vec<LogSpan> {
        self.rounds
            .values()
            .flat_map(|round| self.runs(round))
            .map(|run| run.span)
            .collect()
    }

    /// Everything committed at or before it is durable, in the current round.
    pub(crate) fn checkpoint_scn(&self) -> Option<Scn> {
        self.last_round()
            .and_then(|round| Some(self.runs(round).last()?.span.end))
    }

    /// The sets that a recovery to `set` applies, full one first; `None` when one of them is gone.
    pub(crate) fn chain(&self, set: &SetManifest) -> Option<Vec<&SetManifest>> {
        let mut chain = vec![self.sets.get(&set.set_id)?];
        while let Some(base) = chain.last()?.base_set_id {
            // A base is always older, so this ends.
            let base = self
                .sets
                .get(&base)
                .filter(|base| base.set_id < set.set_id)?;
            chain.push(base);
        }
        chain.reverse();
        Some(chain)
    }

    /// Usable sets: those whose whole chain is there.
    pub(crate) fn usable_sets(&self) -> Vec<BackupSet> {
        self.sets
            .values()
            .filter(|set| self.chain(set).is_some())
            .map(|set| BackupSet {
                id: BackupSetId(set.set_id),
                kind: if set.base_set_id.is_some() {
                    BackupKind::Incremental
                } else {
                    BackupKind::Full
                },
                base: set.base_set_id.map(BackupSetId),
                round: set.head.round,
                min_restore_scn: set.min_restore_scn,
                started: set.started,
                finished: set.finished,
                stored_bytes: set.bytes_stored,
                raw_bytes: set.bytes_raw,
            })
            .collect()
    }

    /// Bytes of all sets and of all log.
    pub(crate) fn stored_bytes(&self) -> (u64, u64) {
        let data = self.sets.values().map(|set| set.bytes_stored).sum();
        let log = self
            .rounds
            .values()
            .flat_map(|round| round.segments.values())
            .map(|segment| segment.bytes)
            .sum();
        (data, log)
    }
}

/// A manifest that may be missing; one that is damaged is noted and treated as missing.
fn optional<T>(
    found: Result<T, StorageError>,
    damaged: &mut Vec<String>,
) -> Result<Option<T>, StorageError> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error @ StorageError::Corrupt { .. }) => {
            damaged.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
