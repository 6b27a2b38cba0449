//! The JSON about storages, sizes and rebuilding. Fields are added, never renamed.

use super::shape::{Range, moment};
use control::RebuildOutcome;
use domain::{
    storage::StorageState,
    trend::{Forecast, StorageTrend, TrendEvent, TrendEventKind, TrendPoint},
};
use serde::{Deserialize, Serialize};

/// An order to rebuild from a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildOrder {
    /// Absolute directory of the destination.
    pub from: String,
    /// Only the cluster of this name or identity.
    pub cluster: Option<String>,
    /// What it is called here; absent keeps its name.
    pub name: Option<String>,
    /// Only tell what is there and would be done.
    pub dry_run: bool,
}

/// What was found at the destination, and done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// The clusters found.
    pub clusters: Vec<RebuiltCluster>,
}

/// A cluster found at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuiltCluster {
    /// Its identity.
    pub identity: String,
    /// Its name there; empty where nothing there tells.
    pub name: String,
    /// `possible`, `taken`, `managed` or `refused`.
    pub outcome: String,
    /// Its name here, where it has or would have one.
    pub managed_as: Option<String>,
    /// Why it was refused, and what to do.
    pub reason: Option<String>,
    /// Its tenants.
    pub tenants: Vec<RebuiltTenant>,
}

/// A tenant of a cluster found at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuiltTenant {
    /// Its name.
    pub name: String,
    /// `online`, `offline` or `faulty`; absent where that was not looked at.
    pub state: Option<String>,
    /// Its usable sets.
    pub sets: usize,
    /// The moments it can be recovered to.
    pub ranges: Vec<Range>,
}

impl From<control::Rebuilt> for Rebuilt {
    fn from(rebuilt: control::Rebuilt) -> Self {
        Rebuilt {
            clusters: rebuilt.clusters.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<control::RebuiltCluster> for RebuiltCluster {
    fn from(cluster: control::RebuiltCluster) -> Self {
        let (outcome, managed_as, reason) = match cluster.outcome {
            RebuildOutcome::Possible(name) => ("possible", Some(name), None),
            RebuildOutcome::Taken(name) => ("taken", Some(name), None),
            RebuildOutcome::Managed(name) => ("managed", Some(name), None),
            RebuildOutcome::Refused(why) => ("refused", None, Some(why)),
        };
        RebuiltCluster {
            identity: cluster.identity,
            name: cluster.found_as,
            outcome: outcome.to_owned(),
            managed_as,
            reason,
            tenants: cluster.tenants.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<control::RebuiltTenant> for RebuiltTenant {
    fn from(tenant: control::RebuiltTenant) -> Self {
        let range = |range: &domain::recoverable::RecoverableRange| Range {
            start: moment(range.start),
            end: moment(range.end),
        };
        RebuiltTenant {
            name: tenant.name,
            state: tenant.state.map(|state| state.code().to_owned()),
            sets: tenant.sets,
            ranges: tenant.ranges.iter().map(range).collect(),
        }
    }
}

/// A question about a cluster's storages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageOrder {
    /// Only the sizes of this tenant.
    pub tenant: Option<String>,
    /// Of so many days until now, 1 to 400.
    pub days: u64,
}

/// The storages of a cluster and the sizes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageReport {
    /// The cluster.
    pub cluster: String,
    /// The tenant whose sizes are told; absent for all together.
    pub tenant: Option<String>,
    /// The server's now.
    pub now: String,
    /// The destinations, the first one first.
    pub storages: Vec<Storage>,
    /// Sizes over time, ascending; a long time is thinned out.
    pub samples: Vec<Sample>,
    /// Time without samples.
    pub gaps: Vec<SampleGap>,
    /// What happened meanwhile.
    pub events: Vec<Event>,
    /// When the first storage will be full.
    pub forecast: StorageForecast,
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// `first` or `second`.
    pub place: String,
    /// Its directory.
    pub location: String,
    /// Bytes of the whole storage; absent where it does not tell or is away.
    pub total_bytes: Option<u64>,
    /// Bytes that can still be written.
    pub free_bytes: Option<u64>,
    /// Whole percent used, rounded up.
    pub used_percent: Option<u8>,
    /// Why it cannot be used now, and what to do.
    pub fault: Option<String>,
    /// Whether another destination stands there than the one used so far.
    pub identity_changed: bool,
}

impl From<StorageState> for Storage {
    fn from(state: StorageState) -> Self {
        Storage {
            place: state.place.code().to_owned(),
            used_percent: state.used_percent(),
            location: state.location,
            total_bytes: state.total_bytes,
            free_bytes: state.free_bytes,
            fault: state.fault,
            identity_changed: state.identity_changed,
        }
    }
}

/// Sizes at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: String,
    /// Data and log at the first destination.
    pub total_bytes: u64,
    /// Backup sets there.
    pub data_bytes: u64,
    /// Log there.
    pub log_bytes: u64,
    /// Second copies of the sets.
    pub second_data_bytes: Option<u64>,
    /// Second copies of the log.
    pub second_log_bytes: Option<u64>,
    /// The whole first storage.
    pub storage_total_bytes: Option<u64>,
    /// What could still be written there.
    pub storage_free_bytes: Option<u64>,
}

impl From<&TrendPoint> for Sample {
    fn from(point: &TrendPoint) -> Self {
        Sample {
            at: moment(point.at),
            total_bytes: point.total_bytes(),
            data_bytes: point.data_bytes,
            log_bytes: point.log_bytes,
            second_data_bytes: point.second_data_bytes,
            second_log_bytes: point.second_log_bytes,
            storage_total_bytes: point.storage_total_bytes,
            storage_free_bytes: point.storage_free_bytes,
        }
    }
}

/// Time without samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleGap {
    /// The last sample before it.
    pub since: String,
    /// The first one after it.
    pub until: String,
}

/// Something that happened beside the sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: String,
    /// The tenant.
    pub tenant: String,
    /// The kind of task, or `log_backup`.
    pub kind: String,
    /// `completed` or `failed`; `started` or `stopped` for log backup.
    pub what: String,
}

impl From<TrendEvent> for Event {
    fn from(event: TrendEvent) -> Self {
        let (kind, what) = match event.kind {
            TrendEventKind::Completed(kind) => (kind.code(), "completed"),
            TrendEventKind::Failed(kind) => (kind.code(), "failed"),
            TrendEventKind::LogStarted => ("log_backup", "started"),
            TrendEventKind::LogStopped => ("log_backup", "stopped"),
        };
        Event {
            at: moment(event.at),
            tenant: event.tenant,
            kind: kind.to_owned(),
            what: what.to_owned(),
        }
    }
}

/// When the first storage will be full, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StorageForecast {
    /// `full`, `later`, `not_growing`, `not_enough_history` or `no_capacity`.
    pub outlook: String,
    /// About when it will be full.
    pub full_at: Option<String>,
    /// How fast it grows.
    pub bytes_per_day: Option<u64>,
    /// Days that have a size, where these are too few.
    pub days: Option<u64>,
    /// Days that are needed.
    pub days_needed: Option<u64>,
}

impl From<Forecast> for StorageForecast {
    fn from(forecast: Forecast) -> Self {
        let outlook = |word: &str| StorageForecast {
            outlook: word.to_owned(),
            ..StorageForecast::default()
        };
        match forecast {
            Forecast::NoCapacity => outlook("no_capacity"),
            Forecast::NotEnoughHistory { days, needed } => StorageForecast {
                days: Some(days),
                days_needed: Some(needed),
                ..outlook("not_enough_history")
            },
            Forecast::NotGrowing => outlook("not_growing"),
            Forecast::Later { bytes_per_day } => StorageForecast {
                bytes_per_day: Some(bytes_per_day),
                ..outlook("later")
            },
            Forecast::Full { at, bytes_per_day } => StorageForecast {
                full_at: Some(moment(at)),
                bytes_per_day: Some(bytes_per_day),
                ..outlook("full")
            },
        }
    }
}

impl StorageReport {
    /// The trend of a cluster or of the tenant named.
    pub fn new(cluster: String, tenant: Option<String>, trend: StorageTrend) -> Self {
        StorageReport {
            cluster,
            tenant,
            now: moment(trend.now),
            storages: trend.storages.into_iter().map(Into::into).collect(),
            samples: trend.points.iter().map(Into::into).collect(),
            gaps: trend
                .gaps
                .iter()
                .map(|gap| SampleGap {
                    since: moment(gap.since),
                    until: moment(gap.until),
                })
                .collect(),
            events: trend.events.into_iter().map(Into::into).collect(),
            forecast: trend.forecast.into(),
        }
    }
}
