//! The hostile run's parts: foreign writers, their journals, and the oracle that compares a file with them.
//!
//! Nothing here knows how the engine works; what a file must hold follows from the journals alone.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses its own part of this module"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails fails the test"
)]
#![allow(missing_docs, reason = "test code")]

pub mod dice;
pub mod journal;
pub mod oracle;
pub mod rules;
pub mod writers;

/// UTC nanoseconds of the machine's clock, the one the foreign writers read too.
#[allow(
    clippy::disallowed_methods,
    reason = "foreign programs live in real time, and so do their witnesses"
)]
pub fn now_ns() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

/// The machine's clock for an engine under test.
#[derive(Debug, Clone, Copy)]
pub struct RealClock;

impl domain::clock::Clock for RealClock {
    fn now(&self) -> domain::Scn {
        domain::Scn(now_ns())
    }
}
