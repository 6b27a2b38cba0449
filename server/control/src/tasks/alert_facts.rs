//! The facts that alerts are decided by, read from the control database alone.

use crate::{console::Inner, error::Error, shown};
use domain::{
    ClusterId, Revision, Scn, TenantId,
    alert::{
        ChannelFacts, ClusterFacts, ConsoleFacts, Ended, RunFacts, Running, State, StrategyFacts,
        TenantFacts, Verified,
    },
    channel::ChannelKind,
    job::JobKind,
    page::TaskFilter,
    recoverable,
    strategy::{RunKind, RunOutcome},
};
use std::collections::HashMap;
use store::{KnownCluster, RunningTask, TenantPicture};

/// Newest runs of the schedule that are looked at.
const RUNS: u32 = 10;
/// Newest gaps of a tenant that are looked at.
const GAPS_MAX: usize = 20;

/// The newest ended task of each tenant and kind, kept up to date by revisions: what is there already is not
/// read again.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    clusters: HashMap<ClusterId, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Everything up to it is known.
    rev: Revision,
    ended: HashMap<(TenantId, JobKind), Ended>,
}

/// What is known of everything at `now`. `back_ns` is how far the console's own clock was just set back.
pub(super) async fn state(
    inner: &Inner,
    ledger: &mut Ledger,
    console: ConsoleFacts,
    (now, back_ns): (Scn, u64),
) -> Result<State, Error> {
    let mut strategies = HashMap::new();
    for known in inner.store.strategies().await? {
        let settings = known.strategy.settings;
        let facts = StrategyFacts {
            thresholds: settings.thresholds,
            paused: known.strategy.paused,
            modified: known.strategy.modified,
            second: settings.second.is_some(),
        };
        strategies.insert(known.cluster, facts);
    }
    let mut clusters = Vec::new();
    for known in inner.store.clusters().await? {
        let strategy = strategies.remove(&known.cluster.id);
        let mut facts = cluster(inner, ledger, known, strategy).await?;
        facts.clock_back = (back_ns > 0).then_some((back_ns, now));
        clusters.push(facts);
    }
    Ok(State { console, clusters })
}

/// What is known of the channels.
pub(super) async fn channels(inner: &Inner) -> Result<Vec<ChannelFacts>, Error> {
    let channels = inner.store.channels().await?.into_iter();
    let channels = channels.map(|known| known.channel);
    // Nobody waits for a ping's arrival here; whoever watches it does.
    let watched = channels.filter(|channel| channel.kind != ChannelKind::Ping);
    Ok(watched
        .map(|channel| ChannelFacts {
            id: channel.id.0,
            name: channel.name,
            enabled: channel.enabled,
            fault: channel.fault,
            failing_since: channel.failing_since,
        })
        .collect())
}

async fn cluster(
    inner: &Inner,
    ledger: &mut Ledger,
    known: KnownCluster,
    strategy: Option<StrategyFacts>,
) -> Result<ClusterFacts, Error> {
    let id = known.cluster.id;
    let picture = inner.store.picture(id).await?;
    ledger.catch_up(inner, id, &picture).await?;
    let seen = ledger.clusters.entry(id).or_default();
    let mut verified: HashMap<TenantId, Verified> =
        inner.store.verifications(id).await?.into_iter().collect();
    let mut running: HashMap<TenantId, Vec<Running>> = HashMap::new();
    for task in inner.store.running_tasks(id).await? {
        running.entry(task.tenant).or_default().push(run(task));
    }
    let tenants = picture.iter().map(|picture| {
        let ended = JobKind::ALL
            .iter()
            .filter_map(|kind| seen.ended.get(&(picture.id, *kind)).cloned());
        TenantFacts {
            ended: ended.collect(),
            running: running.remove(&picture.id).unwrap_or_default(),
            verified: verified.remove(&picture.id),
            ..tenant(picture)
        }
    });
    Ok(ClusterFacts {
        id,
        tenants: tenants.collect(),
        runs: runs(inner, id).await?,
        name: known.cluster.name,
        capabilities: known.cluster.capabilities,
        added: known.created,
        observed: known.cluster.observed,
        fault: known.cluster.fault,
        strategy,
        processes: None,
        clock_back: None,
        storages: None,
    })
}

fn run(task: RunningTask) -> Running {
    Running {
        id: task.id,
        kind: task.kind,
        started: task.started,
        phase: task.phase,
        moved: task.moved.unwrap_or(task.started),
    }
}

async fn runs(inner: &Inner, cluster: ClusterId) -> Result<Vec<RunFacts>, Error> {
    let ask = TaskFilter {
        size: RUNS,
        ..TaskFilter::default()
    };
    let page = inner.store.runs(cluster, RunKind::DataBackup, &ask).await?;
    let decided = page.rows.into_iter();
    let decided = decided.filter(|run| run.outcome != RunOutcome::Running);
    Ok(decided
        .map(|run| RunFacts {
            due: run.due,
            outcome: run.outcome,
            cause: run.cause,
        })
        .collect())
}

fn tenant(picture: &TenantPicture) -> TenantFacts {
    let ranges = shown::ranges(picture);
    let archive = picture.archive.as_ref();
    let mut gaps = recoverable::gaps(&ranges, &picture.spans);
    gaps.drain(..gaps.len().saturating_sub(GAPS_MAX));
    let finished = || picture.sets.iter().map(|set| set.finished);
    TenantFacts {
        id: picture.id,
        name: picture.facts.name.clone(),
        state: picture.facts.state,
        note: picture.facts.note.clone(),
        archive: archive.map(|archive| archive.state.clone()),
        archive_note: archive.and_then(|archive| archive.note.clone()),
        archive_started: archive.and_then(|archive| archive.started),
        checkpoint: archive.and_then(|archive| archive.checkpoint),
        sets: picture.sets.len(),
        oldest_set: finished().min(),
        newest_set: finished().max(),
        recoverable_until: ranges.last().map(|range| range.end),
        gaps,
        ended: Vec::new(),
        running: Vec::new(),
        verified: None,
    }
}

impl Ledger {
    /// Learns what ended since the last time; of a cluster seen for the first time, the newest task of each
    /// tenant and kind.
    async fn catch_up(
        &mut self,
        inner: &Inner,
        cluster: ClusterId,
        tenants: &[TenantPicture],
    ) -> Result<(), Error> {
        // Read first: what ends meanwhile comes again instead of being missed.
        let newest = inner.store.revision().await?;
        let Some(seen) = self.clusters.get_mut(&cluster) else {
            let mut seen = Seen {
                rev: newest,
                ..Seen::default()
            };
            for tenant in tenants {
                for kind in JobKind::ALL {
                    if let Some(ended) = inner.store.last_ended(tenant.id, kind).await? {
                        seen.note(tenant.id, ended);
                    }
                }
            }
            self.clusters.insert(cluster, seen);
            return Ok(());
        };
        for kind in JobKind::ALL {
            let mut since = seen.rev;
            loop {
                let page = inner.store.ended_since(cluster, kind, since).await?;
                let full = page.len() as u64 >= store::ENDED_MAX;
                for (tenant, rev, ended) in page {
                    since = rev;
                    seen.note(tenant, ended);
                }
                if !full {
                    break;
                }
            }
        }
        seen.rev = newest;
        Ok(())
    }
}

impl Seen {
    fn note(&mut self, tenant: TenantId, ended: Ended) {
        let newest = self.ended.get(&(tenant, ended.kind));
        // The later task counts, not the one that ended later: clocks are set back.
        if newest.is_none_or(|newest| newest.id <= ended.id) {
            self.ended.insert((tenant, ended.kind), ended);
        }
    }
}
