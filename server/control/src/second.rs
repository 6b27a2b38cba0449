//! Second backup: telling the engine where copies go, and the rows of second log backup.

use crate::{
    access::Viewer,
    console::Inner,
    error::{Error, chain},
    handle::{ClusterHandle, SecondTold, answer},
};
use domain::{
    page::{Page, TaskFilter},
    second_backup::{SecondLog, SecondLogState},
};
use std::path::PathBuf;
use store::KnownStrategy;

impl Inner {
    /// Tells the engine of a cluster where its second copies go, as its strategy says. To be called after each
    /// opening and each change of the strategy; what fails is noted, and tried again by the observer.
    pub(crate) async fn apply_second(&self, handle: &ClusterHandle) -> Result<(), Error> {
        let told = self.tell_second(handle).await;
        let noted = match &told {
            Ok(()) => SecondTold::Told,
            Err(error) => SecondTold::Refused(error.to_string()),
        };
        if handle.tell_second(noted)
            && let Err(error) = &told
        {
            tracing::error!(
                cluster.name = handle.name,
                "second copies go nowhere: {}",
                chain(error)
            );
        }
        if told.is_ok() {
            handle.nudge(self.now());
        }
        told
    }

    async fn tell_second(&self, handle: &ClusterHandle) -> Result<(), Error> {
        let stored = self.store.second_destination(handle.id).await?;
        let directory = stored.map(|stored| self.directory(&stored)).transpose()?;
        let engine = handle.engine()?;
        if directory.is_none() && !engine.capabilities().second_backup {
            return Ok(());
        }
        let told = engine.use_second(directory.as_deref());
        Ok(answer("second backup", &handle.name, told).await?)
    }

    /// The absolute directory of a stored one, which is below the home unless it says otherwise.
    fn directory(&self, stored: &str) -> Result<PathBuf, Error> {
        let joined = self.home.join(stored);
        std::path::absolute(&joined).map_err(|error| {
            Error::Unavailable(format!(
                "directory {} has no absolute path: {error}",
                joined.display()
            ))
        })
    }
}

impl Viewer {
    /// A page of "Second Log Backup Tasks".
    pub async fn second_logs(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<SecondLog>, Error> {
        let inner = &self.console.inner;
        let handle = inner.handle(cluster)?;
        let strategy = inner.store.strategy(handle.id).await?;
        let mut page = inner.store.second_logs(handle.id, filter).await?;
        let problem = handle.second_problem();
        for row in &mut page.rows {
            explain(row, strategy.as_ref(), problem.as_deref());
        }
        Ok(page)
    }
}

/// Tells the state as the strategy makes it, and why.
fn explain(row: &mut SecondLog, strategy: Option<&KnownStrategy>, problem: Option<&str>) {
    let kept = strategy.filter(|known| known.strategy.settings.second.is_some());
    let (state, note) = match (kept, problem) {
        (None, _) => (
            SecondLogState::Stopped,
            Some("The backup strategy has no second backup; what was copied is still there."),
        ),
        (Some(_), Some(problem)) => (SecondLogState::Unknown, Some(problem)),
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
