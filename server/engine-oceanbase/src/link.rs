//! One pinned session that is made anew when it is lost.

use crate::session::{Connector, SqlFailure, SqlSession, Table};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// How long looking at something may take, at the client.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// The same inside of the server, in us, so that it gives up first and says so.
const READ_LIMIT_US: u64 = 25_000_000;

/// A session of the tenant `sys` for statements that do not depend on each other.
pub(crate) struct Link {
    connector: Arc<dyn Connector>,
    session: Mutex<Option<Box<dyn SqlSession>>>,
    sent: AtomicU64,
}

impl Link {
    pub(crate) fn new(connector: Arc<dyn Connector>) -> Self {
        Link {
            connector,
            session: Mutex::new(None),
            sent: AtomicU64::new(0),
        }
    }

    /// Statements sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Runs one statement that only reads; tried once more where the session was lost.
    pub(crate) async fn read(&self, sql: &str) -> Result<Table, SqlFailure> {
        let mut session = self.session.lock().await;
        let was_open = session.is_some();
        match self.once(&mut session, sql, READ_LIMIT).await {
            // An idle session may have been ended by the server or a proxy long ago.
            Err(failure) if was_open && matches!(failure, SqlFailure::Unanswered(_)) => {
                self.once(&mut session, sql, READ_LIMIT).await
            }
            other => other,
        }
    }

    /// Runs one statement that does something; never sent twice.
    pub(crate) async fn order(&self, sql: &str, limit: Duration) -> Result<(), SqlFailure> {
        let mut session = self.session.lock().await;
        // A session that went stale would leave it open whether the order was carried out.
        if session.is_some() {
            self.once(&mut session, "SELECT 1", READ_LIMIT).await.ok();
        }
        self.once(&mut session, sql, limit).await.map(|_| ())
    }

    async fn once(
        &self,
        slot: &mut Option<Box<dyn SqlSession>>,
        sql: &str,
        limit: Duration,
    ) -> Result<Table, SqlFailure> {
        let mut session = match slot.take() {
            Some(session) => session,
            None => opened(&*self.connector).await?,
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        let result = session.run(sql, limit).await;
        if !matches!(&result, Err(failure) if failure.ends_session()) {
            *slot = Some(session);
        }
        Ok(result?.pop().unwrap_or_default())
    }
}

/// A session that waits long enough for what reads and short orders take.
pub(crate) async fn opened(connector: &dyn Connector) -> Result<Box<dyn SqlSession>, SqlFailure> {
    let mut session = connector.connect().await?;
    let set = format!("SET ob_query_timeout = {READ_LIMIT_US}");
    session.run(&set, READ_LIMIT).await?;
    Ok(session)
}
