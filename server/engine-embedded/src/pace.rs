//! A limit of bytes per second, kept smoothly and by all that copy together.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Longest sleep between two looks at whether the work was canceled.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// Bytes copied at once, with no limit or a wide one, and at least.
const CHUNK_BYTES_MAX: usize = 256 << 10;
const CHUNK_BYTES_MIN: usize = 4 << 10;
/// Chunks a second that a limit is cut into.
const CHUNKS_PER_S: u64 = 10;

/// When the next bytes may be copied. By a clock that nobody can set back.
#[derive(Default)]
pub(crate) struct Pace {
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// Waits until `bytes` may be copied, which nobody else then may in the time they take. `check` is
    /// called again and again, and ends the wait when it fails.
    pub(crate) fn take<E>(
        &self,
        bytes: usize,
        limit_bytes_per_s: Option<u64>,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(limit) = limit_bytes_per_s.map(|limit| limit.max(1)) else {
            return Ok(());
        };
        let takes_ns = bytes as u128 * 1_000_000_000 / u128::from(limit);
        let takes = Duration::from_nanos(u64::try_from(takes_ns).unwrap_or(u64::MAX));
        let turn = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = free_at.map_or_else(Instant::now, |at| at.max(Instant::now()));
            *free_at = turn.checked_add(takes);
            turn
        };
        loop {
            check()?;
            let left = turn.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLEEP_MAX));
        }
    }
}

/// Bytes to copy at once, so that a limit is kept within each part of a second.
pub(crate) fn chunk_bytes(limit_bytes_per_s: Option<u64>) -> usize {
    let part = limit_bytes_per_s.map_or(u64::MAX, |limit| limit / CHUNKS_PER_S);
    usize::try_from(part)
        .unwrap_or(usize::MAX)
        .clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_by_all_together_and_within_each_part_of_a_second() {
        let pace = Pace::default();
        let limit = Some(1_000_000);
        let chunk = chunk_bytes(limit);
        let begun = Instant::now();
        let longest = std::thread::scope(|scope| {
            let copiers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut longest = Duration::ZERO;
                        for _ in 0..3 {
                            let asked = Instant::now();
                            pace.take(chunk, limit, || Ok::<(), ()>(())).unwrap();
                            longest = longest.max(asked.elapsed());
                        }
                        longest
                    })
                })
                .collect();
            let longest = copiers.into_iter().map(|it| it.join().unwrap());
            longest.max().unwrap()
        });
        // The first chunk goes at once; the other five wait for those before them.
        assert!(begun.elapsed() >= Duration::from_millis(450), "too fast");
        assert!(longest < Duration::from_millis(450), "{longest:?} at once");
    }

    #[test]
    fn waiting_ends_when_the_work_is_canceled() {
        let pace = Pace::default();
        pace.take(1000, Some(1), || Ok::<(), ()>(())).unwrap();
        let begun = Instant::now();
        let is_over = || match begun.elapsed() > Duration::from_millis(150) {
            true => Err("canceled"),
            false => Ok(()),
        };
        assert_eq!(pace.take(1, Some(1), is_over), Err("canceled"));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn chunks_are_neither_tiny_nor_huge() {
        assert_eq!(chunk_bytes(None), CHUNK_BYTES_MAX);
        assert_eq!(chunk_bytes(Some(0)), CHUNK_BYTES_MIN);
        assert_eq!(chunk_bytes(Some(1_000_000)), 100_000);
    }
}
