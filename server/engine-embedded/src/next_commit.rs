//! The first commit that a recovery to a moment leaves out: how close to the moment it comes.

use crate::{EmbeddedEngine, commit::absent_at, engine::blocking, segment::Segment};
use domain::Scn;
use engine::{EngineError, EngineErrorKind, TenantKey};

/// The time of an archived commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitBounds {
    /// Neither it nor anything behind it was committed yet at this moment.
    pub after: Scn,
    /// It was committed at this moment, and is in recoveries from it on.
    pub scn: Scn,
}

impl EmbeddedEngine {
    /// The first archived commit later than `moment`; `None` when the archive has none yet.
    ///
    /// A commit of another program that was answered before its `after` is in every recovery to `moment`.
    pub async fn first_commit_after(
        &self,
        tenant: &TenantKey,
        moment: Scn,
    ) -> Result<Option<CommitBounds>, EngineError> {
        let tenant = self.inner.tenant(tenant)?;
        blocking("reading the log", move || {
            let failed = |message: String| {
                EngineError::new(
                    EngineErrorKind::Rejected,
                    "reading the log",
                    tenant.name(),
                    message,
                )
            };
            let dest = tenant
                .destination
                .get()
                .map_err(|error| failed(error.to_string()))?;
            let history = tenant.history().clone();
            let later = history
                .rounds
                .values()
                .flat_map(|round| round.segments.values())
                .filter(|segment| segment.name.until > moment);
            for info in later {
                let segment =
                    Segment::open(&dest, &info.key).map_err(|error| failed(error.to_string()))?;
                if let Some(commit) = segment.commits.iter().find(|commit| commit.scn > moment) {
                    return Ok(Some(CommitBounds {
                        after: absent_at(&segment.commits, commit.txn - 1).unwrap_or(commit.after),
                        scn: commit.scn,
                    }));
                }
            }
            Ok(None)
        })
        .await
    }
}
