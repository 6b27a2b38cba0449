//! Many small histories on a virtual clock, each made from a seed: orders, faults, crashes between any two
//! awaits, clocks that step; and what must hold whatever happens.
//!
//! One thread drives everything. Time moves only when nothing waits for the control database, so hours pass
//! in milliseconds and the same seed gives (nearly) the same history. `TIDEMARK_SEEDS` says how many
//! histories are made, `TIDEMARK_SEED` which one alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dice;
mod history;
mod judge;
mod kills;
mod process;
mod recoverable;
mod schedule;
mod strategies;
mod tally;
mod world;
mod world_engine;

use std::sync::atomic::{AtomicU64, Ordering};

/// Histories made when nothing else is said.
const SEEDS: u64 = 2000;
/// Histories made beside each other.
const THREADS: usize = 2;

#[test]
fn whatever_happens_nothing_is_lost_done_twice_or_left_running() {
    if let Some(seed) = number("TIDEMARK_SEED") {
        return history::run(seed);
    }
    let seeds = number("TIDEMARK_SEEDS").unwrap_or(SEEDS);
    let (next, done) = (AtomicU64::new(1), AtomicU64::new(0));
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds || failed.lock().unwrap().len() > 4 {
                        return;
                    }
                    match std::panic::catch_unwind(|| history::run(seed)) {
                        Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                        Err(_) => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "histories of these seeds went wrong: {failed:?}; run one alone with TIDEMARK_SEED"
    );
    assert_eq!(done.into_inner(), seeds);
    tally::show(seeds);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
