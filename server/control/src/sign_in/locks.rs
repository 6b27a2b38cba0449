//! How often one may fail: per name and per address, and how long the next try has to wait.

use domain::{Scn, scn::NS_PER_SECOND};
use std::{collections::HashMap, net::IpAddr, sync::Mutex};

/// Failures of one name before it is locked.
pub(super) const NAME_FREE: u32 = 5;
/// Failures from one address before it is locked.
const ADDRESS_FREE: u32 = 20;
/// First time that something is locked for; each further failure doubles it.
const LOCK_NS: u64 = 30 * NS_PER_SECOND;
/// Longest time that something is locked for.
const LOCK_NS_MAX: u64 = 900 * NS_PER_SECOND;
/// After this long without a failure the count begins anew.
pub(super) const FORGET_NS: u64 = 3600 * NS_PER_SECOND;
/// Most names and addresses that are remembered; the one that failed longest ago makes room.
const REMEMBERED_MAX: usize = 10_000;

/// Until when a name is locked after so many failures.
pub(super) fn name_locked(failures: u32, now: Scn) -> Option<Scn> {
    locked(failures, NAME_FREE, now)
}

fn locked(failures: u32, free: u32, now: Scn) -> Option<Scn> {
    let beyond = failures.checked_sub(free)?;
    let wait = LOCK_NS.saturating_mul(1u64.checked_shl(beyond.min(20)).unwrap_or(u64::MAX));
    Some(now.plus_ns(wait.min(LOCK_NS_MAX)))
}

/// Seconds until `until`, rounded up, if it is still to come. A clock that was set back does not lock longer
/// than a lock can be.
pub(super) fn seconds_left(until: Option<Scn>, now: Scn) -> Option<u64> {
    let left = until?.0.saturating_sub(now.0).min(LOCK_NS_MAX);
    (left > 0).then(|| left.div_ceil(NS_PER_SECOND))
}

/// Failures of names that no user has, and of addresses. In memory only.
#[derive(Default)]
pub(super) struct Locks {
    names: Mutex<HashMap<String, Failures>>,
    addresses: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Scn,
    until: Option<Scn>,
}

impl Locks {
    /// Seconds that an address has to wait.
    pub(super) fn address_waits(&self, address: Option<&str>, now: Scn) -> Option<u64> {
        waits(&self.addresses, &group(address?), now)
    }

    /// Counts a failure from an address.
    pub(super) fn address_failed(&self, address: Option<&str>, now: Scn) {
        if let Some(address) = address {
            failed(&self.addresses, group(address), ADDRESS_FREE, now);
        }
    }

    /// Seconds that a name without a user has to wait.
    pub(super) fn name_waits(&self, name: &str, now: Scn) -> Option<u64> {
        waits(&self.names, &key(name), now)
    }

    /// Counts a failure of a name without a user; seconds that it has to wait from now on.
    pub(super) fn name_failed(&self, name: &str, now: Scn) -> Option<u64> {
        failed(&self.names, key(name), NAME_FREE, now)
    }
}

/// Long names are remembered by their digest, so that they take no more room than others.
fn key(name: &str) -> String {
    super::secret::digest(&name.to_ascii_lowercase())
}

/// Addresses that one party has at its disposal: a single one of version 4, a network of version 6.
fn group(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        _ => address.chars().take(64).collect(),
    }
}

fn waits(all: &Mutex<HashMap<String, Failures>>, key: &str, now: Scn) -> Option<u64> {
    seconds_left(lock(all).get(key)?.until, now)
}

fn failed(all: &Mutex<HashMap<String, Failures>>, key: String, free: u32, now: Scn) -> Option<u64> {
    let mut all = lock(all);
    let before = all.get(&key).filter(|one| {
        let since = one.until.unwrap_or(one.last).max(one.last);
        now.0.saturating_sub(since.0) < FORGET_NS
    });
    let count = before.map_or(0, |one| one.count).saturating_add(1);
    let until = locked(count, free, now);
    if all.len() >= REMEMBERED_MAX && !all.contains_key(&key) {
        let oldest = all.iter().min_by_key(|(_, one)| one.last);
        let oldest = oldest.map(|(key, _)| key.clone());
        oldest.and_then(|key| all.remove(&key));
    }
    let last = now;
    all.insert(key, Failures { count, last, until });
    seconds_left(until, now)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("invariant: nothing panics while it holds this lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64) -> Scn {
        Scn(1_000_000 * NS_PER_SECOND).plus_ns(at * NS_PER_SECOND)
    }

    #[test]
    fn a_few_failures_are_free_and_then_the_wait_doubles_up_to_its_limit() {
        let waits: Vec<Option<u64>> = (4..=12)
            .map(|failures| seconds_left(name_locked(failures, second(0)), second(0)))
            .collect();
        let expected = [
            None,
            Some(30),
            Some(60),
            Some(120),
            Some(240),
            Some(480),
            Some(900),
            Some(900),
            Some(900),
        ];
        assert_eq!(waits, expected);
        assert_eq!(
            seconds_left(name_locked(u32::MAX, second(0)), second(0)),
            Some(900)
        );
    }

    #[test]
    fn a_lock_ends_and_a_clock_set_back_does_not_make_it_longer() {
        let until = Some(second(30));
        assert_eq!(seconds_left(until, second(29)), Some(1));
        assert_eq!(seconds_left(until, second(30)), None);
        assert_eq!(seconds_left(Some(second(90_000)), second(0)), Some(900));
    }

    #[test]
    fn one_network_of_version_six_is_one_address() {
        let locks = Locks::default();
        for number in 0..ADDRESS_FREE {
            let address = format!("2001:db8:0:1::{number:x}");
            assert_eq!(locks.address_waits(Some(&address), second(0)), None);
            locks.address_failed(Some(&address), second(0));
        }
        assert_eq!(
            locks.address_waits(Some("2001:db8:0:1::ffff"), second(0)),
            Some(30)
        );
        assert_eq!(
            locks.address_waits(Some("2001:db8:0:2::1"), second(0)),
            None
        );
        assert_eq!(locks.address_waits(None, second(0)), None);
    }

    #[test]
    fn names_are_forgotten_after_a_while_and_never_more_than_so_many_are_kept() {
        let locks = Locks::default();
        for _ in 0..NAME_FREE {
            locks.name_failed("Maria", second(0));
        }
        assert_eq!(locks.name_waits("maria", second(0)), Some(30));
        assert_eq!(locks.name_failed("maria", second(31)), Some(60));
        assert_eq!(locks.name_failed("maria", second(31 + 60 + 3600)), None);
        for number in 0..=REMEMBERED_MAX {
            locks.name_failed(&format!("n{number}"), second(10_000 + number as u64));
        }
        assert_eq!(lock(&locks.names).len(), REMEMBERED_MAX);
        assert!(!lock(&locks.names).contains_key(&key("n0")));
    }
}
