//! Rounds of log: opened where they can be proven to go on, begun anew where not, ended on order.

use crate::{
    archiver::{END_WAIT_MAX, blocking},
    commit::Head,
    follower::{Follower, Footing},
    history::{History, Round, RoundEnd, RoundStart},
    publisher::{Publisher, publish_stretch},
    segment::{Segment, SegmentError},
    staging,
    tenant::Tenant,
};
use domain::{archive::ArchiveState, recoverable::GapCause};
use std::sync::Arc;
use storage::{Dest, StorageError};

/// Reads what is durable, and clears what an engine that died left half-made.
pub(crate) fn load(tenant: &Tenant) -> Result<Dest, StorageError> {
    let dest = tenant.destination.get()?;
    dest.remove_stale_temps(tenant.keys.root())?;
    let mut history = History::load(&dest, &tenant.keys)?;
    for directory in std::mem::take(&mut history.unfinished) {
        dest.delete_prefix(&tenant.keys.set(&directory))?;
    }
    if let Some(latest) = history.spans().iter().map(|span| span.end).max() {
        tenant.stamps.raise(latest);
    }
    let mut current = tenant.history();
    history.covered.append(&mut current.covered);
    history.keep_known_damage(&current);
    *current = history;
    Ok(dest)
}

/// Opens the last round where that can be proven to go on, or else begins a new one.
pub(crate) fn open_round(
    tenant: &Arc<Tenant>,
    cause: Option<(GapCause, String)>,
) -> Result<Follower, String> {
    let text = |error: StorageError| error.to_string();
    let dest = load(tenant).map_err(text)?;
    let staging_dir = tenant.staging_dir();
    let mut head = durable_head(tenant, &dest)?;
    if let Some(durable) = &head {
        let page_size = tenant.page_size().map_err(|error| error.to_string())?;
        let found = staging::found_after(&staging_dir, durable, page_size)
            .map_err(|error| format!("{}: {error}", staging_dir.display()))?;
        for stretch in found {
            publish_stretch(tenant, &dest, &stretch).map_err(|error| error.to_string())?;
            head = Some(stretch.after.clone());
        }
    }
    staging::clear(&staging_dir).map_err(|error| format!("{}: {error}", staging_dir.display()))?;
    if !tenant.files.is_in_place() {
        return Err(format!(
            "{} is another file than the one that was opened, or gone; put it back, or restart Tidemark to go on with the new one",
            tenant.files.path().display()
        ));
    }
    let footing = Footing::find(&tenant.files, head.as_ref()).map_err(|error| error.to_string())?;
    let (head, unseen) = match (&footing.continues, head) {
        (Ok(()), Some(head)) if cause.is_none() => {
            let unseen = tenant.history().checkpoint_scn().unwrap_or(head.scn);
            (head, unseen)
        }
        (continues, _) => {
            let why = cause.unwrap_or_else(|| why_new_round(tenant, continues));
            let base = begin_round(tenant, &dest, &footing, why).map_err(text)?;
            let unseen = base.scn;
            (base, unseen)
        }
    };
    let stamps = Arc::clone(&tenant.stamps);
    Follower::start(
        Arc::clone(&tenant.files),
        footing,
        head,
        &staging_dir,
        stamps,
        unseen,
    )
    .map_err(|error| error.to_string())
}

/// The state after everything durable in the last round; `None` when no round can go on.
fn durable_head(tenant: &Tenant, dest: &Dest) -> Result<Option<Head>, String> {
    let history = tenant.history().clone();
    let Some(round) = history.last_round().filter(|round| round.end.is_none()) else {
        return Ok(None);
    };
    let runs = history.runs(round);
    let last_txn = runs.last().map_or(0, |run| run.last_txn);
    let checkpoint = history.checkpoint.as_ref();
    if let Some(idle) =
        checkpoint.filter(|it| it.head.round == round.start.base.round && it.head.txn == last_txn)
    {
        return Ok(Some(idle.head.clone()));
    }
    match round
        .segments
        .values()
        .max_by_key(|segment| segment.name.last_txn)
    {
        None => Ok(Some(round.start.base.clone())),
        Some(last) => match Segment::open(dest, &last.key) {
            Ok(segment) => Ok(Some(segment.footer.after)),
            Err(SegmentError::Storage(error)) if error.is_transient() => Err(error.to_string()),
            Err(error) => {
                tracing::warn!(tenant = %tenant.name(), %error, "the last log file does not read; a new round begins");
                tenant.history().mark_damaged(&last.key, error.to_string());
                Ok(None)
            }
        },
    }
}

fn why_new_round(tenant: &Tenant, continues: &Result<(), String>) -> (GapCause, String) {
    let history = tenant.history();
    match (history.last_round(), continues) {
        (None, _) => (GapCause::FirstStart, "Log backup began.".to_owned()),
        (Some(Round { end: Some(end), .. }), _) => (GapCause::StoppedByPerson, end.reason.clone()),
        (_, Err(why)) => (
            GapCause::LogLost,
            format!("Continuity could not be proven: {why}."),
        ),
        (_, Ok(())) => (GapCause::Unknown, String::new()),
    }
}

fn begin_round(
    tenant: &Tenant,
    dest: &Dest,
    footing: &Footing,
    (cause, note): (GapCause, String),
) -> Result<Head, StorageError> {
    let round = tenant.history().next_round();
    let ((), scn) = tenant.stamps.look(|| ());
    let origin = format!("{} {round} {}", tenant.uuid(), scn.0);
    let base = Head {
        round,
        txn: 0,
        scn,
        after: scn,
        digest: footing.map.digest(),
        db_pages: footing.map.pages(),
        history: blake3::hash(origin.as_bytes()).to_hex().to_string(),
        log: footing.position(),
    };
    let start = RoundStart {
        format: 1,
        base: base.clone(),
        cause,
        note,
    };
    let identity = serde_json::json!({ "name": tenant.name(), "uuid": tenant.uuid(), "cluster": tenant.cluster });
    dest.replace_manifest(&tenant.keys.identity(), &identity)?;
    dest.put_manifest(&tenant.keys.round_start(round), &start)?;
    tenant.history().rounds.insert(
        round,
        Round {
            start,
            end: None,
            segments: Default::default(),
        },
    );
    Ok(base)
}

/// Ends the round after everything copied so far is durable.
pub(crate) async fn end_round(
    tenant: &Arc<Tenant>,
    publisher: Publisher,
    reason: &str,
) -> Result<(), String> {
    tenant.set_status(ArchiveState::Stopping, Some(reason.to_owned()));
    let complete = publisher.finish(END_WAIT_MAX).await;
    tenant
        .set_archive_stopped(Some(reason.to_owned()))
        .map_err(|error| error.to_string())?;
    let (ending, reason) = (Arc::clone(tenant), reason.to_owned());
    blocking(move || {
        let dest = ending
            .destination
            .get()
            .map_err(|error| error.to_string())?;
        let mut history = ending.history().clone();
        let Some(round) = history.last_round() else {
            return Ok(());
        };
        let number = round.start.base.round;
        let Some(run) = history.runs(round).pop() else {
            return Ok(());
        };
        let end = RoundEnd {
            format: 1,
            txn: run.last_txn,
            checkpoint: run.span.end,
            reason,
        };
        dest.put_manifest(&ending.keys.round_end(number), &end)
            .map_err(|error| error.to_string())?;
        history
            .rounds
            .entry(number)
            .and_modify(|round| round.end = Some(end));
        *ending.history() = history;
        Ok(())
    })
    .await?;
    complete.map_err(|problem| {
        format!(
            "log backup is stopped, but the newest log did not reach the destination: {problem}"
        )
    })
}
