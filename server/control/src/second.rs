//! Second log backup: its rows, one for each tenant whose log is or was copied.

use crate::{access::Viewer, console::Inner, error::Error, handle::ClusterHandle};
use domain::{
    page::{Page, TaskFilter},
    second_backup::{SecondLog, SecondLogState},
};
use store::KnownStrategy;

impl Viewer {
    /// A page of "Second Log Backup Tasks".
    pub async fn second_logs(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<SecondLog>, Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let mut page = inner.store.second_logs(handle.id, filter).await?;
        page.rows = explained(inner, &handle, page.rows).await?;
        Ok(page)
    }
}

/// The rows with their states as the strategy makes them.
pub(crate) async fn explained(
    inner: &Inner,
    handle: &ClusterHandle,
    mut rows: Vec<SecondLog>,
) -> Result<Vec<SecondLog>, Error> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let strategy = inner.store.strategy(handle.id).await?;
    let fault = handle.second.fault();
    for row in &mut rows {
        explain(row, strategy.as_ref(), fault.as_deref());
    }
    Ok(rows)
}

/// Tells the state as the strategy makes it, and why.
fn explain(row: &mut SecondLog, strategy: Option<&KnownStrategy>, fault: Option<&str>) {
    let kept = strategy.filter(|known| known.strategy.settings.second.is_some());
    let (state, note) = match (kept, fault) {
        (None, _) => (
            SecondLogState::Stopped,
            Some("The backup strategy has no second backup; what was copied is still there."),
        ),
        (Some(_), Some(fault)) => (SecondLogState::Unknown, Some(fault)),
        (Some(known), None) if known.paused_at.is_some() => (
            SecondLogState::Stopped,
            Some("The backup strategy is paused; start it to have log copied again."),
        ),
        (Some(_), None) => (
            row.state,
            match row.state {
                SecondLogState::InProgress => None,
                SecondLogState::Stopped => Some("Second backup was turned on just now."),
                SecondLogState::Unknown => Some(
                    "The second destination cannot be looked at; see whether its disk is there.",
                ),
            },
        ),
    };
    row.state = state;
    row.note = note.map(str::to_owned);
}
