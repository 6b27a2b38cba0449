//! Durable tasks: the queue and the worker that carries them out.

pub(crate) mod attempt;
pub(crate) mod queue;
pub(crate) mod worker;
