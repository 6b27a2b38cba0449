//! The decision itself: from what is at a destination to what goes, what stays and why.
//!
//! It is made for each unbroken span of log by itself, because a set only reaches as far as its own span:
//! a full set before a gap is no base for the moments behind it, however new it is.

use super::{CleanupPlan, Expired, Kept, KeptBecause, Stored};
use crate::{
    BackupSetId, Scn,
    recoverable::{self, LogSpan, RecoverableRange, SetPoint},
    second_backup::Place,
};
use std::collections::{BTreeMap, BTreeSet};

/// A backup set at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSet {
    /// Number.
    pub id: BackupSetId,
    /// The set it builds on; absent for a full one.
    pub base: Option<BackupSetId>,
    /// The log round it was taken in.
    pub round: i64,
    /// The earliest moment it can be recovered to; absent when the set does not read.
    pub at: Option<Scn>,
    /// Bytes of it.
    pub bytes: u64,
    /// What reads or needs it right now, in words.
    pub in_use: Option<String>,
}

/// A log file at a destination; log is removed in whole files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLog {
    /// The round.
    pub round: i64,
    /// When its first commit was made.
    pub start: Scn,
    /// Everything committed at or before it is in this file or an earlier one.
    pub end: Scn,
    /// Bytes of it.
    pub bytes: u64,
    /// What reads or needs it right now, in words.
    pub in_use: Option<String>,
}

/// All that is at a destination of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backups {
    /// Sets.
    pub sets: Vec<StoredSet>,
    /// Unbroken spans of log; those of one round do not overlap.
    pub spans: Vec<LogSpan>,
    /// Log files by round and start. One that lies in no span is damaged.
    pub log: Vec<StoredLog>,
    /// The round that log backup is in or was in last; its last file always stays.
    pub current_round: Option<i64>,
}

/// What goes and what stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// For each of [`Backups::sets`] why it stays; `None` when it goes.
    pub sets: Vec<Option<KeptBecause>>,
    /// For each of [`Backups::log`] why it stays; `None` when it goes.
    pub log: Vec<Option<KeptBecause>>,
    /// Rounds of which nothing is left, ascending.
    pub rounds: Vec<i64>,
}

type Fates = Vec<Option<KeptBecause>>;

impl Backups {
    /// Decides what goes when every moment since `keep_from` that can be recovered to now has to stay so.
    pub fn decide(&self, keep_from: Scn) -> Decision {
        let view = View::of(self);
        let mut sets: Fates = vec![None; self.sets.len()];
        view.keep_window(&mut sets, keep_from);
        view.keep_bases(&mut sets);
        view.keep_last_usable(&mut sets);
        // What is only used at this moment neither counts as the last usable set nor needs log behind it.
        let lasting = sets.clone();
        view.keep_unreadable(&mut sets);
        view.keep_used(&mut sets);
        view.keep_bases(&mut sets);
        let log = view.keep_log(&lasting, keep_from);
        let rounds = self.emptied(&sets, &log);
        Decision { sets, log, rounds }
    }

    /// Tells a decision: what would go, what stays and why, and which moments could not be recovered to any more.
    pub fn plan(&self, decision: &Decision, keep_from: Scn, place: Place) -> CleanupPlan {
        let (mut expired, mut kept) = (Vec::new(), Vec::new());
        let mut tell = |what: Stored, bytes: u64, fate: &Option<KeptBecause>| match fate {
            None => expired.push(Expired { what, bytes }),
            Some(because) => kept.push(Kept {
                what,
                bytes,
                because: because.clone(),
            }),
        };
        let mut by_number: Vec<usize> = (0..self.sets.len()).collect();
        by_number.sort_by_key(|set| self.sets[*set].id);
        for set in by_number {
            let stored = &self.sets[set];
            tell(Stored::Set(stored.id), stored.bytes, &decision.sets[set]);
        }
        for (what, bytes, fate) in self.stretches(decision) {
            tell(what, bytes, fate);
        }
        CleanupPlan {
            place,
            keep_from,
            expired,
            kept,
            lost: self.lost(decision),
        }
    }

    /// Rounds without a file or a set that stays; never the current one.
    fn emptied(&self, sets: &Fates, log: &Fates) -> Vec<i64> {
        let of_spans = self.spans.iter().map(|span| span.round);
        let mut rounds: BTreeSet<i64> =
            of_spans.chain(self.log.iter().map(|it| it.round)).collect();
        let staying = self
            .sets
            .iter()
            .zip(sets)
            .filter(|(_, fate)| fate.is_some());
        let staying_log = self.log.iter().zip(log).filter(|(_, fate)| fate.is_some());
        for round in staying
            .map(|(set, _)| set.round)
            .chain(staying_log.map(|(file, _)| file.round))
            .chain(self.current_round)
        {
            rounds.remove(&round);
        }
        rounds.into_iter().collect()
    }

    /// Log files that follow one another and have one fate, as one.
    fn stretches<'a>(&self, decision: &'a Decision) -> Vec<(Stored, u64, &'a Option<KeptBecause>)> {
        let mut found: Vec<(Stored, u64, &Option<KeptBecause>)> = Vec::new();
        for (file, fate) in self.log.iter().zip(&decision.log) {
            if let Some((Stored::Log { round, end, .. }, bytes, last)) = found.last_mut()
                && *round == file.round
                && *last == fate
            {
                *end = file.end.max(*end);
                *bytes += file.bytes;
                continue;
            }
            let what = Stored::Log {
                round: file.round,
                start: file.start,
                end: file.end,
            };
            found.push((what, file.bytes, fate));
        }
        found
    }

    fn lost(&self, decision: &Decision) -> Vec<RecoverableRange> {
        let view = View::of(self);
        let all = |_: &usize| true;
        let before = recoverable::ranges(&view.points(all), &self.spans);
        let stays = |set: &usize| decision.sets[*set].is_some();
        let after = recoverable::ranges(&view.points(stays), &view.spans_left(decision));
        subtract(&before, &after)
    }
}

/// What follows from the facts: which sets can be used, and what lies in which span.
struct View<'a> {
    all: &'a Backups,
    by_id: BTreeMap<BackupSetId, usize>,
    /// For each set that can be used its moment.
    usable: Vec<Option<Scn>>,
    /// The span that each set lies in.
    span_of: Vec<Option<usize>>,
    /// The files of each span, ascending.
    files_of: Vec<Vec<usize>>,
    /// Files in no span.
    outside: Vec<usize>,
}

impl<'a> View<'a> {
    fn of(all: &'a Backups) -> Self {
        let by_id = all.sets.iter().enumerate().map(|(at, set)| (set.id, at));
        let mut view = View {
            all,
            by_id: by_id.collect(),
            usable: vec![None; all.sets.len()],
            span_of: vec![None; all.sets.len()],
            files_of: vec![Vec::new(); all.spans.len()],
            outside: Vec::new(),
        };
        for (number, set) in all.sets.iter().enumerate() {
            if let Some(at) = set.at.filter(|_| view.is_complete(number)) {
                view.usable[number] = Some(at);
                view.span_of[number] = view.span_at(set.round, at, at);
            }
        }
        for (number, file) in all.log.iter().enumerate() {
            match view.span_at(file.round, file.start, file.end) {
                Some(span) => view.files_of[span].push(number),
                None => view.outside.push(number),
            }
        }
        for files in &mut view.files_of {
            files.sort_by_key(|file| (all.log[*file].start, all.log[*file].end));
        }
        view
    }

    fn span_at(&self, round: i64, start: Scn, end: Scn) -> Option<usize> {
        let holds = |span: &LogSpan| span.round == round && span.start <= start && end <= span.end;
        self.all.spans.iter().position(holds)
    }

    fn base_of(&self, set: usize) -> Option<usize> {
        let base = self.all.sets[set].base?;
        self.by_id.get(&base).copied()
    }

    /// Whether every set of its chain reads. A base is always older, so this ends.
    fn is_complete(&self, set: usize) -> bool {
        let mut here = set;
        loop {
            let stored = &self.all.sets[here];
            match (stored.at, stored.base) {
                (None, _) => return false,
                (Some(_), None) => return true,
                (Some(_), Some(base)) => match self.by_id.get(&base) {
                    Some(next) if base < stored.id => here = *next,
                    _ => return false,
                },
            }
        }
    }

    /// The full set that a complete chain begins with.
    fn root(&self, set: usize) -> usize {
        let mut here = set;
        while let Some(base) = self.base_of(here) {
            here = base;
        }
        here
    }

    /// By moment, then by number: of an idle tenant's sets, which all have one moment, the newest counts.
    fn age(&self, set: usize) -> (Option<Scn>, BackupSetId) {
        (self.all.sets[set].at, self.all.sets[set].id)
    }

    fn is_usable_full(&self, set: usize) -> bool {
        self.usable[set].is_some() && self.all.sets[set].base.is_none()
    }

    /// The set that the start of the window is recovered from in `span`: the newest full one at or before it, or
    /// where the full one of its chain lies in another span, the newest of any kind.
    fn base_in(&self, span: usize, keep_from: Scn) -> Option<usize> {
        let inside = |set: &usize| {
            self.span_of[*set] == Some(span) && self.usable[*set].is_some_and(|at| at <= keep_from)
        };
        let newest = |found: Vec<usize>| found.into_iter().max_by_key(|set| self.age(*set));
        let all: Vec<usize> = (0..self.usable.len()).filter(inside).collect();
        let full = all.iter().copied().filter(|set| self.is_usable_full(*set));
        newest(full.collect()).or_else(|| newest(all))
    }

    fn keep_window(&self, fates: &mut Fates, keep_from: Scn) {
        for (span, log) in self.all.spans.iter().enumerate() {
            if log.end < keep_from {
                continue;
            }
            let Some(base) = self.base_in(span, keep_from) else {
                continue;
            };
            for (set, fate) in fates.iter_mut().enumerate() {
                if self.span_of[set] == Some(span) && self.age(set) > self.age(base) {
                    *fate = Some(KeptBecause::Window);
                }
            }
            fates[base] = Some(KeptBecause::BaseOfWindow);
        }
        for (set, stored) in self.all.sets.iter().enumerate() {
            if stored.at.is_some_and(|at| at >= keep_from) && fates[set].is_none() {
                fates[set] = Some(KeptBecause::Window);
            }
        }
    }

    fn keep_bases(&self, fates: &mut Fates) {
        for set in 0..fates.len() {
            let mut here = set;
            while fates[here].is_some()
                && let Some(base) = self.base_of(here)
                && self.all.sets[base].id < self.all.sets[here].id
                && fates[base].is_none()
            {
                fates[base] = Some(KeptBecause::BaseOf(self.all.sets[here].id));
                here = base;
            }
        }
    }

    fn keep_last_usable(&self, fates: &mut Fates) {
        let full = |set: &usize| self.is_usable_full(*set);
        let mut fulls = (0..fates.len()).filter(full);
        if fulls.any(|set| fates[set].is_some()) {
            return;
        }
        let fulls = (0..fates.len()).filter(full);
        let Some(last) = fulls.max_by_key(|set| self.age(*set)) else {
            return;
        };
        for (set, fate) in fates.iter_mut().enumerate() {
            if self.usable[set].is_some() && self.root(set) == last {
                *fate = Some(KeptBecause::LastUsable);
            }
        }
    }

    /// When a set that does not read was made is told by its number alone.
    fn keep_unreadable(&self, fates: &mut Fates) {
        let staying = self.all.sets.iter().zip(&*fates);
        let staying = staying.filter(|(_, fate)| fate.is_some());
        let oldest = staying.map(|(set, _)| set.id).min();
        for (set, fate) in self.all.sets.iter().zip(fates) {
            if set.at.is_none() && oldest.is_none_or(|oldest| oldest < set.id) {
                fate.get_or_insert(KeptBecause::Damaged);
            }
        }
    }

    fn keep_used(&self, fates: &mut Fates) {
        for (set, fate) in self.all.sets.iter().zip(fates) {
            if let (None, Some(by)) = (&fate, &set.in_use) {
                *fate = Some(KeptBecause::InUse(by.clone()));
            }
        }
    }

    fn keep_log(&self, lasting: &Fates, keep_from: Scn) -> Fates {
        let log = &self.all.log;
        let mut fates: Fates = vec![None; log.len()];
        for (span, files) in self.files_of.iter().enumerate() {
            self.keep_continuing(span, files, lasting, &mut fates);
        }
        for (file, fate) in log.iter().zip(&mut fates) {
            if file.end >= keep_from {
                *fate = Some(KeptBecause::Window);
            }
        }
        let current = |file: &&usize| Some(log[**file].round) == self.all.current_round;
        let numbers: Vec<usize> = (0..log.len()).collect();
        let newest = |file: &&usize| (log[**file].end, log[**file].start);
        if let Some(last) = numbers.iter().filter(current).max_by_key(newest) {
            fates[*last].get_or_insert(KeptBecause::Unfinished);
        }
        for (file, fate) in log.iter().zip(&mut fates) {
            if let (None, Some(by)) = (&fate, &file.in_use) {
                *fate = Some(KeptBecause::InUse(by.clone()));
            }
        }
        self.keep_outside(&mut fates);
        fates
    }

    /// Keeps what continues a set that stays: from the file that passes through the set's own moment on.
    fn keep_continuing(&self, span: usize, files: &[usize], lasting: &Fates, fates: &mut Fates) {
        let inside = |set: &usize| self.span_of[*set] == Some(span) && lasting[*set].is_some();
        let mut sets: Vec<usize> = (0..lasting.len()).filter(inside).collect();
        sets.sort_by_key(|set| self.age(*set));
        let Some(first) = sets.first().and_then(|set| self.usable[*set]) else {
            return;
        };
        let starts_by = |at: Scn| files.partition_point(|file| self.all.log[*file].start <= at);
        for file in &files[starts_by(first).saturating_sub(1)..] {
            let end = self.all.log[*file].end;
            let before = sets.partition_point(|set| self.usable[*set] <= Some(end));
            let continued = sets[before.saturating_sub(1)];
            fates[*file] = Some(KeptBecause::Continues(self.all.sets[continued].id));
        }
    }

    /// A damaged file stays while log in front of it does, so that the gap it makes is told as what it is.
    fn keep_outside(&self, fates: &mut Fates) {
        for file in &self.outside {
            let here = &self.all.log[*file];
            let staying = self.all.log.iter().zip(&*fates).any(|(other, fate)| {
                other.round == here.round && other.start < here.start && fate.is_some()
            });
            if staying {
                fates[*file].get_or_insert(KeptBecause::Damaged);
            }
        }
    }

    fn points(&self, stays: impl Fn(&usize) -> bool) -> Vec<SetPoint> {
        let usable = |set: usize| Some((set, self.usable[set]?));
        let usable = (0..self.usable.len()).filter(stays).filter_map(usable);
        let point = |(set, at): (usize, Scn)| SetPoint {
            id: self.all.sets[set].id,
            round: self.all.sets[set].round,
            min_restore_scn: at,
        };
        usable.map(point).collect()
    }

    /// The spans that a decision leaves.
    fn spans_left(&self, decision: &Decision) -> Vec<LogSpan> {
        let mut left = Vec::new();
        for (span, files) in self.all.spans.iter().zip(&self.files_of) {
            if decision.rounds.contains(&span.round) {
                continue;
            }
            if files.is_empty() {
                left.push(span.clone());
            }
            let stays = |file: &usize| decision.log[*file].is_some();
            let last = files.len();
            for stretch in files.chunk_by(|a, b| stays(a) == stays(b)) {
                let (Some(first), Some(end)) = (stretch.first(), stretch.last()) else {
                    continue;
                };
                if !stays(first) {
                    continue;
                }
                let mut part = span.clone();
                if *first != files[0] {
                    part.start = self.all.log[*first].start;
                }
                if *end != files[last - 1] {
                    part.end = self.all.log[*end].end;
                }
                left.push(part);
            }
        }
        left
    }
}

/// The moments of `from` that are in none of `without`; both ascending and apart.
fn subtract(from: &[RecoverableRange], without: &[RecoverableRange]) -> Vec<RecoverableRange> {
    let mut left = Vec::new();
    for range in from {
        let mut start = Some(range.start);
        for hole in without {
            let Some(begin) = start else { break };
            if hole.end < begin || hole.start > range.end {
                continue;
            }
            if begin < hole.start {
                left.push(RecoverableRange {
                    start: begin,
                    end: Scn(hole.start.0 - 1),
                });
            }
            start = (hole.end < range.end).then(|| Scn(hole.end.0 + 1));
        }
        if let Some(start) = start {
            left.push(RecoverableRange {
                start,
                end: range.end,
            });
        }
    }
    left
}
