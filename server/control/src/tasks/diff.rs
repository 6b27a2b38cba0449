//! What an observation changes in the picture that is stored; nothing, most of the time.

use super::second_copies;
use domain::{
    BackupSetId, TenantId,
    archive::ArchiveState,
    backup::{BackupMethod, BackupSet},
    recoverable::LogSpan,
    tenant::TenantState,
};
use engine::{ArchiveObservation, Observation, TenantKey, TenantObservation};
use std::collections::HashMap;
use store::{ArchiveFacts, SecondFacts, TenantFacts, TenantPicture};

/// One change of the stored picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// A tenant that was not known, with everything of it.
    AddTenant(Box<TenantObservation>),
    /// Facts of a tenant itself.
    Tenant(TenantId, TenantFacts),
    /// Facts of its log archiving.
    Archive(TenantId, ArchiveFacts),
    /// A set that was not known.
    AddSet(TenantId, BackupSet),
    /// A set that is not usable any more.
    RemoveSet(TenantId, BackupSetId),
    /// A span that is new or changed.
    Span(TenantId, LogSpan),
    /// A span that is not there any more.
    RemoveSpan(TenantId, LogSpan),
    /// Facts of its second copies.
    Second(TenantId, SecondFacts),
    /// A set that was not known at the second destination.
    AddSecondSet(TenantId, BackupSet),
    /// A set that is not usable there any more.
    RemoveSecondSet(TenantId, BackupSetId),
    /// A span that is new or changed there.
    SecondSpan(TenantId, LogSpan),
    /// A span that is not there any more.
    RemoveSecondSpan(TenantId, LogSpan),
}

/// What a page showing the recovery period has to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PeriodChange {
    /// Nothing.
    None,
    /// Ranges that grow went on growing.
    Grown,
    /// Something else, to be told at once.
    Structure,
}

/// The changes that make `known` into what was observed.
pub(crate) fn edits(known: &[TenantPicture], seen: &Observation) -> (Vec<Edit>, PeriodChange) {
    let mut by_key: HashMap<&str, &TenantPicture> = known
        .iter()
        .map(|tenant| (tenant.facts.engine_key.as_str(), tenant))
        .collect();
    let mut edits = Vec::new();
    let mut period = PeriodChange::None;
    for tenant in &seen.tenants {
        match by_key.remove(tenant.key.0.as_str()) {
            Some(picture) if tenant.history_known => {
                period = period.max(tenant_edits(picture, tenant, &mut edits));
            }
            Some(picture) => {
                let tenant = with_known_history(tenant.clone(), picture);
                period = period.max(tenant_edits(picture, &tenant, &mut edits));
            }
            None => {
                edits.push(Edit::AddTenant(Box::new(tenant.clone())));
                period = PeriodChange::Structure;
            }
        }
    }
    for gone in by_key.into_values() {
        let tenant = as_gone(gone, seen.complete);
        period = period.max(tenant_edits(gone, &tenant, &mut edits));
    }
    (edits, period)
}

/// The facts of a tenant itself.
pub(crate) fn tenant_facts(seen: &TenantObservation) -> TenantFacts {
    TenantFacts {
        engine_key: seen.key.0.clone(),
        name: seen.name.clone(),
        state: seen.state,
        data_file: seen.data_file.clone(),
        size_bytes: seen.size_bytes,
        note: seen.note.clone(),
        data_bytes: seen.data_bytes,
        log_bytes: seen.log_bytes,
    }
}

/// The facts of its log archiving.
pub(crate) fn archive_facts(seen: &TenantObservation) -> ArchiveFacts {
    let archive = &seen.archive;
    ArchiveFacts {
        method: BackupMethod::Physical,
        host: archive.host.clone(),
        checkpoint: archive.checkpoint,
        directory: archive.directory.clone(),
        started: archive.started,
        round: archive.round,
        state: archive.state.clone(),
        note: archive.note.clone(),
    }
}

fn tenant_edits(
    known: &TenantPicture,
    seen: &TenantObservation,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    let mut period = PeriodChange::None;
    let facts = tenant_facts(seen);
    if facts != known.facts {
        if facts.name != known.facts.name || facts.state != known.facts.state {
            period = PeriodChange::Structure;
        }
        edits.push(Edit::Tenant(known.id, facts));
    }
    let archive = archive_facts(seen);
    if Some(&archive) != known.archive.as_ref() {
        edits.push(Edit::Archive(known.id, archive));
    }
    period
        .max(set_edits(known, seen, edits))
        .max(span_edits(known, seen, edits))
        .max(second_copies::edits(known, seen.second.as_ref(), edits))
}

/// Sets that are not as they were, and those that are to be known instead.
pub(super) fn set_changes(
    known: &[BackupSet],
    seen: &[BackupSet],
) -> (Vec<BackupSetId>, Vec<BackupSet>) {
    if known == seen {
        return (Vec::new(), Vec::new());
    }
    let old: HashMap<BackupSetId, &BackupSet> = known.iter().map(|s| (s.id, s)).collect();
    let new: HashMap<BackupSetId, &BackupSet> = seen.iter().map(|s| (s.id, s)).collect();
    let gone = known.iter().filter(|set| new.get(&set.id) != Some(set));
    let come = seen.iter().filter(|set| old.get(&set.id) != Some(set));
    (gone.map(|set| set.id).collect(), come.cloned().collect())
}

fn set_edits(
    known: &TenantPicture,
    seen: &TenantObservation,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    let (gone, come) = set_changes(&known.sets, &seen.sets);
    if gone.is_empty() && come.is_empty() {
        return PeriodChange::None;
    }
    edits.extend(gone.into_iter().map(|set| Edit::RemoveSet(known.id, set)));
    edits.extend(come.into_iter().map(|set| Edit::AddSet(known.id, set)));
    PeriodChange::Structure
}

/// Spans that are there no more, those that are to be known as they are now, and what that means.
pub(super) fn span_changes(
    known: &[LogSpan],
    seen: &[LogSpan],
) -> (Vec<LogSpan>, Vec<LogSpan>, PeriodChange) {
    let (mut gone, mut come, mut period) = (Vec::new(), Vec::new(), PeriodChange::None);
    if known == seen {
        return (gone, come, period);
    }
    let same = |a: &LogSpan, b: &LogSpan| a.round == b.round && a.start == b.start;
    for span in known {
        if !seen.iter().any(|other| same(span, other)) {
            gone.push(span.clone());
            period = PeriodChange::Structure;
        }
    }
    for span in seen {
        let old = known.iter().find(|other| same(span, other));
        if old == Some(span) {
            continue;
        }
        let grew = old.is_some_and(|old| {
            old.end <= span.end && old.cause == span.cause && old.note == span.note
        });
        period = period.max(if grew {
            PeriodChange::Grown
        } else {
            PeriodChange::Structure
        });
        come.push(span.clone());
    }
    (gone, come, period)
}

fn span_edits(
    known: &TenantPicture,
    seen: &TenantObservation,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    let (gone, come, period) = span_changes(&known.spans, &seen.spans);
    edits.extend(
        gone.into_iter()
            .map(|span| Edit::RemoveSpan(known.id, span)),
    );
    edits.extend(come.into_iter().map(|span| Edit::Span(known.id, span)));
    period
}

/// What was seen of a tenant whose backups could not be looked at, with what is known of them.
fn with_known_history(seen: TenantObservation, known: &TenantPicture) -> TenantObservation {
    let archive = known.archive.as_ref();
    TenantObservation {
        archive: ArchiveObservation {
            round: archive.map_or(0, |archive| archive.round),
            started: archive.and_then(|archive| archive.started),
            checkpoint: archive.and_then(|archive| archive.checkpoint),
            ..seen.archive
        },
        sets: known.sets.clone(),
        spans: known.spans.clone(),
        data_bytes: known.facts.data_bytes,
        log_bytes: known.facts.log_bytes,
        ..seen
    }
}

/// A tenant that the engine does not tell about any more. When the engine tells about `all` that have
/// backups, this one has none; else they may all be there.
fn as_gone(known: &TenantPicture, all: bool) -> TenantObservation {
    let facts = known.facts.clone();
    let archive = known.archive.as_ref();
    let note = Some("the cluster does not have this tenant any more".to_owned());
    let gone = TenantObservation {
        key: TenantKey(facts.engine_key),
        name: facts.name,
        state: TenantState::Offline,
        data_file: None,
        size_bytes: facts.size_bytes,
        note: note.clone(),
        archive: ArchiveObservation {
            state: ArchiveState::Stop,
            round: archive.map_or(0, |archive| archive.round),
            started: archive.and_then(|archive| archive.started),
            checkpoint: archive.and_then(|archive| archive.checkpoint),
            host: archive.map_or_else(String::new, |archive| archive.host.clone()),
            directory: archive.map_or_else(String::new, |archive| archive.directory.clone()),
            note,
        },
        history_known: all,
        sets: Vec::new(),
        spans: Vec::new(),
        data_bytes: 0,
        log_bytes: 0,
        // Kept until the engine tells about all that have backups: then this one has none there either.
        second: (!all && known.second.is_some()).then(second_copies::unseen),
    };
    match all {
        true => gone,
        false => with_known_history(gone, known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Revision, Scn, backup::BackupKind, recoverable::GapCause};

    fn span(start: u64, end: u64) -> LogSpan {
        LogSpan {
            round: 1,
            start: Scn(start),
            end: Scn(end),
            cause: GapCause::FirstStart,
            note: String::new(),
        }
    }

    fn seen(checkpoint: u64) -> TenantObservation {
        TenantObservation {
            key: TenantKey("k1".to_owned()),
            name: "orders".to_owned(),
            state: TenantState::Online,
            data_file: None,
            size_bytes: 1,
            note: None,
            archive: ArchiveObservation {
                state: ArchiveState::Doing,
                round: 1,
                started: Some(Scn(1)),
                checkpoint: Some(Scn(checkpoint)),
                host: String::new(),
                directory: String::new(),
                note: None,
            },
            history_known: true,
            sets: Vec::new(),
            spans: vec![span(1, checkpoint)],
            data_bytes: 0,
            log_bytes: 0,
            second: None,
        }
    }

    fn picture(of: &TenantObservation) -> TenantPicture {
        TenantPicture {
            id: TenantId(7),
            rev: Revision(1),
            facts: tenant_facts(of),
            archive: Some(archive_facts(of)),
            sets: of.sets.clone(),
            spans: of.spans.clone(),
            second: None,
        }
    }

    fn observed(tenants: Vec<TenantObservation>) -> Observation {
        Observation {
            taken: Scn(1),
            complete: true,
            tenants,
            storages: Vec::new(),
            clock_back_ns: 0,
            drift: Vec::new(),
        }
    }

    #[test]
    fn the_same_again_is_no_edit() {
        let known = [picture(&seen(5))];
        let (edits, period) = edits(&known, &observed(vec![seen(5)]));
        assert_eq!((edits, period), (Vec::new(), PeriodChange::None));
    }

    #[test]
    fn a_checkpoint_that_moves_on_touches_archive_and_span_only() {
        let known = [picture(&seen(5))];
        let (edits, period) = edits(&known, &observed(vec![seen(6)]));
        assert_eq!(period, PeriodChange::Grown);
        assert_eq!(
            edits,
            [
                Edit::Archive(TenantId(7), archive_facts(&seen(6))),
                Edit::Span(TenantId(7), span(1, 6)),
            ]
        );
    }

    #[test]
    fn a_span_that_shrinks_or_goes_is_told_at_once() {
        let known = [picture(&seen(5))];
        let mut shorter = seen(5);
        shorter.spans = vec![span(1, 3)];
        let (made, period) = edits(&known, &observed(vec![shorter]));
        assert_eq!(period, PeriodChange::Structure);
        assert_eq!(made, [Edit::Span(TenantId(7), span(1, 3))]);
        let mut none = seen(5);
        none.spans.clear();
        let (made, period) = edits(&known, &observed(vec![none]));
        assert_eq!(period, PeriodChange::Structure);
        assert_eq!(made, [Edit::RemoveSpan(TenantId(7), span(1, 5))]);
    }

    #[test]
    fn a_tenant_of_the_same_name_with_another_key_is_another_tenant() {
        let known = [picture(&seen(5))];
        let mut other = seen(5);
        other.key = TenantKey("k2".to_owned());
        let (made, period) = edits(&known, &observed(vec![other.clone()]));
        assert_eq!(period, PeriodChange::Structure);
        assert_eq!(made[0], Edit::AddTenant(Box::new(other)));
        assert!(
            matches!(&made[1], Edit::Tenant(TenantId(7), facts) if facts.state == TenantState::Offline)
        );
    }

    fn set() -> BackupSet {
        BackupSet {
            id: BackupSetId(1),
            kind: BackupKind::Full,
            base: None,
            round: 1,
            min_restore_scn: Scn(2),
            started: Scn(1),
            finished: Scn(3),
            stored_bytes: 10,
            raw_bytes: 20,
        }
    }

    #[test]
    fn what_was_known_of_backups_stays_while_they_cannot_be_looked_at() {
        let mut before = seen(5);
        (before.sets, before.data_bytes) = (vec![set()], 10);
        let mut unread = seen(5);
        (unread.sets, unread.spans) = (Vec::new(), Vec::new());
        (unread.history_known, unread.archive.checkpoint) = (false, None);
        unread.archive.state = ArchiveState::Interrupted;
        let (made, period) = edits(&[picture(&before)], &observed(vec![unread]));
        let mut interrupted = archive_facts(&before);
        interrupted.state = ArchiveState::Interrupted;
        assert_eq!(made, [Edit::Archive(TenantId(7), interrupted)]);
        assert_eq!(period, PeriodChange::None);
    }

    #[test]
    fn a_faulty_tenant_keeps_the_backups_that_the_engine_tells_of() {
        let mut before = seen(5);
        before.sets = vec![set()];
        let mut faulty = before.clone();
        faulty.state = TenantState::Faulty;
        let (made, _) = edits(&[picture(&before)], &observed(vec![faulty.clone()]));
        assert_eq!(made, [Edit::Tenant(TenantId(7), tenant_facts(&faulty))]);
    }

    #[test]
    fn a_tenant_not_told_about_loses_its_backups_only_when_all_were_told() {
        let mut before = seen(5);
        before.sets = vec![set()];
        let known = [picture(&before)];
        let mut nothing = observed(Vec::new());
        let is_removal = |edit: &Edit| matches!(edit, Edit::RemoveSet(..) | Edit::RemoveSpan(..));
        let (made, _) = edits(&known, &nothing);
        assert_eq!(made.iter().filter(|edit| is_removal(edit)).count(), 2);
        nothing.complete = false;
        let (made, _) = edits(&known, &nothing);
        assert!(!made.iter().any(is_removal), "{made:?}");
    }
}
