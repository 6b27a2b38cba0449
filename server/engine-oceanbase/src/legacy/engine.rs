//! A signed-in cluster before 4.0, and what all of its parts ask and send.

use super::{
    facts::TenantFacts,
    look::{Look, LookError},
    memory::Memory,
    rows,
    statement::LegacyStatement,
    views::{LegacyColumns, LegacyView},
};
use crate::{
    engine::{SIMULATED, read_comment, read_version},
    failure::Call,
    link::Link,
    session::{Connector, SqlFailure, Table},
    statement::masked,
    version::Version,
};
use ::engine::{EngineError, EngineErrorKind, TenantKey};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long an order may take; the cluster carries all of them out in the background.
const ORDER_LIMIT: Duration = Duration::from_secs(45);

/// An OceanBase cluster before 4.0, driven as the tenant `sys`.
pub struct LegacyEngine {
    pub(super) name: String,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) reads: Link,
    pub(super) orders: Link,
    pub(super) columns: LegacyColumns,
    pub(super) version: Version,
    comment: String,
    /// Name and number of the cluster, which a recovery has to name.
    pub(super) cluster: (String, String),
    pub(super) memory: Memory,
    /// The second destination while the console uses one, with what opens it.
    pub(super) second: Mutex<Option<String>>,
    /// Held by the one that looks before it sends: two orders never both find that nothing runs.
    pub(super) turn: tokio::sync::Mutex<Turn>,
}

/// What the cluster does on behalf of this process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turn {
    /// The newest number before its last data backup.
    pub(super) backup: Option<i64>,
    /// The same of its last copy of sets, with the only set that is copied or none for all.
    pub(super) sets: Option<(i64, Option<i64>)>,
    /// The same of its last copy of log.
    pub(super) log: Option<i64>,
}

impl LegacyEngine {
    /// Signs in and learns what the cluster is. `Unsupported` for 4.0 and later.
    pub async fn open(name: &str, connector: Arc<dyn Connector>) -> Result<Self, EngineError> {
        let call = Call {
            operation: "opening",
            subject: name,
        };
        let failed = |failure: SqlFailure| call.failed(&failure);
        let reads = Link::new(Arc::clone(&connector));
        let version = read_version(&reads, call).await?;
        if version.is_per_tenant() {
            let why = format!("OceanBase {version} has tenants with backups of their own");
            return Err(call.error(EngineErrorKind::Unsupported, why));
        }
        let comment = read_comment(&reads, call).await?;
        let columns = LegacyColumns::of(&reads).await.map_err(failed)?;
        lacking(&columns, call)?;
        let mut opened = LegacyEngine {
            name: name.to_owned(),
            orders: Link::new(Arc::clone(&connector)),
            connector,
            reads,
            columns,
            version,
            comment,
            cluster: Default::default(),
            memory: Memory::default(),
            second: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        };
        let number = opened.parameter(call, "cluster_id").await?;
        opened.cluster = (opened.parameter(call, "cluster").await?, number);
        Ok(opened)
    }

    /// Whether it says of itself that it is a simulated cluster.
    pub fn is_simulated(&self) -> bool {
        self.comment.trim_end().ends_with(SIMULATED)
    }

    /// Statements that were sent only to look.
    pub fn statements_read(&self) -> u64 {
        self.reads.sent()
    }

    pub(super) fn call<'a>(&self, operation: &'static str, subject: &'a str) -> Call<'a> {
        Call { operation, subject }
    }

    /// A parameter of the cluster; empty where it has none.
    pub(super) async fn parameter(
        &self,
        call: Call<'_>,
        name: &str,
    ) -> Result<String, EngineError> {
        let table = self.reads.read(&rows::parameter(name)).await;
        let table = table.map_err(|failure| call.failed(&failure))?;
        Ok(rows::value(&table))
    }

    pub(super) async fn rows(
        &self,
        call: Call<'_>,
        view: LegacyView,
        rest: &str,
    ) -> Result<Table, EngineError> {
        let table = self.reads.read(&self.columns.select(view, rest)).await;
        table.map_err(|failure| call.failed(&failure))
    }

    pub(super) async fn look(&self, call: Call<'_>) -> Result<Look, EngineError> {
        let looked = Look::take(&self.reads, &self.columns, self.second()).await;
        looked.map_err(|error| match error {
            LookError::Failed(failure) => call.failed(&failure),
            LookError::Bad(value) => call.bad_value(&value),
        })
    }

    /// Everything about one tenant. `NotFound` when it is not there.
    pub(super) async fn tenant(
        &self,
        call: Call<'_>,
        key: &TenantKey,
    ) -> Result<TenantFacts, EngineError> {
        let look = self.look(call).await?;
        let tenants = look.tenants().map_err(|value| call.bad_value(&value))?;
        taken(call, tenants, key)
    }

    /// The number of a tenant that is there, without looking at its backups.
    pub(super) async fn tenant_id(
        &self,
        call: Call<'_>,
        key: &TenantKey,
    ) -> Result<i64, EngineError> {
        let id: i64 = key.0.parse().map_err(|_| no_tenant(call))?;
        let of_it = format!("WHERE TENANT_ID = {id} AND TENANT_ID <> 1");
        let table = self.rows(call, LegacyView::Tenants, &of_it).await?;
        table.first().map(|_| id).ok_or_else(|| no_tenant(call))
    }

    /// Sends an order.
    pub(super) async fn send(
        &self,
        call: Call<'_>,
        order: &LegacyStatement,
    ) -> Result<Result<(), SqlFailure>, EngineError> {
        let sql = order.sql().map_err(|why| call.unquotable(why))?;
        tracing::info!(
            cluster.name = self.name,
            statement = order.shown(),
            "sending"
        );
        let sent = self.orders.order(&sql, ORDER_LIMIT).await;
        Ok(sent.map_err(|failure| without_secrets(failure, order)))
    }

    /// Sends an order whose refusal is the caller's.
    pub(super) async fn must(
        &self,
        call: Call<'_>,
        order: &LegacyStatement,
    ) -> Result<(), EngineError> {
        let sent = self.send(call, order).await?;
        sent.map_err(|failure| call.failed(&failure))
    }

    /// The state of log archiving of the whole cluster, in its own word.
    pub(super) async fn archive_status(&self, call: Call<'_>) -> Result<String, EngineError> {
        let of_cluster = "WHERE TENANT_ID = 1";
        let table = self.rows(call, LegacyView::Archive, of_cluster).await?;
        let row = table.first();
        Ok(row.map_or_else(|| "STOP".to_owned(), |row| row.text_or_empty("STATUS")))
    }

    pub(super) async fn start_log(&self, key: &TenantKey) -> Result<(), EngineError> {
        let call = self.call("start of log backup", &key.0);
        self.tenant_id(call, key).await?;
        let _turn = self.turn.lock().await;
        let status = self.archive_status(call).await?;
        if status != "STOP" {
            let why = format!(
                "log backup is one switch for the whole cluster, and is on already ({status})"
            );
            return Err(call.rejected(why));
        }
        if self.parameter(call, "backup_dest").await?.is_empty() {
            return Err(call.rejected(
                "the cluster has no destination for its backups; set one in the backup strategy",
            ));
        }
        match self.send(call, &LegacyStatement::StartArchive).await? {
            Ok(()) => Ok(()),
            // Nobody knows whether it was carried out; the state tells.
            Err(failure) if failure.is_open() && self.archive_status(call).await? != "STOP" => {
                Ok(())
            }
            Err(failure) => Err(call.failed(&failure)),
        }
    }

    pub(super) async fn stop_log(&self, key: &TenantKey) -> Result<(), EngineError> {
        let call = self.call("stop of log backup", &key.0);
        self.tenant_id(call, key).await?;
        let _turn = self.turn.lock().await;
        let is_over = |status: &str| matches!(status, "STOP" | "STOPPING");
        if is_over(&self.archive_status(call).await?) {
            return Ok(());
        }
        match self.send(call, &LegacyStatement::StopArchive).await? {
            Ok(()) => Ok(()),
            // It was stopped meanwhile.
            Err(failure) if failure.is_code(9024) => Ok(()),
            Err(failure) if failure.is_open() && is_over(&self.archive_status(call).await?) => {
                Ok(())
            }
            Err(failure) => Err(call.failed(&failure)),
        }
    }

    /// The second destination while one is used.
    pub(super) fn second(&self) -> Option<String> {
        let second = self.second.lock();
        second.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A refusal may repeat the destination that it refuses, with the key in it.
fn without_secrets(failure: SqlFailure, order: &LegacyStatement) -> SqlFailure {
    match (failure, order.uri()) {
        (SqlFailure::Refused { code, message }, Some(uri)) => SqlFailure::Refused {
            code,
            message: message.replace(uri, &masked(uri)),
        },
        (failure, _) => failure,
    }
}

/// One tenant out of all. `NotFound` when it is not among them.
pub(super) fn taken(
    call: Call<'_>,
    mut tenants: BTreeMap<i64, TenantFacts>,
    key: &TenantKey,
) -> Result<TenantFacts, EngineError> {
    let id = key.0.parse().ok();
    id.and_then(|id: i64| tenants.remove(&id))
        .ok_or_else(|| no_tenant(call))
}

fn no_tenant(call: Call<'_>) -> EngineError {
    call.not_found("there is no such tenant in this cluster")
}

/// Refuses a cluster whose views of backups cannot be seen: mostly a lack of rights.
fn lacking(columns: &LegacyColumns, call: Call<'_>) -> Result<(), EngineError> {
    let needed = [
        LegacyView::Tenants,
        LegacyView::Archive,
        LegacyView::Rounds,
        LegacyView::Sets,
        LegacyView::Progress,
    ];
    let missing: Vec<&str> = needed
        .into_iter()
        .filter(|view| !columns.has(*view))
        .map(LegacyView::name)
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(call.rejected(format!(
            "the account cannot see {}; sign in to the tenant sys with SELECT on the database \
             oceanbase",
            missing.join(", ")
        ))),
    }
}
