//! What an observation says of second copies, and what that changes in the stored picture.

use super::diff::{Edit, PeriodChange, set_changes, span_changes};
use domain::{ClusterId, Scn, TenantId, recoverable::LogSpan, second_backup::SecondLogState};
use engine::{Observation, SecondObservation};
use store::{Change, SecondFacts, SecondPicture, StoreError, TenantPicture};

/// Second copies that nobody could look at.
pub(super) fn unseen() -> SecondObservation {
    SecondObservation {
        known: false,
        sets: Vec::new(),
        arrived: Vec::new(),
        spans: Vec::new(),
        data_bytes: 0,
        log_bytes: 0,
        checkpoint: None,
        directory: String::new(),
    }
}

/// Takes what is said of second copies for unknown, where anything is known of them.
pub(super) fn unknown(seen: &mut Observation) {
    for tenant in &mut seen.tenants {
        tenant.second = Some(unseen());
    }
}

/// The facts of second copies that were looked at.
fn facts(seen: &SecondObservation) -> SecondFacts {
    SecondFacts {
        state: match seen.known {
            true => SecondLogState::InProgress,
            false => SecondLogState::Unknown,
        },
        data_bytes: seen.data_bytes,
        log_bytes: seen.log_bytes,
        checkpoint: seen.checkpoint,
        started: started(&seen.spans),
        directory: seen.directory.clone(),
    }
}

/// The start of the newest round.
fn started(spans: &[LogSpan]) -> Option<Scn> {
    let round = spans.iter().map(|span| span.round).max()?;
    let of_round = spans.iter().filter(|span| span.round == round);
    of_round.map(|span| span.start).min()
}

/// The changes that make what is known of a tenant's second copies into what was observed. `None`: none are
/// kept any more, so nothing can be recovered from them, whatever is left there.
pub(super) fn edits(
    known: &TenantPicture,
    seen: Option<&SecondObservation>,
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    match (seen, &known.second) {
        (None, None) => PeriodChange::None,
        (None, Some(known_second)) => {
            let ended = SecondObservation {
                known: true,
                directory: known_second.facts.directory.clone(),
                ..unseen()
            };
            let facts = SecondFacts {
                state: SecondLogState::Stopped,
                ..known_second.facts.clone()
            };
            changes(known, known_second, (&ended, facts), edits)
        }
        (Some(seen), Some(known_second)) if !seen.known => {
            let facts = SecondFacts {
                state: SecondLogState::Unknown,
                ..known_second.facts.clone()
            };
            put_facts(known.id, known_second, facts, edits);
            PeriodChange::None
        }
        (Some(seen), Some(known_second)) => {
            changes(known, known_second, (seen, facts(seen)), edits)
        }
        // Not known and never was: there is nothing to tell yet.
        (Some(seen), None) if seen.directory.is_empty() => PeriodChange::None,
        (Some(seen), None) => {
            let facts = facts(seen);
            edits.push(Edit::Second(known.id, facts.clone()));
            let nothing = SecondPicture {
                facts: facts.clone(),
                sets: Vec::new(),
                spans: Vec::new(),
            };
            changes(known, &nothing, (seen, facts), edits)
        }
    }
}

fn put_facts(id: TenantId, known: &SecondPicture, facts: SecondFacts, edits: &mut Vec<Edit>) {
    if known.facts != facts {
        edits.push(Edit::Second(id, facts));
    }
}

fn changes(
    tenant: &TenantPicture,
    known: &SecondPicture,
    (seen, facts): (&SecondObservation, SecondFacts),
    edits: &mut Vec<Edit>,
) -> PeriodChange {
    let id = tenant.id;
    put_facts(id, known, facts, edits);
    let (gone, come) = set_changes(&known.sets, &seen.sets);
    let sets = match gone.is_empty() && come.is_empty() {
        true => PeriodChange::None,
        false => PeriodChange::Structure,
    };
    edits.extend(gone.into_iter().map(|set| Edit::RemoveSecondSet(id, set)));
    edits.extend(come.into_iter().map(|set| Edit::AddSecondSet(id, set)));
    let (gone, come, spans) = span_changes(&known.spans, &seen.spans);
    edits.extend(
        gone.into_iter()
            .map(|span| Edit::RemoveSecondSpan(id, span)),
    );
    edits.extend(come.into_iter().map(|span| Edit::SecondSpan(id, span)));
    sets.max(spans)
}

/// Writes down the second copies of a tenant that was not known.
pub(super) async fn add(
    change: &Change,
    cluster: ClusterId,
    tenant: TenantId,
    seen: &SecondObservation,
) -> Result<(), StoreError> {
    if seen.directory.is_empty() {
        return Ok(());
    }
    change.set_second(cluster, tenant, &facts(seen)).await?;
    for set in &seen.sets {
        change.add_second_set(tenant, set).await?;
    }
    for span in &seen.spans {
        change.set_second_span(tenant, span).await?;
    }
    Ok(())
}
