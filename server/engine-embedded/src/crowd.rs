//! How often a tenant does by itself what it does while nothing happens: the more tenants share an engine, the less
//! often, so that many quiet ones cost hardly more than few.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// The tenants of one engine, counted.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    tenants: AtomicU32,
}

impl Crowd {
    /// Notes how many there are now.
    pub(crate) fn count(&self, tenants: usize) {
        let tenants = u32::try_from(tenants).unwrap_or(u32::MAX);
        self.tenants.store(tenants, Ordering::Relaxed);
    }

    /// The pause of each of them, at least `least`, with which all together do something `per_second` times a second
    /// at most.
    pub(crate) fn pause(&self, least: Duration, per_second: u32) -> Duration {
        let tenants = self.tenants.load(Ordering::Relaxed);
        least.max(Duration::from_secs(1) * tenants / per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_not_slowed_down_and_many_share_what_there_is() {
        let (crowd, least) = (Crowd::default(), Duration::from_millis(800));
        assert_eq!(crowd.pause(least, 50), least);
        crowd.count(40);
        assert_eq!(crowd.pause(least, 50), least);
        crowd.count(500);
        assert_eq!(crowd.pause(least, 50), Duration::from_secs(10));
    }
}
