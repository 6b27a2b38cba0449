//! What runs in the background: keeping clusters open, observing them, first backups of new rounds, forgetting what is old; and supervision of it all.

pub(crate) mod diff;
pub(crate) mod forget;
pub(crate) mod keep;
pub(crate) mod new_round;
pub(crate) mod observe;
pub(crate) mod pulse;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod supervise;
