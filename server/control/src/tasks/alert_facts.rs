//! The facts that alerts are decided by, read from the control database alone.

use crate::{console::Inner, error::Error, shown};
use domain::{
    ClusterId, Revision, Scn, TenantId,
    alert::{
        ChannelFacts, ClusterFacts, ConsoleFacts, Ended, RunFacts, Running, SizeReading, State,
        StorageFacts, StrategyFacts, TenantFacts, Verified,
    },
    channel::ChannelKind,
    job::JobKind,
    page::TaskFilter,
    recoverable,
    second_backup::Place,
    storage::CAPACITY_PERCENT_DEFAULT,
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
    /// How far the clock was set back at the last look, and when that grew.
    clock: Option<(u64, Scn)>,
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
    let mut percents = HashMap::new();
    for known in inner.store.strategies().await? {
        let settings = known.strategy.settings;
        let second = settings.second.as_ref();
        let percent = Percents {
            first: Some(settings.storage.capacity_percent),
            second: second.map(|second| second.storage.capacity_percent),
        };
        percents.insert(known.cluster, percent);
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
        let told_ns = known.clock_back_ns;
        let percent = percents.remove(&known.cluster.id).unwrap_or_default();
        let mut facts = cluster(inner, ledger, known, strategy).await?;
        facts.storages = storages(inner, facts.id, percent).await?;
        let seen = ledger.clusters.entry(facts.id).or_default();
        facts.clock_back = match seen.clock_back(told_ns, now) {
            // The console's own clock was set back since the last evaluation.
            _ if back_ns > 0 => Some((back_ns, now)),
            told => Some(told),
        };
        clusters.push(facts);
    }
    Ok(State { console, clusters })
}

/// From how much on a person is called, where one decided that.
#[derive(Debug, Clone, Copy, Default)]
struct Percents {
    first: Option<u8>,
    second: Option<u8>,
}

/// What is known of the destinations; `None` before they were looked at for the first time.
async fn storages(
    inner: &Inner,
    cluster: ClusterId,
    percents: Percents,
) -> Result<Option<Vec<StorageFacts>>, Error> {
    let known = inner.store.storages(cluster).await?;
    if known.is_empty() {
        return Ok(None);
    }
    let facts = known.into_iter().map(|storage| {
        let percent = match storage.place {
            Place::First => percents.first,
            Place::Second => percents.second,
        };
        StorageFacts {
            capacity_percent: percent.unwrap_or(CAPACITY_PERCENT_DEFAULT),
            size: match (storage.used_percent(), &storage.fault) {
                (Some(percent), _) => SizeReading::Used(percent),
                (None, Some(fault)) => SizeReading::Failed(fault.clone()),
                (None, None) => SizeReading::NotTold,
            },
            place: storage.place,
            location: storage.location,
            fault: storage.fault,
            identity_changed: storage.identity_changed,
        }
    });
    Ok(Some(facts.collect()))
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
    /// How far the clock is back, and when that grew. What was so at the first look is no news.
    fn clock_back(&mut self, told_ns: u64, now: Scn) -> (u64, Scn) {
        let grown = match self.clock {
            None => Scn::ZERO,
            Some((before, _)) if told_ns > before => now,
            Some((_, grown)) => grown,
        };
        self.clock = Some((told_ns, grown));
        (told_ns, grown)
    }

    fn note(&mut self, tenant: TenantId, ended: Ended) {
        let newest = self.ended.get(&(tenant, ended.kind));
        // The later task counts, not the one that ended later: clocks are set back.
        if newest.is_none_or(|newest| newest.id <= ended.id) {
            self.ended.insert((tenant, ended.kind), ended);
        }
    }
}
