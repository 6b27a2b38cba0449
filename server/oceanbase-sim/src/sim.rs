//! The cluster as its users hold it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::SimSession;
use crate::setup::Setup;
use crate::views::Contract;
use crate::world::World;
use crate::world::faults::Fault;
use crate::{SqlError, login};

/// A simulated cluster. Clones are the same cluster.
#[derive(Clone)]
pub struct Sim {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) contract: Arc<Contract>,
}

impl Sim {
    /// A new cluster.
    pub fn new(setup: Setup) -> Sim {
        let contract = Arc::new(Contract::of(setup.version));
        Sim {
            world: Arc::new(Mutex::new(World::new(setup))),
            contract,
        }
    }

    /// Signs in; `user` is `root@t1`, `root`, or with a proxy `root@t1#cluster`.
    pub fn log_in(&self, user: &str, password: &str) -> Result<SimSession, SqlError> {
        self.enter(user, &|candidate| candidate == password)
    }

    /// Signs in where only a proof of the password is at hand.
    pub(crate) fn enter(
        &self,
        user: &str,
        proof: &dyn Fn(&str) -> bool,
    ) -> Result<SimSession, SqlError> {
        let who = login::sign_in(&self.lock(), user, proof)?;
        Ok(SimSession::new(self.clone(), who))
    }

    /// Lets virtual time pass.
    pub fn advance(&self, by: Duration) {
        let mut world = self.lock();
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX / 4);
        let until = world.now_us.saturating_add(by);
        world.run_until(until);
    }

    /// The cluster's clock, in ns since the epoch.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.lock().now_us).unwrap_or(0) * 1000
    }

    /// Lets time pass up to a moment of a real clock; never back.
    pub fn follow_clock(&self, now_us: i64) {
        self.lock().run_until(now_us);
    }

    /// Brings a fault about.
    pub fn inject(&self, fault: Fault) {
        self.lock().inject(fault);
    }

    /// Ends every fault.
    pub fn clear_faults(&self) {
        self.lock().clear_faults();
    }

    /// The texts of the packets received, oldest first; only the last ten thousand are kept.
    pub fn statements(&self) -> Vec<String> {
        self.lock().statements.iter().cloned().collect()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").finish_non_exhaustive()
    }
}
