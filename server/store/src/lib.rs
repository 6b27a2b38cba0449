//! The control database: rows, queries and transactions. The only crate that names sea-orm.
//!
//! What goes in and out is the vocabulary of `domain` and the few types here; rows stay inside.

mod change;
mod connect;
mod convert;
mod copy;
#[expect(
    clippy::disallowed_methods,
    reason = "the entity macro writes a transaction of its own, which nobody calls"
)]
mod entity;
mod error;
mod redact;
mod repo;

pub use change::Change;
pub use connect::Store;
pub use copy::copy_advice;
pub use error::{Result, StoreError};
pub use redact::Redacted;
pub use repo::{
    alerts::{OPEN_ALERTS_MAX, StoredAlert},
    audit::{Audit, AuditScope},
    channels::{CHANNELS_MAX, SealedChannel},
    clusters::{AddCluster, KnownCluster, Opened},
    deliveries::{DELIVERY_PAUSE_MAX_NS, Delivery},
    feed::FeedRows,
    jobs::{Claim, Job, JobFacts, JobPatch, Lease, NewJob, Order, PAUSE_MAX_NS, UNFINISHED_MAX},
    measures::TaskCount,
    picture::{ArchiveFacts, TenantFacts, TenantPicture},
    runs::{NewRun, OpenRun, RunTask},
    second::{SecondFacts, SecondPicture},
    secrets::{Reseal, SECRETS_MAX, SealedSecret, SecretRef},
    sessions::{NewSession, SESSIONS_MAX, Session},
    sizes::TenantSizes,
    storage_configs::PassedTest,
    strategies::{KnownStrategy, NewStrategy, StrategyChange},
    users::{User, UserPatch},
    verifications::Verification,
    watched::{ENDED_MAX, RunningTask},
};
