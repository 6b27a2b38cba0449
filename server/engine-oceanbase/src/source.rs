//! What a recovery reads: the pair of destinations that reaches the moment, and the sets and log there.

use crate::{failure::Call, observe::TenantFacts, windows};
use ::engine::EngineError;
use domain::{
    BackupSetId, Scn,
    recoverable::{self, RecoverableRange, Verdict},
    recovery::{PlannedSet, Precision, RecoveryPlan},
    second_backup::Place,
};

/// What a recovery reads.
pub(crate) struct Source {
    pub(crate) plan: RecoveryPlan,
    pub(crate) data_uri: String,
    pub(crate) log_uri: String,
}

/// Chooses the destinations whose windows hold the moment. `open` gives an address with what opens it, if that is known.
pub(crate) fn source_of(
    call: Call<'_>,
    tenant: TenantFacts,
    until: Scn,
    open: impl Fn(&str) -> Option<String>,
) -> Result<Source, EngineError> {
    let backups = &tenant.backups;
    let pairs = backups.pairs();
    let holds = |window: &windows::Window| window.range.start <= until && until <= window.range.end;
    let found = pairs.iter().rev().find_map(|pair| {
        let window = pair.windows.iter().find(|window| holds(window))?;
        Some((pair, window))
    });
    let Some((pair, window)) = found else {
        let all = pairs
            .iter()
            .flat_map(|pair| pair.windows.iter().map(|window| window.range));
        return Err(call.rejected(impossible(until, &recoverable::union(all.collect()))));
    };
    let round = backups
        .rounds
        .iter()
        .find(|round| Some(round.destination) == pair.destination);
    let log_uri = round.map(|round| round.path.clone()).unwrap_or_default();
    let (Some(data_uri), Some(log_uri)) = (open(&pair.root), open(&log_uri)) else {
        return Err(call.rejected(
            "the keys of its object storage are not known to this console; enter them in the storage \
             configuration",
        ));
    };
    let plan = plan_of(&tenant, pair.root.as_str(), pair.destination, window, until);
    Ok(Source {
        plan,
        data_uri,
        log_uri,
    })
}

fn plan_of(
    tenant: &TenantFacts,
    root: &str,
    destination: Option<i64>,
    window: &windows::Window,
    until: Scn,
) -> RecoveryPlan {
    let here = || tenant.backups.sets.iter().filter(|set| set.root == root);
    let files: Vec<_> = here().map(|set| set.file.clone()).collect();
    let chain = windows::chain(&files, until);
    let log_from = chain.last().map_or(until, |last| last.replay_from);
    let pieces = tenant.backups.pieces.iter();
    let there = pieces.filter(|piece| piece.available && Some(piece.destination) == destination);
    let there: Vec<_> = there.collect();
    let files: Vec<_> = there.iter().map(|piece| piece.file.clone()).collect();
    let pieces = windows::pieces_between(&files, log_from, until);
    let read = there.iter().filter(|piece| pieces.contains(&piece.file));
    let log_bytes = read.map(|piece| piece.stored_bytes).sum();
    let planned = |file: &windows::SetFile| {
        let set = here().find(|set| set.file.id == file.id);
        PlannedSet {
            id: BackupSetId(file.id),
            kind: file.kind,
            taken: set.map_or(Scn::ZERO, |set| set.finished),
            stored_bytes: set.map_or(0, |set| set.stored_bytes),
        }
    };
    RecoveryPlan {
        until,
        place: Place::First,
        sets: chain.iter().map(planned).collect(),
        round: window.round,
        log_from,
        log_files: u32::try_from(pieces.len()).unwrap_or(u32::MAX),
        log_bytes,
        commits: 0,
        target_scn: until,
        precision: Precision::Exact,
        result_bytes: here().map(|set| set.raw_bytes).max().unwrap_or_default(),
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
