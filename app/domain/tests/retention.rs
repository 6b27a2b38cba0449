//! The rule of retention against the definition, moment by moment, over many random histories.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{
    BackupSetId, Scn,
    recoverable::{GapCause, LogSpan, RecoverableRange},
    retention::{Backups, Decision, KeptBecause, Stored, StoredLog, StoredSet},
    second_backup::Place,
};

/// Histories looked at; each with a keep-from of its own.
const HISTORIES: u64 = 120_000;
/// Moments of a history.
const MOMENTS: u64 = 48;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.roll(of) == 0
    }
}

fn span(round: i64, start: u64, end: u64) -> LogSpan {
    LogSpan {
        round,
        start: Scn(start),
        end: Scn(end),
        cause: GapCause::Unknown,
        note: String::new(),
    }
}

fn file(round: i64, start: u64, end: u64) -> StoredLog {
    StoredLog {
        round,
        start: Scn(start),
        end: Scn(end),
        bytes: 1,
        in_use: None,
    }
}

fn set(id: i64, base: Option<i64>, round: i64, at: u64) -> StoredSet {
    StoredSet {
        id: BackupSetId(id),
        base: base.map(BackupSetId),
        round,
        at: Some(Scn(at)),
        bytes: 10,
        in_use: None,
    }
}

/// Rounds one after the other, spans with holes in them, files with idle time between them, sets of both kinds on
/// bases that may be elsewhere, damaged or gone, and things in use.
fn random(dice: &mut Dice) -> Backups {
    let mut all = Backups::default();
    let mut now = 1 + dice.roll(4);
    let rounds = 1 + dice.roll(3) as i64;
    for round in 1..=rounds {
        for _ in 0..=dice.roll(2) {
            now = random_span(dice, &mut all, round, now);
        }
        now += dice.roll(4);
    }
    all.current_round = Some(rounds);
    for id in 1..=dice.roll(7) as i64 {
        let round = 1 + dice.roll(rounds as u64) as i64;
        let spans: Vec<&LogSpan> = all.spans.iter().filter(|it| it.round == round).collect();
        let home = spans[dice.roll(spans.len() as u64) as usize];
        let mut at = home.start.0 + dice.roll(home.end.0 - home.start.0 + 1);
        if dice.one_in(12) {
            at = dice.roll(MOMENTS);
        }
        let base = (id > 1 && !dice.one_in(2)).then(|| 1 + dice.roll(id as u64 - 1) as i64);
        let mut made = set(id, base, round, at);
        made.in_use = dice.one_in(12).then(|| "a recovery".to_owned());
        if dice.one_in(14) {
            made.at = None;
        }
        if !dice.one_in(14) {
            all.sets.push(made);
        }
    }
    all
}

fn random_span(dice: &mut Dice, all: &mut Backups, round: i64, from: u64) -> u64 {
    let mut now = from;
    for _ in 0..dice.roll(4) {
        let start = now + dice.roll(3);
        let end = start + dice.roll(4);
        let mut made = file(round, start, end);
        made.in_use = dice.one_in(20).then(|| "a recovery".to_owned());
        all.log.push(made);
        now = end + 1;
    }
    let end = now + dice.roll(4);
    all.spans.push(span(round, from, end));
    now = end + 1;
    if dice.one_in(6) {
        // A damaged file, in the hole behind the span.
        all.log.push(file(round, now, now));
        now += 1;
    }
    now + dice.roll(3)
}

/// The definition: which sets can be used, and how far each one reaches over the files that are there.
struct Oracle<'a> {
    all: &'a Backups,
}

impl Oracle<'_> {
    fn find(&self, id: BackupSetId) -> Option<usize> {
        self.all.sets.iter().position(|set| set.id == id)
    }

    /// The set and those it builds on, newest first; `None` when it cannot be used.
    fn chain(&self, set: usize) -> Option<Vec<usize>> {
        let stored = &self.all.sets[set];
        stored.at?;
        let mut chain = vec![set];
        if let Some(base) = stored.base {
            chain.extend(self.chain(self.find(base)?)?);
        }
        Some(chain)
    }

    fn span_of(&self, round: i64, at: Scn) -> Option<&LogSpan> {
        self.all
            .spans
            .iter()
            .find(|span| span.round == round && span.start <= at && at <= span.end)
    }

    fn files(&self, span: &LogSpan) -> Vec<usize> {
        let log = self.all.log.iter().enumerate();
        log.filter(|(_, it)| it.round == span.round && span.start <= it.start && it.end <= span.end)
            .map(|(number, _)| number)
            .collect()
    }

    /// The last moment that `set` reaches with the files that stay; `None` when it cannot be used.
    fn reach(&self, set: usize, decision: &Decision) -> Option<u64> {
        let chain = self.chain(set)?;
        if chain.iter().any(|set| decision.sets[*set].is_none()) {
            return None;
        }
        let stored = &self.all.sets[set];
        let at = stored.at?;
        let Some(span) = self.span_of(stored.round, at) else {
            return Some(at.0);
        };
        if decision.rounds.contains(&span.round) {
            return Some(at.0);
        }
        let files = self.files(span);
        let stays = |file: &usize| decision.log[*file].is_some();
        let mut reached = at.0;
        // Log is told from the beginning of a file on, unless none of the span is gone before it.
        let before: Vec<usize> = files
            .iter()
            .copied()
            .filter(|file| self.all.log[*file].start <= at)
            .collect();
        if before.last().is_some_and(|last| !stays(last)) {
            return Some(reached);
        }
        if before.is_empty() && files.first().is_some_and(|first| !stays(first)) {
            return Some(reached);
        }
        for file in &files {
            let end = self.all.log[*file].end;
            if end < at {
                continue;
            }
            if !stays(file) {
                return Some(reached);
            }
            reached = end.0;
        }
        Some(span.end.0)
    }

    fn recoverable(&self, decision: &Decision) -> Vec<bool> {
        let mut moments = vec![false; 2 * MOMENTS as usize + 40];
        for number in 0..self.all.sets.len() {
            let (Some(end), Some(at)) = (self.reach(number, decision), self.all.sets[number].at)
            else {
                continue;
            };
            moments[at.0 as usize..=end as usize].fill(true);
        }
        moments
    }

    fn is_usable_full(&self, set: usize) -> bool {
        self.all.sets[set].base.is_none() && self.all.sets[set].at.is_some()
    }

    /// Sets that the rule needs, in its own words and without regard to what is in use.
    fn needed_sets(&self, keep_from: Scn) -> Vec<bool> {
        let sets = &self.all.sets;
        let mut needed: Vec<bool> = sets.iter().map(|set| set.at >= Some(keep_from)).collect();
        for here in &self.all.spans {
            let lies_here = |set: &usize| {
                self.chain(*set).is_some()
                    && sets[*set].at.is_some_and(|at| {
                        self.span_of(sets[*set].round, at)
                            .is_some_and(|span| std::ptr::eq(span, here))
                    })
            };
            let lying: Vec<usize> = (0..sets.len()).filter(lies_here).collect();
            let before = lying.iter().filter(|set| sets[**set].at <= Some(keep_from));
            let before: Vec<usize> = before.copied().collect();
            let full = before.iter().any(|set| self.is_usable_full(*set));
            let eligible = before
                .iter()
                .filter(|set| !full || self.is_usable_full(**set));
            let Some(base) = eligible.max_by_key(|set| (sets[**set].at, sets[**set].id)) else {
                continue;
            };
            if here.end < keep_from {
                continue;
            }
            for set in lying {
                needed[set] |= (sets[set].at, sets[set].id) >= (sets[*base].at, sets[*base].id);
            }
        }
        self.close(&mut needed);
        let fulls = (0..sets.len()).filter(|set| self.is_usable_full(*set));
        let fulls: Vec<usize> = fulls.collect();
        if !fulls.iter().any(|set| needed[*set])
            && let Some(last) = fulls
                .iter()
                .max_by_key(|set| (sets[**set].at, sets[**set].id))
        {
            for (set, needs) in needed.iter_mut().enumerate() {
                *needs |= self
                    .chain(set)
                    .is_some_and(|chain| chain.ends_with(&[*last]));
            }
        }
        needed
    }

    fn close(&self, needed: &mut [bool]) {
        for set in (0..needed.len()).rev() {
            if let (true, Some(base)) = (needed[set], self.all.sets[set].base)
                && let Some(base) = self.find(base)
            {
                needed[base] = true;
            }
        }
    }

    /// Whether a file continues a needed set of its span.
    fn continues(&self, file: usize, needed: &[bool]) -> bool {
        let log = &self.all.log;
        (0..needed.len()).any(|set| {
            let stored = &self.all.sets[set];
            let (true, Some(_), Some(at)) = (needed[set], self.chain(set), stored.at) else {
                return false;
            };
            let Some(span) = self.span_of(stored.round, at) else {
                return false;
            };
            let files = self.files(span);
            let through = files.iter().rposition(|it| log[*it].start <= at);
            let from = through.unwrap_or(0);
            files[from.min(files.len())..].contains(&file)
        })
    }
}

fn check(all: &Backups, keep_from: Scn, seed: u64) {
    let oracle = Oracle { all };
    let decision = all.decide(keep_from);
    let told = || format!("seed {seed}, keep from {keep_from:?}: {all:#?} {decision:#?}");
    let everything = Decision {
        sets: vec![Some(KeptBecause::Window); all.sets.len()],
        log: vec![Some(KeptBecause::Window); all.log.len()],
        rounds: Vec::new(),
    };
    let before = oracle.recoverable(&everything);
    let after = oracle.recoverable(&decision);
    let plan = all.plan(&decision, keep_from, Place::First);
    for moment in 0..before.len() {
        let (was, is) = (before[moment], after[moment]);
        let promised = moment as u64 >= keep_from.0;
        assert!(
            !(promised && was && !is),
            "moment {moment} is lost: {}",
            told()
        );
        let inside = |range: &RecoverableRange| {
            range.start.0 <= moment as u64 && moment as u64 <= range.end.0
        };
        let is_lost = plan.lost.iter().any(inside);
        assert_eq!(
            is_lost,
            was && !is,
            "moment {moment}: {:?} {}",
            plan.lost,
            told()
        );
    }
    let needed = oracle.needed_sets(keep_from);
    let had_full = (0..needed.len()).any(|set| oracle.is_usable_full(set));
    let has_full = (0..needed.len()).any(|set| oracle.is_usable_full(set) && needed[set]);
    assert_eq!(had_full, has_full, "{}", told());
    check_sets(&oracle, &decision, &needed, &told);
    for (number, file) in all.log.iter().enumerate() {
        let stays = decision.log[number].is_some();
        let is_outside = oracle.span_of(file.round, file.start).is_none();
        let newest = all
            .log
            .iter()
            .filter(|it| Some(it.round) == all.current_round);
        let is_last = newest.max_by_key(|it| (it.end, it.start)) == Some(file);
        let wanted = file.end >= keep_from
            || file.in_use.is_some()
            || is_last
            || oracle.continues(number, &needed);
        let behind_log = is_outside
            && (0..number).any(|it| all.log[it].round == file.round && decision.log[it].is_some());
        assert_eq!(stays, wanted || behind_log, "file {number}: {}", told());
    }
    check_telling(all, &decision, keep_from, &told);
}

fn check_sets(
    oracle: &Oracle<'_>,
    decision: &Decision,
    needed: &[bool],
    told: &dyn Fn() -> String,
) {
    let sets = &oracle.all.sets;
    let mut wanted: Vec<bool> = needed.to_vec();
    let oldest = sets
        .iter()
        .zip(needed)
        .filter(|(_, it)| **it)
        .map(|(set, _)| set.id)
        .min();
    for (set, wanted) in sets.iter().zip(&mut wanted) {
        let older = oldest.is_some_and(|oldest| set.id < oldest);
        *wanted |= set.in_use.is_some() || (set.at.is_none() && !older);
    }
    oracle.close(&mut wanted);
    for (number, wanted) in wanted.iter().enumerate() {
        let stays = decision.sets[number].is_some();
        assert_eq!(stays, *wanted, "set {}: {}", sets[number].id, told());
    }
}

/// Everything is told exactly once, and rounds that go are empty.
fn check_telling(all: &Backups, decision: &Decision, keep_from: Scn, told: &dyn Fn() -> String) {
    let plan = all.plan(decision, keep_from, Place::First);
    let kept: u64 = plan.kept.iter().map(|it| it.bytes).sum();
    let sets: u64 = all.sets.iter().map(|it| it.bytes).sum();
    let log: u64 = all.log.iter().map(|it| it.bytes).sum();
    assert_eq!(kept + plan.expired_bytes(), sets + log, "{}", told());
    for round in &decision.rounds {
        let of_round = |stored: i64, fate: &Option<KeptBecause>| stored == *round && fate.is_some();
        assert!(
            !all.sets
                .iter()
                .zip(&decision.sets)
                .any(|(it, fate)| of_round(it.round, fate))
                && !all
                    .log
                    .iter()
                    .zip(&decision.log)
                    .any(|(it, fate)| of_round(it.round, fate)),
            "{}",
            told()
        );
        assert_ne!(Some(*round), all.current_round);
    }
}

#[test]
fn no_promised_moment_is_lost_and_nothing_stays_without_a_reason() {
    let (mut lost, mut kept_all, mut gone) = (0, 0, 0_usize);
    for seed in 1..=HISTORIES {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let all = random(&mut dice);
        let keep_from = Scn(dice.roll(MOMENTS + 10));
        check(&all, keep_from, seed);
        let plan = all.plan(&all.decide(keep_from), keep_from, Place::First);
        lost += usize::from(!plan.lost.is_empty());
        kept_all += usize::from(plan.expired.is_empty());
        gone += plan.expired.len();
    }
    // The histories are of every kind, or all of this would prove little.
    let some = HISTORIES as usize / 20;
    assert!(
        lost > some && kept_all > some && gone > some,
        "{lost} {kept_all} {gone}"
    );
}

const DAY: u64 = 24;

fn stored(plan: &[Stored]) -> Vec<i64> {
    let number = |what: &Stored| match what {
        Stored::Set(set) => Some(set.0),
        Stored::Log { .. } => None,
    };
    plan.iter().filter_map(number).collect()
}

#[test]
fn the_newest_full_before_the_window_and_all_after_it_stay() {
    // Fulls on days 1, 7 and 14, incremental ones on 4 and 11; seven days are kept on day 15.
    let day = |day: u64| day * DAY;
    let all = Backups {
        sets: vec![
            set(1, None, 1, day(1)),
            set(2, Some(1), 1, day(4)),
            set(3, None, 1, day(7)),
            set(4, Some(3), 1, day(11)),
            set(5, None, 1, day(14)),
        ],
        spans: vec![span(1, 0, day(15))],
        log: (0..15).map(|n| file(1, day(n), day(n + 1) - 1)).collect(),
        current_round: Some(1),
    };
    let keep_from = Scn(day(8));
    let plan = all.plan(&all.decide(keep_from), keep_from, Place::First);
    let gone: Vec<Stored> = plan.expired.iter().map(|it| it.what.clone()).collect();
    assert_eq!(stored(&gone), [1, 2]);
    let log = Stored::Log {
        round: 1,
        start: Scn(0),
        end: Scn(day(7) - 1),
    };
    assert_eq!(gone[2..], [log]);
    let reasons: Vec<&KeptBecause> = plan.kept.iter().map(|it| &it.because).collect();
    let base = BackupSetId(3);
    assert_eq!(
        reasons,
        [
            &KeptBecause::BaseOfWindow,
            &KeptBecause::Window,
            &KeptBecause::Window,
            &KeptBecause::Continues(base),
            &KeptBecause::Window
        ]
    );
    let lost = RecoverableRange {
        start: Scn(day(1)),
        end: Scn(day(7) - 1),
    };
    assert_eq!(plan.lost, [lost]);
    assert_eq!(plan.expired_bytes(), 20 + 7);
}

#[test]
fn a_newer_full_before_a_gap_is_no_base_for_what_is_behind_it() {
    let all = Backups {
        sets: vec![
            set(1, None, 1, 10),
            set(2, None, 1, 40),
            set(3, None, 2, 60),
            set(4, None, 2, 90),
        ],
        spans: vec![span(1, 5, 50), span(2, 55, 120)],
        log: vec![file(1, 10, 50), file(2, 60, 89), file(2, 90, 120)],
        current_round: Some(2),
    };
    let ids = |keep_from: u64| {
        let plan = all.plan(&all.decide(Scn(keep_from)), Scn(keep_from), Place::First);
        let gone: Vec<Stored> = plan.expired.into_iter().map(|it| it.what).collect();
        stored(&gone)
    };
    assert_eq!(ids(45), [1], "the first span reaches the window");
    assert_eq!(ids(58), [1, 2], "nothing since then needs the first round");
    assert_eq!(ids(95), [1, 2, 3]);
    assert_eq!(all.decide(Scn(58)).rounds, [1]);
}

#[test]
fn of_a_tenant_that_rests_only_the_newest_set_stays() {
    // Nothing was committed for long, so all of its sets hold one moment.
    let all = Backups {
        sets: (1..=4).map(|id| set(id, None, 1, 10)).collect(),
        spans: vec![span(1, 5, 1000)],
        log: vec![file(1, 6, 10)],
        current_round: Some(1),
    };
    let decision = all.decide(Scn(900));
    let stay: Vec<bool> = decision.sets.iter().map(Option::is_some).collect();
    assert_eq!(stay, [false, false, false, true]);
    assert_eq!(
        decision.log[0],
        Some(KeptBecause::Continues(BackupSetId(4)))
    );
}

#[test]
fn one_usable_full_stays_however_old_and_what_is_used_at_the_moment_does_not_count() {
    let mut all = Backups {
        sets: vec![
            set(1, None, 1, 10),
            set(2, None, 1, 20),
            set(3, Some(2), 1, 30),
        ],
        spans: vec![span(1, 5, 40)],
        log: vec![file(1, 6, 19), file(1, 20, 40)],
        current_round: None,
    };
    all.sets[0].in_use = Some("recovery to a new tenant".to_owned());
    let decision = all.decide(Scn(500));
    assert_eq!(
        decision.sets,
        [
            Some(KeptBecause::InUse("recovery to a new tenant".to_owned())),
            Some(KeptBecause::LastUsable),
            Some(KeptBecause::LastUsable)
        ]
    );
    assert_eq!(
        decision.log,
        [None, Some(KeptBecause::Continues(BackupSetId(3)))]
    );
}
