//! Copying the log that is not there yet: rounds oldest first, log files in order, the checkpoint last.
//!
//! At every moment what is there is a true beginning of what the first destination has: a checkpoint is
//! written only when all the log before it is there. The first destination goes on changing meanwhile: small
//! log files become one, which then holds what several there hold; the parts are deleted when it proves so.

use crate::{
    absent::Archived,
    consolidation,
    copy_object::{CopyError, Copying, Proof},
    history::{Checkpoint, History, Round, RoundEnd, SegmentInfo},
    holds::Claim,
    publisher::list_piece,
    removed::{Cut, is_cut},
    segment::{Segment, SegmentError},
    survey,
};
use domain::{Scn, size};
use std::collections::BTreeSet;

/// How often what is left is looked for anew, because the first destination changed meanwhile.
const PASSES_MAX: u32 = 20;
/// Log files copied between two notes that they proved right.
const NOTE_EVERY: u64 = 200;

/// What copying log came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LogCopied {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Everything at or before it is there.
    pub(crate) checkpoint: Option<Scn>,
}

impl LogCopied {
    /// In words for people.
    pub(crate) fn outcome(&self) -> String {
        let reaches = match self.checkpoint {
            Some(checkpoint) => format!("the second copy reaches {checkpoint}"),
            None => "there is no log yet".to_owned(),
        };
        match self.files {
            0 => format!("no new log files; {reaches}"),
            1 => format!(
                "one log file copied, {}; {reaches}",
                size::bytes(self.bytes)
            ),
            files => format!(
                "{files} log files copied, {}; {reaches}",
                size::bytes(self.bytes)
            ),
        }
    }
}

/// What the first destination had of a round when it was looked at, and the second not.
struct RoundPlan {
    number: i64,
    is_new: bool,
    segments: Vec<SegmentInfo>,
    end: Option<RoundEnd>,
    checkpoint: Option<Checkpoint>,
}

/// Copies every log file that is not there, and how far each round is durable.
pub(crate) fn copy_log(work: &Copying<'_>) -> Result<LogCopied, CopyError> {
    work.job.phase("Comparing", 0);
    prove_unproven(work)?;
    let mut copied = LogCopied::default();
    let mut damage = Vec::new();
    let mut passes = 0;
    loop {
        let (_read, (_kept, plan)) = work.source.holds().take(|| {
            let plan = plan(&work.source.history(), &work.copy.history());
            let claim = claim(&plan);
            let both = || Ok::<_, CopyError>((claim.clone(), ()));
            let (kept, ()) = work.copy.holds().take(both)?;
            Ok::<_, CopyError>((claim, (kept, plan)))
        })?;
        tell_cuts(work, &plan)?;
        let segments = plan.iter().flat_map(|round| &round.segments);
        work.job
            .phase("Copying logs", segments.map(|segment| segment.bytes).sum());
        let mut is_changed = false;
        for round in plan {
            is_changed |= copy_round(work, round, &mut copied, &mut damage)?;
        }
        passes += 1;
        if !is_changed || passes == PASSES_MAX {
            break;
        }
    }
    tidy(work)?;
    note_proven(work)?;
    copied.checkpoint = work.copy.history().checkpoint_scn();
    match damage.len() {
        0 => Ok(copied),
        1 => Err(CopyError::Refused(damage.remove(0))),
        count => Err(CopyError::Refused(format!(
            "{count} log files of the first copy are damaged; the first: {}",
            damage[0]
        ))),
    }
}

/// All log from the first file on that is to be copied: no cleanup removes it meanwhile.
fn claim(plan: &[RoundPlan]) -> Claim {
    let claim = Claim::by("a copy of the log reads it");
    let first = plan.iter().find_map(|round| {
        let first = round.segments.first()?;
        Some((round.number, first.name.first_txn))
    });
    match first {
        Some((round, txn)) => claim.log_since(round, txn),
        None => claim,
    }
}

/// What a cleanup of the second copy removed is not copied again.
fn plan(from: &History, to: &History) -> Vec<RoundPlan> {
    let is_removed = |number: &i64| {
        let was_there = *number <= to.removed.greatest_round;
        to.gone_rounds.contains(number) || (was_there && !to.rounds.contains_key(number))
    };
    let rounds = from.rounds.iter().filter(|(number, _)| !is_removed(number));
    let rounds = rounds.map(|(number, round)| {
        let there = to.rounds.get(number);
        let is_there = |segment: &&SegmentInfo| {
            let (first, last) = (segment.name.first_txn, segment.name.last_txn);
            is_cut(to.removed.cuts_of(*number), first, last)
                || there.is_some_and(|there| there.covering(segment).is_some())
        };
        RoundPlan {
            number: *number,
            is_new: there.is_none(),
            segments: round
                .segments
                .values()
                .filter(|segment| !is_there(segment))
                .cloned()
                .collect(),
            end: round
                .end
                .clone()
                .filter(|_| there.is_none_or(|there| there.end.is_none())),
            checkpoint: round.checkpoint.clone(),
        }
    });
    rounds.collect()
}

/// Copies what is planned of a round. Whether the first destination changed meanwhile, so that it has to be
/// looked at anew.
fn copy_round(
    work: &Copying<'_>,
    plan: RoundPlan,
    copied: &mut LogCopied,
    damage: &mut Vec<String>,
) -> Result<bool, CopyError> {
    let number = plan.number;
    if plan.is_new {
        begin_round(work, number)?;
    } else {
        check_same(work, number)?;
    }
    let mut is_changed = false;
    for segment in &plan.segments {
        work.check()?;
        match copy_segment(work, number, segment) {
            Ok(bytes) => {
                copied.files += 1;
                copied.bytes += bytes;
                if copied.files.is_multiple_of(NOTE_EVERY) {
                    note_proven(work)?;
                }
            }
            Err(CopyError::Gone { .. }) => {
                is_changed = true;
                look_anew(work, &segment.key)?;
            }
            Err(error @ CopyError::Damaged { .. }) => {
                is_changed = true;
                damage.push(error.to_string());
                let mut history = work.source.history();
                history.mark_damaged(&segment.key, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    write_pieces(work, number, &plan.segments)?;
    write_end(work, &plan)?;
    write_checkpoint(work, &plan)?;
    Ok(is_changed)
}

fn begin_round(work: &Copying<'_>, number: i64) -> Result<(), CopyError> {
    work.copy_manifest(&work.copy.keys().round_start(number), || another(number))?;
    let start = work
        .source
        .history()
        .rounds
        .get(&number)
        .map(|it| it.start.clone());
    let mut history = work.copy.history();
    if let Some(start) = start {
        history
            .rounds
            .entry(number)
            .or_insert_with(|| Round::new(start));
    }
    Ok(())
}

fn check_same(work: &Copying<'_>, number: i64) -> Result<(), CopyError> {
    let begins = |history: &History| {
        let round = history.rounds.get(&number)?;
        Some((round.start.base.history.clone(), round.start.base.scn))
    };
    let (from, to) = (begins(&work.source.history()), begins(&work.copy.history()));
    match from.is_some() && to.is_some() && from != to {
        true => Err(CopyError::Refused(another(number))),
        false => Ok(()),
    }
}

fn another(round: i64) -> String {
    format!(
        "the second destination has another round {round} of this tenant's log, from another history of it; \
         use an empty directory as second destination"
    )
}

fn copy_segment(work: &Copying<'_>, round: i64, info: &SegmentInfo) -> Result<u64, CopyError> {
    // Small log files may become one meanwhile: a copy takes long, and must not keep them from it.
    Segment::open(&work.from, &info.key).map_err(|error| match error {
        SegmentError::Storage(error) => work.unread(error),
        error => work.damaged(&info.key, error.to_string()),
    })?;
    let bytes = work.ensure(&info.key, Proof::Tail)?;
    let mut history = work.copy.history();
    history.known_damage.remove(&info.key);
    history.add_segment(round, info.clone());
    Ok(bytes)
}

/// Tells of log that a cleanup removed from the first destination before it was copied, so that it is not
/// taken for lost.
fn tell_cuts(work: &Copying<'_>, plan: &[RoundPlan]) -> Result<(), CopyError> {
    let from = work.source.history().removed.cuts.clone();
    let missing = |history: &History| {
        let cuts = plan.iter().flat_map(|round| {
            let cuts = from.get(&round.number).map_or(&[][..], Vec::as_slice);
            let there = history.rounds.get(&round.number);
            let without = cuts.iter().flat_map(|cut| outside(*cut, there));
            without.map(|cut| (round.number, cut)).collect::<Vec<_>>()
        });
        let known = |(round, cut): &(i64, Cut)| {
            is_cut(history.removed.cuts_of(*round), cut.first, cut.last)
        };
        cuts.filter(|cut| !known(cut)).collect::<Vec<(i64, Cut)>>()
    };
    if from.is_empty() || missing(&work.copy.history()).is_empty() {
        return Ok(());
    }
    // A cleanup that is at work there writes the same note; the next copy tells.
    let Some(_cleaning) = work.copy.holds().begin_cleaning() else {
        return Ok(());
    };
    let removed = {
        let history = work.copy.history();
        let mut removed = history.removed.clone();
        removed.format = 1;
        for (round, cut) in missing(&history) {
            removed.cut(round, cut);
        }
        removed
    };
    removed
        .write(&work.to, work.copy.keys())
        .map_err(CopyError::Writing)?;
    work.copy.history().set_removed(removed);
    Ok(())
}

/// The parts of `cut` of which no log is in `round`.
fn outside(cut: Cut, round: Option<&Round>) -> Vec<Cut> {
    let (mut parts, mut next) = (Vec::new(), cut.first);
    for segment in round.into_iter().flat_map(|round| round.segments.values()) {
        let name = &segment.name;
        if name.last_txn < next || name.first_txn > cut.last {
            continue;
        }
        if name.first_txn > next {
            let last = name.first_txn - 1;
            parts.push(Cut { first: next, last });
        }
        next = name.last_txn + 1;
    }
    if next <= cut.last {
        let (first, last) = (next, cut.last);
        parts.push(Cut { first, last });
    }
    parts
}

/// A log file that was to be copied is gone: most likely it became part of another.
fn look_anew(work: &Copying<'_>, key: &str) -> Result<(), CopyError> {
    let is_claimed = {
        let history = work.source.history();
        let mut segments = history
            .rounds
            .values()
            .flat_map(|round| round.segments.values());
        segments.any(|segment| segment.key == key)
    };
    if is_claimed {
        survey::refresh(work.source).map_err(CopyError::Reading)?;
    }
    Ok(())
}

/// Lists the pieces of a round that are complete, where something was added to them.
fn write_pieces(work: &Copying<'_>, number: i64, added: &[SegmentInfo]) -> Result<(), CopyError> {
    let newest = {
        let history = work.copy.history();
        let round = history.rounds.get(&number);
        round.and_then(|round| Some(round.segments.values().next_back()?.piece))
    };
    let pieces: BTreeSet<u32> = added.iter().map(|segment| segment.piece).collect();
    for piece in pieces {
        if Some(piece) < newest {
            list_piece(work.copy, &work.to, number, piece).map_err(CopyError::Writing)?;
        }
    }
    Ok(())
}

/// The last transaction of a round that is there without a gap behind it.
fn last_txn(work: &Copying<'_>, number: i64) -> Option<u64> {
    let history = work.copy.history();
    let round = history.rounds.get(&number)?;
    Some(history.runs(round).last()?.last_txn)
}

/// The end of a round is told when all its log is there.
fn write_end(work: &Copying<'_>, plan: &RoundPlan) -> Result<(), CopyError> {
    let Some(end) = &plan.end else {
        return Ok(());
    };
    if last_txn(work, plan.number) != Some(end.txn) {
        return Ok(());
    }
    let key = work.copy.keys().round_end(plan.number);
    work.copy_manifest(&key, || another(plan.number))?;
    if let Some(round) = work.copy.history().rounds.get_mut(&plan.number) {
        round.end = Some(end.clone());
    }
    Ok(())
}

/// The checkpoint as it was when the round was looked at, if all the log before it is there now.
fn write_checkpoint(work: &Copying<'_>, plan: &RoundPlan) -> Result<(), CopyError> {
    let Some(checkpoint) = &plan.checkpoint else {
        return Ok(());
    };
    let there = {
        let history = work.copy.history();
        let round = history.rounds.get(&plan.number);
        round.and_then(|round| Some(round.checkpoint.as_ref()?.checkpoint))
    };
    if there >= Some(checkpoint.checkpoint)
        || last_txn(work, plan.number) != Some(checkpoint.head.txn)
    {
        return Ok(());
    }
    work.replace_manifest(&work.copy.keys().checkpoint(plan.number), checkpoint)?;
    if let Some(round) = work.copy.history().rounds.get_mut(&plan.number) {
        round.checkpoint = Some(checkpoint.clone());
    }
    Ok(())
}

/// Deletes log files there that a longer one holds.
fn tidy(work: &Copying<'_>) -> Result<(), CopyError> {
    let _merging = work.copy.holds().merging();
    consolidation::delete_covered(work.copy, &work.to).map_err(|error| match error {
        SegmentError::Storage(error) => CopyError::Writing(error),
        error => CopyError::Refused(error.to_string()),
    })
}

/// Proves log files that were copied by a process that ended before it noted that they are right.
fn prove_unproven(work: &Copying<'_>) -> Result<(), CopyError> {
    let proven = work.copy.record().clone().unwrap_or_default().proven;
    let unproven: Vec<String> = {
        let history = work.copy.history();
        let rounds = history.rounds.iter().flat_map(|(number, round)| {
            let up_to = proven.get(number).copied().unwrap_or(0);
            let behind = round
                .segments
                .values()
                .filter(move |it| it.name.last_txn > up_to);
            behind.map(|segment| segment.key.clone())
        });
        rounds.collect()
    };
    for key in unproven {
        work.check()?;
        match Segment::open(&work.to, &key) {
            Ok(_) => {}
            Err(SegmentError::Storage(error)) if error.is_transient() => {
                return Err(CopyError::Writing(error));
            }
            // It is copied anew.
            Err(error) => work.copy.history().mark_damaged(&key, error.to_string()),
        }
    }
    Ok(())
}

/// Notes durably that the log there proved right.
fn note_proven(work: &Copying<'_>) -> Result<(), CopyError> {
    let proven = {
        let history = work.copy.history();
        let rounds = history.rounds.iter().filter_map(|(number, round)| {
            Some((*number, round.segments.values().next_back()?.name.last_txn))
        });
        rounds.collect()
    };
    work.save_record(|record| record.proven = proven)
}
