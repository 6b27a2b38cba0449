//! Rounds of log: opened where they can be proven to go on, begun anew where not, ended on order.

use crate::{
    archiver::blocking,
    commit::Head,
    follower::Follower,
    footing::Footing,
    history::{Round, RoundEnd, RoundStart},
    publisher::{Publisher, publish_stretch},
    segment::{Segment, SegmentError},
    staging,
    survey::refresh,
    tenant::Tenant,
};
use domain::{archive::ArchiveState, recoverable::GapCause};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use storage::{Dest, StorageError};

/// Reads what is durable; the first time, it also clears what an engine that died left half-made.
pub(crate) fn load(tenant: &Tenant) -> Result<Dest, StorageError> {
    refresh(tenant)?;
    let dest = tenant.destination.get()?;
    if !tenant.cleaned.load(Ordering::Acquire) {
        dest.remove_stale_temps(tenant.keys.root())?;
        let unfinished = std::mem::take(&mut tenant.history().unfinished);
        for directory in unfinished {
            dest.delete_prefix(&tenant.keys.set(&directory))?;
        }
        tenant.cleaned.store(true, Ordering::Release);
    }
    let latest = tenant.history().spans().iter().map(|span| span.end).max();
    tenant.stamps.raise(latest.unwrap_or_default());
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
    let head = publish_staged(tenant, &dest)?;
    staging::clear(&staging_dir).map_err(|error| format!("{}: {error}", staging_dir.display()))?;
    // A round that begins anew in any case begins with the present state, not with that at the head.
    let wanted = head.as_ref().filter(|_| cause.is_none());
    let footing = Footing::find(&tenant.files, &tenant.stamps, wanted);
    let footing = footing.map_err(|error| error.to_string())?;
    let (head, unseen) = match (&footing.continues, head) {
        (Ok(()), Some(head)) => {
            let unseen = tenant.history().checkpoint_scn().unwrap_or(head.scn);
            (head, unseen)
        }
        (continues, _) => {
            let why = cause.unwrap_or_else(|| why_new_round(tenant, continues));
            let base = begin_round(tenant, &dest, &footing, why).map_err(text)?;
            (base, footing.begun)
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

/// Makes durable what a killed engine had copied but not published; gives the head after it, where a round can go on.
fn publish_staged(tenant: &Tenant, dest: &Dest) -> Result<Option<Head>, String> {
    let Some(mut head) = durable_head(tenant, dest)? else {
        return Ok(None);
    };
    let dir = tenant.staging_dir();
    let page_size = tenant.page_size().map_err(|error| error.to_string())?;
    let found = staging::found_after(&dir, &head, page_size)
        .map_err(|error| format!("{}: {error}", dir.display()))?;
    for stretch in found {
        publish_stretch(tenant, dest, &stretch).map_err(|error| error.to_string())?;
        head = stretch.after.clone();
    }
    Ok(Some(head))
}

/// The state after everything durable in the last round; `None` when no round can go on.
fn durable_head(tenant: &Tenant, dest: &Dest) -> Result<Option<Head>, String> {
    let history = tenant.history().clone();
    let Some(round) = history.last_round().filter(|round| round.end.is_none()) else {
        return Ok(None);
    };
    let runs = history.runs(round);
    let last_txn = runs.last().map_or(0, |run| run.last_txn);
    let checkpoint = round.checkpoint.as_ref();
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
    let scn = footing.taken;
    let origin = format!("{} {round} {}", tenant.uuid(), scn.0);
    let base = Head {
        round,
        txn: 0,
        scn,
        after: scn,
        digest: footing.map.digest(),
        db_pages: footing.map.pages(),
        history: blake3::hash(origin.as_bytes()).to_hex().to_string(),
        log: footing.position,
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
    tenant.history().rounds.insert(round, Round::new(start));
    Ok(base)
}

/// Ends the round on order, once everything copied so far is durable. If that takes longer than `wait`, log
/// backup is stopped all the same, and [`settle`] ends the round when the rest is durable too.
pub(crate) async fn end_round(
    tenant: &Arc<Tenant>,
    publisher: Publisher,
    reason: &str,
    wait: Duration,
) -> Result<(), String> {
    tenant.set_status(ArchiveState::Stopping, Some(reason.to_owned()));
    let complete = publisher.finish(wait).await;
    tenant
        .set_archive_stopped(Some(reason.to_owned()))
        .map_err(|error| error.to_string())?;
    complete.map_err(|problem| {
        format!(
            "log backup is stopped, but the newest log waits beside the tenant until the destination takes it: {problem}"
        )
    })?;
    let (ending, reason) = (Arc::clone(tenant), reason.to_owned());
    blocking(move || {
        let dest = ending.destination.get();
        let ended = dest.and_then(|dest| write_end(&ending, &dest, &reason));
        ended.map_err(|error| error.to_string())
    })
    .await
}

/// Brings a stopped round to its end: what waits beside the tenant becomes durable, then the end is written.
pub(crate) fn settle(tenant: &Tenant, reason: &str) -> Result<(), String> {
    let text = |error: StorageError| error.to_string();
    let dest = load(tenant).map_err(text)?;
    if publish_staged(tenant, &dest)?.is_some() {
        write_end(tenant, &dest, reason).map_err(text)?;
    }
    let dir = tenant.staging_dir();
    staging::clear(&dir).map_err(|error| format!("{}: {error}", dir.display()))
}

fn write_end(tenant: &Tenant, dest: &Dest, reason: &str) -> Result<(), StorageError> {
    let history = tenant.history().clone();
    let Some(round) = history.last_round().filter(|round| round.end.is_none()) else {
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
        reason: reason.to_owned(),
    };
    match dest.put_manifest(&tenant.keys.round_end(number), &end) {
        // Written by a process that was killed before it could say so, or damaged since: the end that counts
        // is what the round's segments and its checkpoint say.
        Err(StorageError::AlreadyExists { .. }) => {}
        written => written?,
    }
    if let Some(round) = tenant.history().rounds.get_mut(&number) {
        round.end = Some(end);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::Checkpoint,
        testing::{Bench, LOOK_NS, wait_until},
    };
    use domain::Scn;
    use std::sync::Mutex;

    const JUNK: &[u8] = b"not a manifest";

    fn forced() -> Option<(GapCause, String)> {
        Some((GapCause::DestinationLost, "it was away".to_owned()))
    }

    #[test]
    fn only_the_first_look_clears_what_is_unfinished() {
        let bench = Bench::new();
        let dest = bench.dest();
        let part = format!("{}/pages-0001.pack", bench.tenant.keys.set("000007_full_x"));
        dest.put(&part, b"pages").unwrap();
        load(&bench.tenant).unwrap();
        assert!(!dest.exists(&part).unwrap(), "left by a process that died");
        dest.put(&part, b"pages").unwrap();
        let half = dest.create(&format!("{part}.next")).unwrap();
        load(&bench.tenant).unwrap();
        assert!(dest.exists(&part).unwrap(), "a set being made");
        half.finish().unwrap();
    }

    #[test]
    fn numbers_of_rounds_and_sets_that_do_not_read_are_not_used_again() {
        let bench = Bench::new();
        assert_eq!(bench.follow().head().round, 1);
        bench.overwrite(&bench.tenant.keys.round_start(1), JUNK);
        assert_eq!(bench.follow().head().round, 2);
        let set = format!("{}/set.json", bench.tenant.keys.set("000003_full_x"));
        bench.dest().put(&set, JUNK).unwrap();
        load(&bench.tenant).unwrap();
        assert_eq!(bench.tenant.history().next_set(), 4);
        assert_eq!(
            bench.tenant.history().next_set(),
            5,
            "given up sets keep theirs"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_idle_stretch_stays_recoverable_when_a_new_round_begins() {
        let bench = Bench::new();
        let follower = bench.follow();
        let idle = async |head: &Head, until: Scn| {
            let publisher = Publisher::start(Arc::clone(&bench.tenant));
            publisher.checkpoint_idle(Checkpoint {
                format: 1,
                head: head.clone(),
                checkpoint: until,
            });
            publisher.finish(Duration::from_secs(5)).await.unwrap();
        };
        let until = follower.head().scn.plus_ns(1_000_000);
        idle(follower.head(), until).await;
        drop(follower);
        let follower = open_round(&bench.tenant, forced()).unwrap();
        idle(follower.head(), follower.head().scn.plus_ns(5)).await;
        load(&bench.tenant).unwrap();
        let ends: Vec<Scn> = bench
            .tenant
            .history()
            .spans()
            .iter()
            .map(|it| it.end)
            .collect();
        assert_eq!(ends, [until, follower.head().scn.plus_ns(5)]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stopped_round_ends_only_when_all_of_it_is_durable() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let (here, away) = bench.destination_dirs();
        std::fs::rename(&here, &away).unwrap();
        let publisher = Publisher::start(Arc::clone(&bench.tenant));
        publisher.publish(bench.stretch(&mut follower, 2));
        let stopped = end_round(
            &bench.tenant,
            publisher,
            "repairs",
            Duration::from_millis(100),
        )
        .await;
        assert!(stopped.unwrap_err().contains("waits beside the tenant"));
        assert!(settle(&bench.tenant, "repairs").is_err());
        std::fs::rename(&away, &here).unwrap();
        let end = bench.tenant.keys.round_end(1);
        assert!(!bench.dest().exists(&end).unwrap());
        drop(follower);
        wait_until("settled", || settle(&bench.tenant, "repairs").is_ok()).await;
        assert!(bench.dest().exists(&end).unwrap());
        let history = bench.tenant.history().clone();
        let round = history.last_round().unwrap();
        assert_eq!(round.end.as_ref().unwrap().txn, 3);
        assert_eq!(history.runs(round)[0].last_txn, 3);
        assert!(
            std::fs::read_dir(bench.tenant.staging_dir()).is_err(),
            "nothing waits"
        );
    }

    #[test]
    fn what_is_committed_while_a_round_begins_gets_a_true_interval() {
        let bench = Bench::new();
        let guest = bench.guest();
        guest.execute_batch("CREATE TABLE t (v)").unwrap();
        let truth: Arc<Mutex<Vec<Scn>>> = Arc::default();
        let written = Arc::clone(&truth);
        // Something is committed just before every moment that the engine is told.
        bench.clock.on_look(move |at| {
            guest.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            written.lock().unwrap().push(at);
        });
        let mut follower = bench.follow();
        for _ in 0..3 {
            follower.step().unwrap();
        }
        let dir = bench.tenant.staging_dir();
        let stretch = follower.staging().rotate(&dir, Scn::ZERO).unwrap();
        let truth = truth.lock().unwrap().clone();
        // What was committed before the follower's last look is in the stretch or in the round's first state.
        let is_seen = |at: &&Scn| at.plus_ns(LOOK_NS) < stretch.after.scn;
        let seen: Vec<Scn> = truth.iter().filter(is_seen).copied().collect();
        let (base, staged) = seen.split_at(seen.len() - stretch.commits.len());
        assert!(base.iter().all(|at| *at <= stretch.before.scn));
        assert!(!staged.is_empty());
        for (commit, at) in stretch.commits.iter().zip(staged) {
            assert!(commit.after <= *at, "{commit:?} was committed at {at:?}");
            assert!(*at <= commit.scn, "{commit:?} was committed at {at:?}");
        }
    }
}
