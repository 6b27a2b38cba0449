//! The pages, one folder per address; beside them what several of them share.

pub mod account;
pub mod audit;
pub mod backup_recovery;
pub mod clusters;
pub mod home;
pub mod not_found;
pub mod overview;
pub mod paging;
pub mod recovery;
pub mod settings;
pub mod statements;
pub mod status;
pub mod strategy;
pub mod users;
pub mod words;
