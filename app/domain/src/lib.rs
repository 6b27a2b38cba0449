//! The vocabulary and the rules of Tidemark, shared by the server and the browser.
//!
//! Nothing here does I/O, awaits, or reads a clock: `now` is always an argument. What the page
//! previews and what the server decides is the same function of the same types.

pub mod access;
pub mod alert;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod capability;
pub mod channel;
pub mod clock;
pub mod cluster;
pub mod endpoint;
pub mod feed;
pub mod ids;
pub mod job;
pub mod page;
pub mod password;
pub mod placement;
pub mod recoverable;
pub mod recovery;
pub mod retention;
pub mod schedule;
pub mod scn;
pub mod second_backup;
pub mod size;
pub mod storage;
pub mod strategy;
pub mod task;
pub mod tenant;
pub mod trend;
pub mod user;
pub mod validate;

pub use ids::{
    AlertId, BackupSetId, ChannelId, ClusterId, JobId, Revision, RunId, StorageId, StrategyId,
    TenantId, UserId,
};
pub use scn::Scn;
