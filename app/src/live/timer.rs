//! Doing something later, once or again and again.

use super::document::is_hidden;
use gloo_timers::{callback::Timeout, future::TimeoutFuture};
use leptos::{prelude::*, task::spawn_local};

/// Calls `then` after `ms` milliseconds. Cannot be taken back; `then` must bear finding nothing left to do.
pub fn after(ms: u32, then: impl FnOnce() + 'static) {
    Timeout::new(ms, then).forget();
}

/// Calls `again` every `ms` milliseconds for as long as the view is there and somebody can see it. Only in a browser.
pub fn every(ms: u32, again: impl Fn() + Clone + 'static) {
    let here = StoredValue::new(());
    Effect::new(move |_| {
        let again = again.clone();
        spawn_local(async move {
            loop {
                TimeoutFuture::new(ms).await;
                if here.try_get_value().is_none() {
                    return;
                }
                if !is_hidden() {
                    again();
                }
            }
        });
    });
}
