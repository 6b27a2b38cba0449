//! The cluster itself: what exists, and what happens when the clock passes.

pub(crate) mod archive;
pub(crate) mod backup;
pub(crate) mod backup_run;
pub(crate) mod cleanup;
pub(crate) mod config;
pub(crate) mod dest;
pub(crate) mod faults;
mod history;
pub(crate) mod known;
pub(crate) mod legacy;
pub(crate) mod legacy_copies;
pub(crate) mod legacy_pieces;
mod legacy_restore;
pub(crate) mod recover;
pub(crate) mod resources;
pub(crate) mod restore;
pub(crate) mod restore_run;
pub(crate) mod select;
pub(crate) mod tenant;
mod unit_options;

use std::collections::{BTreeMap, VecDeque};

use crate::setup::Setup;
use crate::version::Version;

/// Something that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The archive loop looks at a tenant.
    Archive(i64),
    /// A backup job makes its next step.
    Backup(i64),
    /// A restore job makes its next step.
    Restore(i64),
    /// A table recovery makes its next step.
    Recover(i64),
    /// The hourly look for obsolete backups.
    CleanTick,
    /// A cleanup job makes its next step.
    Clean(i64),
    /// A tenant that was dropped is gone.
    TenantGone(i64),
    /// The data version of a tenant follows the servers.
    Upgraded(i64),
    /// Something of the 3.x cluster moves on.
    Legacy(legacy::Step),
}

/// Ids that never repeat.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) tenant: i64,
    pub(crate) dest: i64,
    pub(crate) job: i64,
    pub(crate) task: i64,
    pub(crate) unit: i64,
    pub(crate) pool: i64,
    pub(crate) config: i64,
}

/// Everything there is.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) now_us: i64,
    /// Grows with everything that a view could show.
    pub(crate) change: u64,
    pub(crate) ids: Ids,
    rng: u64,
    seq: u64,
    events: BTreeMap<(i64, u64), Event>,
    pub(crate) servers: Vec<resources::Server>,
    pub(crate) configs: Vec<resources::UnitConfig>,
    pub(crate) pools: Vec<resources::Pool>,
    pub(crate) units: Vec<resources::Unit>,
    pub(crate) tenants: Vec<tenant::Tenant>,
    pub(crate) rounds: Vec<archive::Round>,
    pub(crate) jobs: Vec<backup::Job>,
    pub(crate) sets: Vec<backup::Set>,
    pub(crate) clean_jobs: Vec<cleanup::CleanJob>,
    pub(crate) restores: Vec<restore::RestoreJob>,
    pub(crate) recoveries: Vec<recover::Recovery>,
    pub(crate) storage: dest::Storage,
    pub(crate) faults: faults::Faults,
    pub(crate) parameters: config::Parameters,
    pub(crate) cluster_events: Vec<tenant::ClusterEvent>,
    pub(crate) legacy: legacy::Legacy,
    /// Texts of statements received, oldest first.
    pub(crate) statements: VecDeque<String>,
}

const STATEMENTS: usize = 10_000;

/// The end of time: later SCNs do not fit.
const LAST_US: i64 = 9_000_000_000_000_000;

impl World {
    pub(crate) fn new(setup: Setup) -> World {
        let mut world = World {
            now_us: setup.start_us,
            change: 1,
            ids: Ids {
                tenant: 1002,
                dest: 1001,
                job: 1,
                task: 1,
                unit: 1001,
                pool: 1001,
                config: 1001,
            },
            rng: setup.seed,
            seq: 0,
            events: BTreeMap::new(),
            servers: Vec::new(),
            configs: Vec::new(),
            pools: Vec::new(),
            units: Vec::new(),
            tenants: Vec::new(),
            rounds: Vec::new(),
            jobs: Vec::new(),
            sets: Vec::new(),
            clean_jobs: Vec::new(),
            restores: Vec::new(),
            recoveries: Vec::new(),
            storage: dest::Storage::default(),
            faults: faults::Faults::default(),
            parameters: config::Parameters::default(),
            cluster_events: Vec::new(),
            legacy: legacy::Legacy::default(),
            statements: VecDeque::new(),
            setup,
        };
        if world.setup.history {
            world.now_us -= history::DAYS * crate::calendar::DAY_US;
        }
        world.found();
        world.found_tenants();
        if !world.version().is_legacy() {
            world.live_through_history();
            let hour = world.shortened(3_600_000_000);
            world.later(hour, Event::CleanTick);
        }
        world
    }

    pub(crate) fn version(&self) -> Version {
        self.setup.version
    }

    /// The clock as an SCN.
    pub(crate) fn now_scn(&self) -> i64 {
        self.now_us * 1000
    }

    /// A default duration in this cluster's pace, in us.
    pub(crate) fn shortened(&self, us: i64) -> i64 {
        let scale = if self.setup.scale > 0.0 {
            self.setup.scale
        } else {
            1.0
        };
        ((us as f64 / scale) as i64).max(1000)
    }

    /// A number below `bound` (splitmix64).
    pub(crate) fn random(&mut self, bound: i64) -> i64 {
        self.rng = self.rng.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.rng;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) >> 1).unwrap_or(0) % bound.max(1)
    }

    /// Plans an event.
    pub(crate) fn later(&mut self, in_us: i64, event: Event) {
        self.seq += 1;
        self.events.insert((self.now_us + in_us, self.seq), event);
    }

    /// Drops planned events.
    pub(crate) fn forget(&mut self, event: Event) {
        self.events.retain(|_, e| *e != event);
    }

    /// Lets time pass up to a moment, never back.
    pub(crate) fn run_until(&mut self, until_us: i64) {
        let until_us = until_us.min(LAST_US);
        while let Some((&(at, seq), &event)) = self.events.first_key_value() {
            if at > until_us {
                break;
            }
            self.events.remove(&(at, seq));
            self.now_us = self.now_us.max(at);
            self.happen(event);
            self.change += 1;
        }
        self.now_us = self.now_us.max(until_us);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Archive(tenant) => self.archive_step(tenant),
            Event::Backup(job) => self.backup_step(job),
            Event::Restore(job) => self.restore_step(job),
            Event::Recover(job) => self.recover_step(job),
            Event::CleanTick => {
                self.clean_tick();
                let hour = self.shortened(3_600_000_000);
                self.later(hour, Event::CleanTick);
            }
            Event::Clean(job) => self.clean_step(job),
            Event::TenantGone(tenant) => self.remove_tenant(tenant),
            Event::Upgraded(tenant) => self.upgraded(tenant),
            Event::Legacy(step) => self.legacy_step(step),
        }
    }

    pub(crate) fn note_statement(&mut self, text: &str) {
        if self.statements.len() == STATEMENTS {
            self.statements.pop_front();
        }
        self.statements.push_back(text.to_owned());
    }
}
