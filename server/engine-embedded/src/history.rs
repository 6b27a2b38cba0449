//! What is durable at the destination for one tenant: rounds of log, their segments, backup sets.
//!
//! Log delay and recoverable ranges come from here and from nowhere else. It is read from the
//! destination, and grows by what has been published; intentions have no place in it.

use crate::{
    commit::Head,
    keys::{self, TenantKeys},
    removed::{self, Cut, Removed},
    segment::SegmentName,
    set::SetManifest,
    survey,
};
use domain::{
    BackupSetId, Scn,
    backup::{BackupKind, BackupSet},
    recoverable::{GapCause, LogSpan},
};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
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
    /// How far it is durable, as it was written last while nothing was committed.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Those that make it up, by first transaction.
    pub(crate) segments: BTreeMap<u64, SegmentInfo>,
    /// Those whose transactions lie inside one of them; to be deleted once that one proved to hold them.
    pub(crate) covered: Vec<SegmentInfo>,
}

impl Round {
    pub(crate) fn new(start: RoundStart) -> Self {
        Round {
            start,
            end: None,
            checkpoint: None,
            segments: BTreeMap::new(),
            covered: Vec::new(),
        }
    }

    /// Sorts out which segments make up the round and which lie inside others; drops the damaged ones and
    /// those that a cleanup removed.
    fn arrange(&mut self, damage: &BTreeMap<String, String>, cuts: &[Cut]) {
        let all = std::mem::take(&mut self.segments).into_values();
        let mut all: Vec<SegmentInfo> = all.chain(std::mem::take(&mut self.covered)).collect();
        all.retain(|segment| {
            let name = &segment.name;
            let is_cut = removed::is_cut(cuts, name.first_txn, name.last_txn);
            !is_cut && !damage.contains_key(&segment.key)
        });
        all.sort_by_key(|segment| {
            let name = &segment.name;
            (name.first_txn, Reverse((name.last_txn, name.until)))
        });
        let mut last = 0;
        for segment in all {
            // In this order, what ends at or before the last one taken lies inside it.
            if segment.name.last_txn <= last {
                self.covered.push(segment);
            } else {
                last = segment.name.last_txn;
                self.segments.insert(segment.name.first_txn, segment);
            }
        }
    }

    /// The segment that `part` lies inside.
    pub(crate) fn covering(&self, part: &SegmentInfo) -> Option<&SegmentInfo> {
        let (_, found) = self.segments.range(..=part.name.first_txn).next_back()?;
        (found.name.last_txn >= part.name.last_txn).then_some(found)
    }

    /// Adds what became durable since it was as in `before`.
    fn take_over(&mut self, before: Option<&Round>, now: &Round) {
        let known: BTreeSet<&str> = before
            .into_iter()
            .chain([&*self])
            .flat_map(Round::everything)
            .map(|segment| segment.key.as_str())
            .collect();
        let newer = now
            .everything()
            .filter(|segment| !known.contains(segment.key.as_str()))
            .cloned()
            .collect::<Vec<SegmentInfo>>();
        self.covered.extend(newer);
        let reached = |it: &Option<Checkpoint>| it.as_ref().map(|it| it.checkpoint);
        if reached(&now.checkpoint) > reached(&self.checkpoint) {
            self.checkpoint.clone_from(&now.checkpoint);
        }
    }

    fn everything(&self) -> impl Iterator<Item = &SegmentInfo> {
        self.segments.values().chain(&self.covered)
    }
}

/// Everything of one tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Whether the destination was read; until then the rest says nothing.
    pub(crate) known: bool,
    pub(crate) rounds: BTreeMap<i64, Round>,
    pub(crate) sets: BTreeMap<i64, SetManifest>,
    /// Set directories without a manifest: never finished.
    pub(crate) unfinished: Vec<String>,
    /// Greatest number that a round or a set ever had, whether it reads or not; numbers are not used again.
    pub(crate) greatest_round: i64,
    pub(crate) greatest_set: i64,
    /// What cleanups removed, as it is at the destination.
    pub(crate) removed: Removed,
    /// Sets and rounds removed since the engine was opened, or about to be; no listing brings them back.
    pub(crate) gone_sets: BTreeSet<i64>,
    pub(crate) gone_rounds: BTreeSet<i64>,
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
        let mut history = History {
            known: true,
            ..History::default()
        };
        // Before anything is listed: what is named here is gone, though it may still be there.
        let removed = optional(Removed::load(dest, keys), &mut history.damaged)?;
        history.set_removed(removed.unwrap_or_default());
        history.load_rounds(dest, keys)?;
        history.load_sets(dest, keys)?;
        survey::leave_out_incomplete(&mut history, dest, keys)?;
        Ok(history)
    }

    fn load_rounds(&mut self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        for directory in dest.list_dirs(&keys.log())? {
            let number = keys::round_number(&directory).unwrap_or(0);
            self.greatest_round = self.greatest_round.max(number);
        }
        let mut segments = Vec::new();
        for entry in dest.list(&keys.log())? {
            let file = entry.key.rsplit('/').next().unwrap_or_default();
            if keys::round_of(&entry.key).is_some_and(|it| self.gone_rounds.contains(&it)) {
                continue;
            }
            if let (Some(name), Some((round, piece))) =
                (SegmentName::parse(file), keys::round_and_piece(&entry.key))
            {
                let info = SegmentInfo {
                    name,
                    piece,
                    bytes: entry.size,
                    key: entry.key,
                };
                segments.push((round, info));
            } else if file == "round.json" {
                self.load_round(dest, keys, &entry.key)?;
            }
        }
        for (round, segment) in segments {
            if let Some(round) = self.rounds.get_mut(&round) {
                round.covered.push(segment);
            }
        }
        self.leave_out();
        Ok(())
    }

    fn load_round(
        &mut self,
        dest: &Dest,
        keys: &TenantKeys,
        key: &str,
    ) -> Result<(), StorageError> {
        let damaged = &mut self.damaged;
        let Some(start) = optional::<RoundStart>(dest.get_manifest(key), damaged)? else {
            return Ok(());
        };
        let number = start.base.round;
        let round = Round {
            end: optional(dest.get_manifest(&keys.round_end(number)), damaged)?,
            checkpoint: optional(dest.get_manifest(&keys.checkpoint(number)), damaged)?,
            ..Round::new(start)
        };
        self.rounds.insert(number, round);
        Ok(())
    }

    fn load_sets(&mut self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        for directory in dest.list_dirs(&keys.data())? {
            let number = keys::set_number(&directory).unwrap_or(0);
            self.greatest_set = self.greatest_set.max(number);
            if self.gone_sets.contains(&number) {
                continue;
            }
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

    /// Leaves a log file or set out from now on, because reading it found it damaged.
    pub(crate) fn mark_damaged(&mut self, name: &str, why: String) {
        self.known_damage.insert(name.to_owned(), why);
        self.leave_out();
    }

    /// Adds to what was just listed what `now` knows besides: damage, and what became durable since `before`,
    /// which was known when listing began.
    pub(crate) fn take_over(&mut self, before: &History, now: &History) {
        self.known_damage.extend(now.known_damage.clone());
        self.gone_sets.extend(&now.gone_sets);
        self.gone_rounds.extend(&now.gone_rounds);
        if now.removed != before.removed {
            self.removed = now.removed.clone();
        }
        self.greatest_round = self.greatest_round.max(now.greatest_round);
        self.greatest_set = self.greatest_set.max(now.greatest_set);
        for (number, set) in &now.sets {
            if !before.sets.contains_key(number) {
                self.sets.insert(*number, set.clone());
            }
        }
        for (number, newer) in &now.rounds {
            let known = before.rounds.get(number);
            let Some(round) = self.rounds.get_mut(number) else {
                if known.is_none() {
                    self.rounds.insert(*number, newer.clone());
                }
                continue;
            };
            round.end = round.end.take().or_else(|| newer.end.clone());
            round.take_over(known, newer);
        }
        self.leave_out();
    }

    /// Leaves out what is damaged or was removed by a cleanup.
    pub(crate) fn leave_out(&mut self) {
        let (damage, gone) = (&self.known_damage, &self.gone_rounds);
        self.rounds.retain(|number, _| !gone.contains(number));
        for (number, round) in &mut self.rounds {
            round.arrange(damage, self.removed.cuts_of(*number));
        }
        let gone = &self.gone_sets;
        self.sets
            .retain(|number, set| !gone.contains(number) && !damage.contains_key(&set.directory));
    }

    /// The round in which the log was archived last.
    pub(crate) fn last_round(&self) -> Option<&Round> {
        self.rounds.values().next_back()
    }

    /// Adds a segment that was just published.
    pub(crate) fn add_segment(&mut self, round: i64, segment: SegmentInfo) {
        // It may have been written anew because it was damaged.
        self.known_damage.remove(&segment.key);
        let cuts = self.removed.cuts_of(round).to_vec();
        let Some(round) = self.rounds.get_mut(&round) else {
            return;
        };
        let last = round.segments.values().next_back();
        if last.is_none_or(|last| last.name.last_txn < segment.name.first_txn) {
            round.segments.insert(segment.name.first_txn, segment);
        } else {
            // A listing may have found it between its writing and this note.
            round.segments.retain(|_, known| known.key != segment.key);
            round.covered.retain(|known| known.key != segment.key);
            round.covered.push(segment);
            round.arrange(&self.known_damage, &cuts);
        }
    }

    /// Keys of segments that others lie inside, each with the keys of those.
    pub(crate) fn covered(&self) -> BTreeMap<String, Vec<String>> {
        let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for round in self.rounds.values() {
            for part in &round.covered {
                // What is deleted is gone, so nothing may ever pass for a part of itself.
                let whole = round.covering(part).filter(|it| it.key != part.key);
                if let Some(whole) = whole {
                    let parts = covered.entry(whole.key.clone()).or_default();
                    parts.push(part.key.clone());
                }
            }
        }
        covered
    }

    /// Notes that a covered segment was deleted.
    pub(crate) fn forget_covered(&mut self, key: &str) {
        for round in self.rounds.values_mut() {
            round.covered.retain(|part| part.key != key);
        }
    }

    /// Number that the next round gets.
    pub(crate) fn next_round(&self) -> i64 {
        let last = self.rounds.keys().next_back().copied().unwrap_or(0);
        last.max(self.greatest_round) + 1
    }

    /// Greatest number that a set ever had.
    pub(crate) fn last_set_number(&self) -> i64 {
        let last = self.sets.keys().next_back().copied().unwrap_or(0);
        last.max(self.greatest_set)
    }

    /// Number for a set about to be made; one that is given up does not get its number back.
    pub(crate) fn next_set(&mut self) -> i64 {
        self.greatest_set = self.last_set_number() + 1;
        self.greatest_set
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
                let (cause, note) = self.gap_before(number, current.last_txn, segment);
                let run = Run {
                    span: span(segment.name.first_scn, cause, &note),
                    after_txn: segment.name.first_txn - 1,
                    last_txn: segment.name.first_txn - 1,
                };
                // Of a beginning that expired, nothing is left to tell.
                let is_empty = current.last_txn == current.after_txn;
                match cause == GapCause::Expired && is_empty {
                    true => *current = run,
                    false => runs.push(run),
                }
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
        let checkpoint = round.checkpoint.as_ref();
        let here = checkpoint.filter(|it| it.head.round == number && it.head.txn == last.last_txn);
        if let Some(checkpoint) = here {
            last.span.end = last.span.end.max(checkpoint.checkpoint);
        }
        runs
    }

    /// Why log of `round` is not there between `last_txn` and `segment`.
    fn gap_before(&self, round: i64, last_txn: u64, segment: &SegmentInfo) -> (GapCause, String) {
        let cuts = self.removed.cuts_of(round);
        let missing = removed::not_cut(cuts, last_txn + 1, segment.name.first_txn - 1);
        if missing == 0 {
            let note = "Older log had expired, and a cleanup removed it.".to_owned();
            return (GapCause::Expired, note);
        }
        let note = format!(
            "Log of {missing} commits is missing at the destination, in front of {}.",
            segment.key
        );
        (GapCause::LogMissing, note)
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
