//! Asking again and again, with consideration: never two questions at once, none while nobody
//! looks, at once when somebody looks again, and ever more rarely while there is no answer.

use super::document::is_hidden;
use crate::signal::RwSignal;
use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
};

/// Longest wait between two questions while there is no answer, in milliseconds.
pub const WAIT_MS_MAX: u32 = 60_000;

/// How the last questions went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Health {
    /// Questions without an answer since the last answer.
    pub missed: u32,
    /// The viewer's clock when the last answer came, in milliseconds since the epoch.
    pub answered_ms: Option<f64>,
    /// Milliseconds until the next question, as of the last one.
    pub next_in_ms: u32,
}

/// A running poll. Copy it to wherever its health is shown or a question is wanted at once.
#[derive(Clone, Copy)]
pub struct Poll {
    health: RwSignal<Health>,
    wanted: RwSignal<u32>,
}

impl Poll {
    /// How the last questions went. Tracked.
    pub fn health(&self) -> Health {
        self.health.get()
    }

    /// Asks now.
    pub fn now(&self) {
        self.wanted.update(|count| *count += 1);
    }
}

struct Loop<A> {
    ask: A,
    every_ms: Signal<u32>,
    health: RwSignal<Health>,
    timer: RefCell<Option<Timeout>>,
    pending: Cell<bool>,
    alive: Cell<bool>,
}

/// Calls `ask` every `every_ms` milliseconds as long as the calling owner lives. Only in the browser.
/// `ask` answers whether it got an answer.
pub fn use_poll<A, F>(every_ms: Signal<u32>, ask: A) -> Poll
where
    A: Fn() -> F + Clone + 'static,
    F: Future<Output = bool> + 'static,
{
    let poll = Poll {
        health: RwSignal::new(Health::default()),
        wanted: RwSignal::new(0),
    };
    Effect::new(move |_| {
        let polling = Rc::new(Loop {
            ask: ask.clone(),
            every_ms,
            health: poll.health,
            timer: RefCell::new(None),
            pending: Cell::new(false),
            alive: Cell::new(true),
        });
        arm(&polling, every_ms.get_untracked());
        let on_return = Rc::clone(&polling);
        let listener = window_event_listener_untyped("visibilitychange", move |_| {
            if is_hidden() {
                on_return.timer.take();
            } else {
                question(&on_return);
            }
        });
        let on_wish = Rc::clone(&polling);
        Effect::new(move |_| {
            if poll.wanted.get() > 0 {
                question(&on_wish);
            }
        });
        let polling = StoredValue::new_local(polling);
        on_cleanup(move || {
            listener.remove();
            polling.with_value(|polling| {
                polling.alive.set(false);
                polling.timer.take();
            });
        });
    });
    poll
}

fn arm<A, F>(polling: &Rc<Loop<A>>, ms: u32)
where
    A: Fn() -> F + 'static,
    F: Future<Output = bool> + 'static,
{
    let later = Rc::clone(polling);
    *polling.timer.borrow_mut() = Some(Timeout::new(ms, move || question(&later)));
}

fn question<A, F>(polling: &Rc<Loop<A>>)
where
    A: Fn() -> F + 'static,
    F: Future<Output = bool> + 'static,
{
    if !polling.alive.get() || is_hidden() || polling.pending.replace(true) {
        return;
    }
    let polling = Rc::clone(polling);
    spawn_local(async move {
        let answered = (polling.ask)().await;
        polling.pending.set(false);
        if !polling.alive.get() {
            return;
        }
        let mut health = polling.health.get_untracked();
        if answered {
            health.missed = 0;
            health.answered_ms = Some(super::time::wall_ms());
        } else {
            health.missed += 1;
        }
        health.next_in_ms = wait_ms(polling.every_ms.get_untracked(), health.missed);
        polling.health.set(health);
        arm(&polling, health.next_in_ms);
    });
}

/// The wait before the next question: doubled for every one that was missed.
fn wait_ms(every_ms: u32, missed: u32) -> u32 {
    every_ms
        .saturating_mul(1u32.checked_shl(missed.min(16)).unwrap_or(u32::MAX))
        .min(WAIT_MS_MAX.max(every_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let waits: Vec<u32> = (0..8).map(|missed| wait_ms(2000, missed)).collect();
        assert_eq!(
            waits,
            [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
        );
        assert_eq!(wait_ms(20_000, 0), 20_000);
        assert_eq!(wait_ms(20_000, 40), 60_000);
    }
}
