//! The audit as it is read: who did what from where, to what, and how it ended.

use crate::Scn;
use serde::{Deserialize, Serialize};

/// Most characters of a text that is looked for.
pub const TEXT_MAX: usize = 100;

/// How something ended that somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditResult {
    /// It was begun, and its end is not known: it is under way, or the console ended meanwhile.
    Begun,
    /// It was done.
    Ok,
    /// It was not allowed.
    Refused,
    /// It was tried and failed.
    Failed,
}

impl AuditResult {
    /// Every result.
    pub const ALL: [AuditResult; 4] = [
        AuditResult::Ok,
        AuditResult::Refused,
        AuditResult::Failed,
        AuditResult::Begun,
    ];

    /// The word in the control database and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            AuditResult::Begun => "begun",
            AuditResult::Ok => "ok",
            AuditResult::Refused => "refused",
            AuditResult::Failed => "failed",
        }
    }

    /// The result of this word.
    pub fn from_code(code: &str) -> Option<AuditResult> {
        AuditResult::ALL
            .into_iter()
            .find(|result| result.code() == code)
    }

    /// The word on the page.
    pub const fn label(self) -> &'static str {
        match self {
            AuditResult::Begun => "Begun",
            AuditResult::Ok => "Done",
            AuditResult::Refused => "Refused",
            AuditResult::Failed => "Failed",
        }
    }
}

/// One entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Number; later entries have higher ones.
    pub id: i64,
    /// When.
    pub at: Scn,
    /// Who.
    pub actor: String,
    /// From which address, where one was seen.
    pub address: Option<String>,
    /// What was done, as a noun: `data backup`.
    pub operation: String,
    /// Name of the cluster, if it was in one.
    pub cluster: Option<String>,
    /// To what: a tenant's name, a task's number.
    pub subject: String,
    /// More about it.
    pub detail: String,
    /// How it ended.
    pub result: AuditResult,
    /// Why it was refused or failed.
    pub cause: Option<String>,
    /// What was before, as JSON.
    pub before: Option<String>,
    /// What was after, as JSON.
    pub after: Option<String>,
}

/// Which entries to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditFilter {
    /// Only entries at or after it.
    pub since: Option<Scn>,
    /// Only entries before it.
    pub until: Option<Scn>,
    /// Only entries of this actor.
    pub actor: Option<String>,
    /// Only entries of this operation.
    pub operation: Option<String>,
    /// Only entries of the cluster with this name.
    pub cluster: Option<String>,
    /// Only entries that ended so.
    pub result: Option<AuditResult>,
    /// Only entries with this text in actor, operation, subject, detail or cause.
    pub text: Option<String>,
    /// Page number from 1.
    pub page: u32,
    /// Rows of a page: 10, 20 or 50.
    pub size: u32,
}
