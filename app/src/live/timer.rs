//! Doing something once, later.

use gloo_timers::callback::Timeout;

/// Calls `then` after `ms` milliseconds. Cannot be taken back; `then` must bear finding nothing left to do.
pub fn after(ms: u32, then: impl FnOnce() + 'static) {
    Timeout::new(ms, then).forget();
}
