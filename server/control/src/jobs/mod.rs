//! Durable tasks: the queue and the worker that carries them out.

pub(crate) mod attempt;
pub(crate) mod follow;
pub(crate) mod queue;
pub(crate) mod retry;
pub(crate) mod worker;
