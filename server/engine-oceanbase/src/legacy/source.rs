//! What a recovery reads: the copy that reaches the moment, and the sets and log there.

use super::{facts::TenantFacts, times::whole_us};
use crate::{failure::Call, history::Backups, windows};
use ::engine::EngineError;
use domain::{
    BackupSetId, Scn,
    recoverable::{self, RecoverableRange, Verdict},
    recovery::{PlannedSet, Precision, RecoveryPlan},
    second_backup::Place,
};

/// What a recovery reads.
pub(super) struct Source {
    pub(super) plan: RecoveryPlan,
    pub(super) uri: String,
    pub(super) tenant: TenantFacts,
}

/// Chooses the copy whose windows hold the moment: the first one where it does, unless a place is named.
pub(super) fn source_of(
    call: Call<'_>,
    tenant: TenantFacts,
    place: Option<Place>,
    until: Scn,
    (first, second): (&str, Option<&str>),
) -> Result<Source, EngineError> {
    if place == Some(Place::Second) && second.is_none() {
        return Err(call.rejected("no second destination is used"));
    }
    let copies = [
        (Place::First, &tenant.first, Some(first)),
        (Place::Second, &tenant.second, second),
    ];
    let mut ranges = Vec::new();
    let mut found = None;
    for (of, backups, uri) in copies {
        let Some(uri) = uri.filter(|_| place.is_none_or(|place| place == of)) else {
            continue;
        };
        let windows: Vec<_> = backups
            .pairs()
            .into_iter()
            .flat_map(|pair| pair.windows)
            .collect();
        let holds = |it: &&windows::Window| it.range.start <= until && until <= it.range.end;
        if let Some(window) = windows.iter().find(holds)
            && found.is_none()
        {
            found = Some((plan_of(backups, (of, window), until), uri.to_owned()));
        }
        ranges.extend(windows.iter().map(|window| window.range));
    }
    let Some((plan, uri)) = found else {
        return Err(call.rejected(impossible(until, &recoverable::union(ranges))));
    };
    // A destination as the cluster stores it may hold its key in a form that only the cluster understands.
    if uri.contains("encrypt_key=") {
        return Err(call.rejected(
            "the keys of its object storage are not known to this console; enter them in the storage \
             configuration",
        ));
    }
    Ok(Source { plan, uri, tenant })
}

fn plan_of(
    backups: &Backups,
    (place, window): (Place, &windows::Window),
    until: Scn,
) -> RecoveryPlan {
    let files: Vec<_> = backups.sets.iter().map(|set| set.file.clone()).collect();
    let chain = windows::chain(&files, until);
    let log_from = chain.last().map_or(until, |last| last.replay_from);
    let pieces = backups.pieces.iter();
    let pieces = pieces.filter(|piece| piece.available && piece.file.round == window.round);
    let pieces: Vec<_> = pieces.map(|piece| piece.file.clone()).collect();
    let pieces = windows::pieces_between(&pieces, log_from, until);
    let planned = |file: &windows::SetFile| {
        let set = backups.sets.iter().find(|set| set.file.id == file.id);
        PlannedSet {
            id: BackupSetId(file.id),
            kind: file.kind,
            taken: set.map_or(Scn::ZERO, |set| set.finished),
            stored_bytes: set.map_or(0, |set| set.stored_bytes),
        }
    };
    let sizes = backups.sets.iter().map(|set| set.raw_bytes);
    RecoveryPlan {
        until,
        place,
        sets: chain.iter().map(planned).collect(),
        round: window.round,
        log_from,
        log_files: u32::try_from(pieces.len()).unwrap_or(u32::MAX),
        log_bytes: 0,
        commits: 0,
        // Moments before 4.0 are whole microseconds, those of commits too.
        target_scn: whole_us(until),
        precision: Precision::Exact,
        result_bytes: sizes.max().unwrap_or_default(),
        estimate_ms: None,
        steps: Vec::new(),
    }
}

fn impossible(until: Scn, ranges: &[RecoverableRange]) -> String {
    let near = match recoverable::verdict(ranges, until) {
        Verdict::Recoverable(_) => String::new(),
        Verdict::Impossible { before, after } => recoverable::nearest(before, after),
    };
    format!("{until} cannot be recovered{near}")
}
