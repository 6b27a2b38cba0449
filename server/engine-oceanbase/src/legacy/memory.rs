//! What this process remembers of its orders.
//!
//! A cluster before 4.0 keeps no mark of who ordered something: no view has a description. So the process remembers
//! which numbers were there before it sent an order; what comes after them is that order's. What it forgets with its
//! end: a data backup whose number nobody wrote down in time may be made once more, and is never made twice at once,
//! since the cluster runs one at a time. Recoveries have a mark of their own, the names of their pools.

use super::copy::CopyOf;
use ::engine::EngineJobId;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Most orders, cancellations and the like that are remembered; the oldest are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// Which of the numbers that ascend with time something has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// This one.
    Is(i64),
    /// The first one after this, which was the newest when the order was sent.
    After(i64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Is(number) => write!(f, "{number}"),
            Number::After(before) => write!(f, "after-{before}"),
        }
    }
}

impl Number {
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text.strip_prefix("after-") {
            Some(before) => before.parse().ok().map(Number::After),
            None => text.parse().ok().map(Number::Is),
        }
    }

    /// The condition that a row's number is it, or comes into question, in ascending order.
    pub(crate) fn condition(self, column: &str) -> String {
        match self {
            Number::Is(number) => format!("{column} = {number}"),
            Number::After(before) => format!("{column} > {before}"),
        }
    }
}

/// What an order was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A data backup, for this tenant.
    Backup(i64),
    /// A copy, for this tenant.
    Copy(CopyOf, i64),
    /// A recovery into this name.
    Restore(String),
}

/// An order of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// It was sent, or is being sent, when this was the newest number; whether it was carried out is not known.
    Sent(i64, Asked),
    /// It has this number.
    Known(EngineJobId),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    orders: Mutex<VecDeque<(String, Order)>>,
    given_up: Mutex<VecDeque<String>>,
}

impl Memory {
    /// What is known of an order.
    pub(crate) fn order(&self, token: &str) -> Option<Order> {
        let orders = lock(&self.orders);
        let known = orders.iter().rev().find(|(known, _)| known == token);
        known.map(|(_, order)| order.clone())
    }

    pub(crate) fn note(&self, token: &str, order: Order) {
        let mut orders = lock(&self.orders);
        orders.retain(|(known, _)| known != token);
        orders.push_back((token.to_owned(), order));
        if orders.len() > REMEMBERED_MAX {
            orders.pop_front();
        }
    }

    /// The order was refused: nothing came of it.
    pub(crate) fn forget(&self, token: &str) {
        lock(&self.orders).retain(|(known, _)| known != token);
    }

    /// Somebody asked for the end of it.
    pub(crate) fn give_up(&self, what: String) {
        let mut given_up = lock(&self.given_up);
        given_up.push_back(what);
        if given_up.len() > REMEMBERED_MAX {
            given_up.pop_front();
        }
    }

    /// It goes on after all.
    pub(crate) fn keep(&self, what: &str) {
        lock(&self.given_up).retain(|known| known != what);
    }

    pub(crate) fn is_given_up(&self, what: &str) -> bool {
        lock(&self.given_up).iter().any(|known| known == what)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for number in [Number::Is(7), Number::After(0)] {
            assert_eq!(Number::read(&number.to_string()), Some(number));
        }
        assert_eq!(Number::read("after-"), None);
        assert_eq!(Number::read("stranger"), None);
    }

    #[test]
    fn the_oldest_order_is_forgotten_first_and_a_refused_one_at_once() {
        let memory = Memory::default();
        let sent = Order::Sent(1, Asked::Backup(1002));
        for number in 0..=REMEMBERED_MAX {
            memory.note(&number.to_string(), sent.clone());
        }
        assert_eq!(memory.order("0"), None);
        assert_eq!(memory.order("1"), Some(sent));
        memory.forget("1");
        assert_eq!(memory.order("1"), None);
    }
}
