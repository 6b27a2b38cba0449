//! The port's orders and questions, answered by an OceanBase cluster of version 4.

use crate::{
    failure::Call,
    link::Link,
    observe::{Look, LookError, TenantFacts},
    session::{Connector, SqlFailure},
    statement::Statement,
    version::Version,
    views::{Columns, View},
};
use ::engine::{EngineError, EngineErrorKind, Observation, TenantKey, WantedSettings};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long an order that only records something may take.
pub(crate) const ORDER_LIMIT: Duration = Duration::from_secs(60);
/// What the version's comment ends in where the cluster is a simulated one.
pub(crate) const SIMULATED: &str = "simulated";
/// What it holds where the server is one without tenants.
pub(crate) const WITHOUT_TENANTS: &str = "seekdb";
/// What that means.
pub(crate) const NO_TENANTS: &str = "it is seekdb, a single server of the OceanBase family: it has no tenants, no data backup \
                                     and no log backup, so there is nothing that could be backed up or recovered";

/// An OceanBase cluster, driven as the tenant `sys`.
pub struct OceanBaseEngine {
    pub(crate) name: String,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) reads: Link,
    pub(crate) orders: Link,
    pub(crate) columns: Columns,
    pub(crate) version: Version,
    /// What the server says of its version.
    comment: String,
    pub(crate) identity: Option<String>,
    /// What the strategy says of settings that the cluster keeps.
    pub(crate) wanted: Mutex<Option<WantedSettings>>,
    /// Held while they are sent.
    pub(crate) applying: tokio::sync::Mutex<()>,
    /// Recoveries that this process sent, by mark.
    pub(crate) restores: Arc<Mutex<HashMap<String, crate::restore::Sent>>>,
}

impl OceanBaseEngine {
    /// Signs in and learns what the cluster is. `Unsupported` for versions before 4.0; see [`crate::open`].
    pub async fn open(name: &str, connector: Arc<dyn Connector>) -> Result<Self, EngineError> {
        let call = Call {
            operation: "opening",
            subject: name,
        };
        let failed = |failure: SqlFailure| call.failed(&failure);
        let reads = Link::new(Arc::clone(&connector));
        let version = read_version(&reads, call).await?;
        if !version.is_per_tenant() {
            let why = format!("OceanBase {version} backs up the whole cluster and not its tenants");
            return Err(call.error(EngineErrorKind::Unsupported, why));
        }
        let comment = read_comment(&reads, call).await?;
        with_tenants(&comment, call)?;
        let identity = read_identity(&reads).await.map_err(failed)?;
        let columns = Columns::of(&reads).await.map_err(failed)?;
        lacking(&columns, call)?;
        Ok(OceanBaseEngine {
            name: name.to_owned(),
            orders: Link::new(Arc::clone(&connector)),
            connector,
            reads,
            columns,
            version,
            comment,
            identity,
            wanted: Mutex::default(),
            applying: tokio::sync::Mutex::default(),
            restores: Arc::default(),
        })
    }

    /// Whether it says of itself that it is a simulated cluster.
    pub fn is_simulated(&self) -> bool {
        self.comment.trim_end().ends_with(SIMULATED)
    }

    /// Statements that were sent only to look.
    pub fn statements_read(&self) -> u64 {
        self.reads.sent()
    }

    pub(crate) fn call<'a>(&self, operation: &'static str, subject: &'a str) -> Call<'a> {
        Call { operation, subject }
    }

    pub(crate) async fn look(&self, call: Call<'_>) -> Result<Look, EngineError> {
        Look::take(&self.reads, &self.columns)
            .await
            .map_err(|error| match error {
                LookError::Failed(failure) => call.failed(&failure),
                LookError::Bad(value) => call.bad_value(&value),
            })
    }

    pub(crate) async fn observation(&self) -> Result<Observation, EngineError> {
        let call = self.call("observation", &self.name);
        self.look(call)
            .await?
            .told(|facts| self.drift(facts))
            .map_err(|value| call.bad_value(&value))
    }

    /// Everything about the tenants, by id.
    pub(crate) async fn tenants(
        &self,
        call: Call<'_>,
    ) -> Result<BTreeMap<i64, TenantFacts>, EngineError> {
        let look = self.look(call).await?;
        look.tenants().map_err(|value| call.bad_value(&value))
    }

    /// The name of a tenant, without looking at its backups. `NotFound` when it is not there.
    pub(crate) async fn tenant_name(
        &self,
        call: Call<'_>,
        key: &TenantKey,
    ) -> Result<(i64, String), EngineError> {
        let gone = || no_tenant(call);
        let id: i64 = key.0.parse().map_err(|_| gone())?;
        let of_it = format!("WHERE TENANT_ID = {id} AND TENANT_TYPE = 'USER'");
        let table = self.rows(call, View::Tenants, &of_it).await?;
        let row = table.first().ok_or_else(gone)?;
        Ok((id, row.text_or_empty("TENANT_NAME")))
    }

    /// Sends an order.
    pub(crate) async fn send(
        &self,
        call: Call<'_>,
        order: &Statement,
    ) -> Result<Result<(), SqlFailure>, EngineError> {
        let sql = order.sql().map_err(|why| call.unquotable(why))?;
        tracing::info!(
            cluster.name = self.name,
            statement = order.shown(),
            "sending"
        );
        Ok(self.orders.order(&sql, ORDER_LIMIT).await)
    }

    /// Sends an order whose refusal is the caller's.
    pub(crate) async fn must(&self, call: Call<'_>, order: &Statement) -> Result<(), EngineError> {
        self.send(call, order)
            .await?
            .map_err(|failure| call.failed(&failure))
    }

    pub(crate) async fn start_log(&self, key: &TenantKey) -> Result<(), EngineError> {
        let call = self.call("start of log backup", &key.0);
        let tenant = taken(call, self.tenants(call).await?, key)?;
        if tenant.log_mode == "ARCHIVELOG" {
            return Err(call.rejected("log backup of this tenant is on already"));
        }
        if tenant.log_destination.is_empty() {
            return Err(call.rejected(
                "the tenant has no destination for its log; set one in the backup strategy",
            ));
        }
        let order = Statement::StartArchive {
            tenant: tenant.name,
        };
        self.must(call, &order).await
    }

    pub(crate) async fn stop_log(&self, key: &TenantKey) -> Result<(), EngineError> {
        let call = self.call("stop of log backup", &key.0);
        let (_, tenant) = self.tenant_name(call, key).await?;
        self.must(call, &Statement::StopArchive { tenant }).await
    }
}

/// One tenant out of all. `NotFound` when it is not among them.
pub(crate) fn taken(
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

/// What the server says of its version, in its own words.
pub(crate) async fn read_comment(reads: &Link, call: Call<'_>) -> Result<String, EngineError> {
    let table = reads
        .read("SELECT @@version_comment AS COMMENT")
        .await
        .map_err(|failure| call.failed(&failure))?;
    let row = table.first();
    Ok(row
        .map(|row| row.text_or_empty("COMMENT"))
        .unwrap_or_default())
}

/// Refuses servers of the family that have no tenants.
pub(crate) fn with_tenants(comment: &str, call: Call<'_>) -> Result<(), EngineError> {
    if comment.contains(WITHOUT_TENANTS) {
        return Err(call.error(EngineErrorKind::Unsupported, NO_TENANTS));
    }
    Ok(())
}

/// The version of the cluster. `Unsupported` for what is no OceanBase.
pub(crate) async fn read_version(reads: &Link, call: Call<'_>) -> Result<Version, EngineError> {
    let table = match reads.read("SELECT OB_VERSION() AS VERSION").await {
        Ok(table) => table,
        Err(SqlFailure::Refused { code, .. }) if code != 1045 => {
            let why = "it answers as a MySQL server and not as OceanBase (no ob_version())";
            return Err(call.error(EngineErrorKind::Unsupported, why));
        }
        Err(failure) => return Err(call.failed(&failure)),
    };
    let text = table
        .first()
        .map(|row| row.text_or_empty("VERSION"))
        .unwrap_or_default();
    text.parse().map_err(|error: crate::version::NotAVersion| {
        call.error(EngineErrorKind::Protocol, error.to_string())
    })
}

/// Name and number of the cluster, which together tell it from others.
async fn read_identity(reads: &Link) -> Result<Option<String>, SqlFailure> {
    let mut parts = Vec::new();
    for parameter in ["cluster", "cluster_id"] {
        let table = reads
            .read(&format!("SHOW PARAMETERS LIKE '{parameter}'"))
            .await?;
        let row = table
            .first()
            .and_then(|row| row.text("value").map(str::to_owned));
        parts.extend(row);
    }
    Ok((parts.len() == 2).then(|| format!("oceanbase:{}", parts.join(":"))))
}

/// Refuses a cluster whose views of backups cannot be seen: mostly a lack of rights.
pub(crate) fn lacking(columns: &Columns, call: Call<'_>) -> Result<(), EngineError> {
    let needed = [
        View::Tenants,
        View::Archive,
        View::Pieces,
        View::Sets,
        View::Jobs,
    ];
    let missing: Vec<&str> = needed
        .into_iter()
        .filter(|view| !columns.has(*view))
        .map(View::name)
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
