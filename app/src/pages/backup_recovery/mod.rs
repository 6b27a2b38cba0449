//! The Backup & Recovery page of a cluster.

pub mod alerts;
pub mod back_up_now;
pub mod calendar;
pub mod cells;
pub mod cleanup_form;
pub mod cleanup_tasks;
pub mod data_backup_tasks;
pub mod filters;
pub mod head;
pub mod history;
pub mod left_behind;
pub mod log_backup_tasks;
pub mod page;
pub mod query;
pub mod recoverable_calendar;
pub mod recovery_tasks;
pub mod second_data_tasks;
pub mod second_log_tasks;
pub mod summary;
pub mod task_actions;
pub mod task_details;
pub mod task_drawer;
pub mod task_facts;
pub mod task_list;
pub mod tasks;
pub mod trend;

pub use page::BackupRecovery;
