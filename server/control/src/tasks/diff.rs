//! What an observation changes in the picture that is stored; nothing, most of the time.

use domain::{
    BackupSetId, TenantId,
    archive::ArchiveState,
    backup::{BackupMethod, BackupSet},
    recoverable::LogSpan,
    tenant::TenantState,
};
use engine::{Observation, TenantObservation};
use std::collections::HashMap;
use store::{ArchiveFacts, TenantFacts, TenantPicture};

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
            Some(picture) => period = period.max(tenant_edits(picture, tenant, &mut edits)),
            None => {
                edits.push(Edit::AddTenant(Box::new(tenant.clone())));
                period = PeriodChange::Structure;
            }
        }
    }
    for gone in by_key.into_values() {
        let tenant = as_gone(gone);
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
}

fn set_edits(
    known: &TenantPicture,
    seen: &TenantObservation,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    if known.sets == seen.sets {
        return PeriodChange::None;
    }
    let before = edits.len();
    let old: HashMap<BackupSetId, &BackupSet> = known.sets.iter().map(|s| (s.id, s)).collect();
    let new: HashMap<BackupSetId, &BackupSet> = seen.sets.iter().map(|s| (s.id, s)).collect();
    for set in &known.sets {
        if new.get(&set.id) != Some(&set) {
            edits.push(Edit::RemoveSet(known.id, set.id));
        }
    }
    for set in &seen.sets {
        if old.get(&set.id) != Some(&set) {
            edits.push(Edit::AddSet(known.id, set.clone()));
        }
    }
    if edits.len() > before {
        PeriodChange::Structure
    } else {
        PeriodChange::None
    }
}

fn span_edits(
    known: &TenantPicture,
    seen: &TenantObservation,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    if known.spans == seen.spans {
        return PeriodChange::None;
    }
    let mut period = PeriodChange::None;
    let same = |a: &LogSpan, b: &LogSpan| a.round == b.round && a.start == b.start;
    for span in &known.spans {
        if !seen.spans.iter().any(|other| same(span, other)) {
            edits.push(Edit::RemoveSpan(known.id, span.clone()));
            period = PeriodChange::Structure;
        }
    }
    for span in &seen.spans {
        let old = known.spans.iter().find(|other| same(span, other));
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
        edits.push(Edit::Span(known.id, span.clone()));
    }
    period
}

/// A tenant that the engine does not tell about any more: nothing of it can be claimed.
fn as_gone(known: &TenantPicture) -> TenantObservation {
    let facts = known.facts.clone();
    let archive = known.archive.clone();
    TenantObservation {
        key: engine::TenantKey(facts.engine_key),
        name: facts.name,
        state: TenantState::Offline,
        data_file: None,
        size_bytes: facts.size_bytes,
        note: Some("the cluster does not have this tenant any more".to_owned()),
        archive: engine::ArchiveObservation {
            state: ArchiveState::Stop,
            round: archive.as_ref().map_or(0, |archive| archive.round),
            started: archive.as_ref().and_then(|archive| archive.started),
            checkpoint: archive.as_ref().and_then(|archive| archive.checkpoint),
            host: archive
                .as_ref()
                .map_or_else(String::new, |a| a.host.clone()),
            directory: archive.map_or_else(String::new, |archive| archive.directory),
            note: Some("the cluster does not have this tenant any more".to_owned()),
        },
        sets: Vec::new(),
        spans: Vec::new(),
        data_bytes: 0,
        log_bytes: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Revision, Scn, recoverable::GapCause};
    use engine::{ArchiveObservation, TenantKey};

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
            sets: Vec::new(),
            spans: vec![span(1, checkpoint)],
            data_bytes: 0,
            log_bytes: 0,
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
        }
    }

    fn observed(tenants: Vec<TenantObservation>) -> Observation {
        Observation {
            taken: Scn(1),
            tenants,
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
}
