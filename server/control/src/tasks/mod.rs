//! What runs in the background: keeping clusters open, observing them, first backups of new rounds; and supervision of it all.

pub(crate) mod diff;
pub(crate) mod keep;
pub(crate) mod new_round;
pub(crate) mod observe;
pub(crate) mod second;
pub(crate) mod supervise;
