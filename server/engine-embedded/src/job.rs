//! Jobs inside the engine: their reports, progress and cancellation.

use domain::{Scn, clock::Clock, job::Progress};
use engine::{EngineJobState, JobReport};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Nanoseconds over which the shown rate is smoothed.
const RATE_WINDOW_NS: u64 = 2_000_000_000;

/// Somebody asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("canceled")]
pub(crate) struct Canceled;

/// One job; shared by the thread that does it and those that ask.
pub(crate) struct Job {
    clock: Arc<dyn Clock>,
    report: Mutex<JobReport>,
    cancel: Arc<AtomicBool>,
    meter: Mutex<Meter>,
}

/// Where the rate was measured last.
#[derive(Default)]
struct Meter {
    at: Scn,
    bytes: u64,
}

impl Job {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Job {
            clock,
            report: Mutex::new(JobReport::running()),
            cancel: Arc::default(),
            meter: Mutex::default(),
        })
    }

    pub(crate) fn report(&self) -> JobReport {
        self.report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut JobReport)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Asks the job to stop at its next chunk.
    pub(crate) fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.update(|report| {
            if report.state == EngineJobState::Running {
                report.state = EngineJobState::Canceling;
            }
        });
    }

    /// The flag itself, for callbacks that cannot borrow the job.
    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    pub(crate) fn is_canceled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// To be called once a chunk.
    pub(crate) fn check(&self) -> Result<(), Canceled> {
        if self.is_canceled() {
            Err(Canceled)
        } else {
            Ok(())
        }
    }

    /// Begins a phase with `total` bytes to do.
    pub(crate) fn phase(&self, name: &str, total: u64) {
        *self.meter.lock().unwrap_or_else(PoisonError::into_inner) = Meter {
            at: self.clock.now(),
            bytes: 0,
        };
        self.update(|report| {
            let progress = Progress {
                phase: name.to_owned(),
                total_bytes: total,
                ..Progress::default()
            };
            report.progress = progress;
        });
    }

    /// Tells that `bytes` more of the phase are done.
    pub(crate) fn advance(&self, bytes: u64) {
        let now = self.clock.now();
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        self.update(|report| {
            let progress = &mut report.progress;
            progress.done_bytes += bytes;
            let elapsed = now.since_ns(meter.at);
            let since = progress.done_bytes.saturating_sub(meter.bytes);
            if elapsed > 0 && (elapsed >= RATE_WINDOW_NS / 8 || progress.rate_bytes_per_s == 0) {
                progress.rate_bytes_per_s = rate(since, elapsed);
            }
            let left = progress.total_bytes.saturating_sub(progress.done_bytes);
            progress.eta_ms = (progress.rate_bytes_per_s > 0)
                .then(|| left.saturating_mul(1000) / progress.rate_bytes_per_s);
            if elapsed >= RATE_WINDOW_NS {
                *meter = Meter {
                    at: now,
                    bytes: progress.done_bytes,
                };
            }
        });
    }
}

fn rate(bytes: u64, ns: u64) -> u64 {
    u64::try_from(u128::from(bytes) * 1_000_000_000 / u128::from(ns)).unwrap_or(u64::MAX)
}
