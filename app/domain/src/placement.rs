//! Placement: the zones, units and order of leaders that a recovered tenant gets, and what a cluster has room for.

mod check;
mod locality;
mod size;
#[cfg(test)]
mod tests;

pub use check::{COUNT, PRIORITY, ZONES, unit_field, violations, zone_field};
pub use locality::{read_locality, read_priority};
pub use size::{UnitSize, cores, gib};

use serde::{Deserialize, Serialize};

/// What a replica holds and may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaType {
    /// All data; votes and can lead.
    Full,
    /// All data; neither votes nor leads.
    ReadOnly,
    /// Logs only; votes and cannot lead.
    LogOnly,
}

impl ReplicaType {
    /// Every type.
    pub const ALL: [ReplicaType; 3] = [
        ReplicaType::Full,
        ReplicaType::ReadOnly,
        ReplicaType::LogOnly,
    ];

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            ReplicaType::Full => "Full replica",
            ReplicaType::ReadOnly => "Read-only replica",
            ReplicaType::LogOnly => "Log-only replica",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            ReplicaType::Full => "full",
            ReplicaType::ReadOnly => "read_only",
            ReplicaType::LogOnly => "log_only",
        }
    }

    /// Reads [`ReplicaType::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A unit specification that exists in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSpec {
    /// Its name, unique in the cluster.
    pub name: String,
    /// What one unit takes.
    pub size: UnitSize,
}

/// The unit specification of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitChoice {
    /// One that exists, by its name.
    Existing(String),
    /// One to make.
    New {
        /// Its name.
        name: String,
        /// What one unit takes; no log disk leaves that to the cluster (see [`UnitSize::given`]).
        size: UnitSize,
    },
}

impl UnitChoice {
    /// The name of the specification.
    pub fn name(&self) -> &str {
        match self {
            UnitChoice::Existing(name) | UnitChoice::New { name, .. } => name,
        }
    }
}

/// One zone of a placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedZone {
    /// The zone.
    pub zone: String,
    /// What its replicas are.
    pub replica: ReplicaType,
    /// What its units are.
    pub unit: UnitChoice,
}

/// Where a recovered tenant is placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its zones.
    pub zones: Vec<PlacedZone>,
    /// Units in each zone, the same number for all.
    pub unit_count: u32,
    /// Zones that lead before others: groups in order, those of one group alike. Empty leaves it to the cluster.
    #[serde(default)]
    pub priority: Vec<Vec<String>>,
}

impl Placement {
    /// The priority as `zone1;zone2,zone3`; `None` where it is left to the cluster.
    pub fn priority_text(&self) -> Option<String> {
        let groups: Vec<String> = self
            .priority
            .iter()
            .filter(|group| !group.is_empty())
            .map(|group| group.join(","))
            .collect();
        (!groups.is_empty()).then(|| groups.join(";"))
    }

    /// The rank of a zone, 1 for those that lead first; `None` where it has none.
    pub fn rank(&self, zone: &str) -> Option<usize> {
        let is_in = |group: &Vec<String>| group.iter().any(|it| it == zone);
        let at = self.priority.iter().position(is_in)?;
        Some(at + 1)
    }
}

/// What one server has, and what of it no unit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRoom {
    /// What units may take.
    pub total: UnitSize,
    /// What they do not take yet.
    pub free: UnitSize,
}

/// A zone of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneRoom {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// Whether it is in service.
    pub active: bool,
    /// Its servers that answer. A unit lies on one server; the units of a zone lie on different ones.
    pub servers: Vec<ServerRoom>,
}

impl ZoneRoom {
    /// What all its servers have.
    pub fn total(&self) -> UnitSize {
        self.servers.iter().map(|server| server.total).sum()
    }

    /// What is free on all its servers.
    pub fn free(&self) -> UnitSize {
        self.servers.iter().map(|server| server.free).sum()
    }
}

/// What a cluster has for a new tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Its zones, by name.
    pub zones: Vec<ZoneRoom>,
    /// Unit specifications that exist, by name.
    pub units: Vec<UnitSpec>,
    /// The smallest unit that the cluster makes.
    pub least: UnitSize,
    /// The types of replica that it knows.
    pub replicas: Vec<ReplicaType>,
    /// A placement like that of the source tenant, where that is still there.
    pub suggested: Option<Placement>,
}

impl Resources {
    /// A zone by its name.
    pub fn zone(&self, name: &str) -> Option<&ZoneRoom> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// A unit specification by its name.
    pub fn unit(&self, name: &str) -> Option<&UnitSpec> {
        self.units.iter().find(|unit| unit.name == name)
    }

    /// What one unit of a choice takes; `None` where the specification does not exist.
    pub fn size_of(&self, unit: &UnitChoice) -> Option<UnitSize> {
        match unit {
            UnitChoice::Existing(name) => self.unit(name).map(|unit| unit.size),
            UnitChoice::New { size, .. } => Some(size.given()),
        }
    }
}
