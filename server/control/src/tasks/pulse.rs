//! Signs of life: when each duty last went round. A duty that is stuck is silent, and that is told.

use domain::{ClusterId, Scn};
use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

tokio::task_local! {
    static PULSE: Arc<Pulse>;
}

/// The signs of life of one duty.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// A noun: `observation`.
    pub(crate) name: &'static str,
    /// The cluster it is for, if for one.
    pub(crate) cluster: Option<(ClusterId, String)>,
    last: AtomicU64,
    falls: AtomicU32,
}

impl Pulse {
    /// Of a duty that begins now.
    pub(crate) fn new(name: &'static str, cluster: Option<(ClusterId, String)>, now: Scn) -> Self {
        Pulse {
            name,
            cluster,
            last: AtomicU64::new(now.0),
            falls: AtomicU32::new(0),
        }
    }

    /// When it last went round.
    pub(crate) fn last(&self) -> Scn {
        Scn(self.last.load(Ordering::Relaxed))
    }

    /// How often it stumbled.
    pub(crate) fn falls(&self) -> u32 {
        self.falls.load(Ordering::Relaxed)
    }

    /// Notes that it stumbled.
    pub(crate) fn fell(&self) {
        self.falls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a duty whose rounds are noted in `pulse`.
pub(crate) async fn with<Work: Future>(pulse: Arc<Pulse>, work: Work) -> Work::Output {
    PULSE.scope(pulse, work).await
}

/// Notes that the duty that runs here goes round. Every duty waits for the end or for its next round, and
/// that wait calls this.
pub(crate) fn beat(now: Scn) {
    // Without a duty nobody waits for a sign.
    let _ = PULSE.try_with(|pulse| pulse.last.store(now.0, Ordering::Relaxed));
}
