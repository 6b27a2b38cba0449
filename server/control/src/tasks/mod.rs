//! What runs in the background: keeping clusters open, observing them, first backups of new rounds, schedules, sizes over time, alerting, forgetting what is old; and supervision of it all.

mod alert_facts;
pub(crate) mod alerting;
pub(crate) mod diff;
pub(crate) mod forget;
pub(crate) mod keep;
pub(crate) mod new_round;
pub(crate) mod observe;
pub(crate) mod pulse;
pub(crate) mod runs;
pub(crate) mod schedule;
pub(crate) mod second;
pub(crate) mod second_copies;
pub(crate) mod sizes;
pub(crate) mod storages;
pub(crate) mod supervise;
pub(crate) mod wanted;
