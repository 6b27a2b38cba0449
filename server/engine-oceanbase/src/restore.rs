//! Recoveries: how one is sent, and how it is followed by its history and not by what vanishes.

use crate::{
    backup::mark,
    engine::{OceanBaseEngine, taken},
    failure::Call,
    leftovers::{Step, shown},
    link,
    placement::Placed,
    session::{BadValue, Connector, Row, SqlFailure, Table},
    source::{Source, source_of},
    statement::Statement,
    views::View,
};
use ::engine::{
    EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport, RecoverySpec,
};
use domain::{
    job::Progress,
    recovery::{RecoveryPlan, StepKind},
    second_backup::Place,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long the statement itself may take: it returns once the new tenant's own metadata is there, up to ten minutes.
const RESTORE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// The same inside of the server, in us.
const RESTORE_LIMIT_US: u64 = 14 * 60 * 1_000_000;

/// What became of a recovery that this process sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The statement has not answered yet.
    Waiting,
    /// The cluster took it, or may have taken it.
    Taken,
    /// The cluster refused it, for this reason.
    Refused(String),
    /// Somebody gave it up.
    GivenUp,
}

/// The number of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestoreId {
    pub(crate) token: String,
    pub(crate) name: String,
}

impl RestoreId {
    pub(crate) fn text(&self) -> EngineJobId {
        EngineJobId(format!("restore:{}:{}", self.token, self.name))
    }

    pub(crate) fn read(id: &EngineJobId) -> Option<Self> {
        let (token, name) = id.0.strip_prefix("restore:")?.split_once(':')?;
        Some(RestoreId {
            token: token.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl OceanBaseEngine {
    /// What a recovery would read and reach, and the statements of it.
    pub(crate) async fn plan(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        let call = self.call("recovery", &spec.new_name);
        let source = self.source(spec).await?;
        let (placed, missing) = self.place(call, spec).await?;
        let mut steps: Vec<Step> = missing.into_iter().map(making).collect();
        let timeout_us = RESTORE_LIMIT_US;
        let wait = Statement::SetTimeout { timeout_us };
        steps.push((StepKind::SetSession, wait));
        steps.push((StepKind::Restore, restore(spec, &source, &placed)));
        if self.version.has_roles() {
            let name = spec.new_name.clone();
            steps.push((StepKind::Activate, Statement::Activate { name }));
        }
        let mut plan = source.plan;
        plan.steps = steps.iter().map(shown).collect();
        Ok(plan)
    }

    async fn source(&self, spec: &RecoverySpec) -> Result<Source, EngineError> {
        let call = self.call("recovery", &spec.tenant.0);
        if spec.place == Some(Place::Second) {
            return Err(call.rejected("this cluster keeps no second copies"));
        }
        let tenants = self.tenants(call).await?;
        if tenants.values().any(|known| known.name == spec.new_name) {
            let why = format!(
                "a tenant {} exists already; choose another name",
                spec.new_name
            );
            return Err(call.rejected(why));
        }
        source_of(
            call,
            taken(call, tenants, &spec.tenant)?,
            spec.until,
            |uri| self.opened(uri),
        )
    }

    /// Begins a recovery, unless the token has one already.
    pub(crate) async fn begin_restore(
        &self,
        spec: &RecoverySpec,
    ) -> Result<EngineJobId, EngineError> {
        let call = self.call("recovery", &spec.new_name);
        let id = RestoreId {
            token: spec.token.clone(),
            name: spec.new_name.clone(),
        };
        // The statement takes minutes, and its rows come late: what this process knows of it counts too.
        let sent = self.sent(&spec.token);
        let is_sent = sent.is_some_and(|sent| !matches!(sent, Sent::Refused(_)));
        if is_sent || self.restore_of(call, &mark(&spec.token)).await?.is_some() {
            return Ok(id.text());
        }
        let source = self.source(spec).await?;
        let (placed, missing) = self.place(call, spec).await?;
        let order = restore(spec, &source, &placed);
        let sql = order.sql().map_err(|why| call.unquotable(why))?;
        self.make(call, &placed, &missing).await?;
        tracing::info!(
            cluster.name = self.name,
            statement = order.shown(),
            "sending"
        );
        self.note(&spec.token, Sent::Waiting);
        let sending = Sending {
            connector: Arc::clone(&self.connector),
            restores: Arc::clone(&self.restores),
            token: spec.token.clone(),
            sql,
            placed,
        };
        tokio::spawn(sending.run());
        Ok(id.text())
    }

    /// Where the tenant is placed, and the statements that make what is not there yet.
    async fn place(
        &self,
        call: Call<'_>,
        spec: &RecoverySpec,
    ) -> Result<(Placed, Vec<Statement>), EngineError> {
        let ground = self.ground(call, &spec.tenant).await?;
        let suggested = ground.suggested().map_err(|value| call.bad_value(&value))?;
        let placement = spec.placement.clone().or(suggested).ok_or_else(|| {
            call.rejected(
                "the tenant has no resource pools that the new one's could be like; choose its zones",
            )
        })?;
        let placed = Placed::of(spec, &placement);
        let missing = placed.missing(&ground.configs, &ground.pools);
        let missing = missing.map_err(|why| call.rejected(why))?;
        Ok((placed, missing))
    }

    /// Makes units and pools; when one is refused, those of this order are removed again.
    async fn make(
        &self,
        call: Call<'_>,
        placed: &Placed,
        missing: &[Statement],
    ) -> Result<(), EngineError> {
        for order in missing {
            if let Err(failure) = self.send(call, order).await? {
                // Nobody knows whether it was carried out: it is found by its name next time.
                if !failure.is_open() {
                    take_back(&*self.connector, placed).await;
                }
                return Err(call.failed(&failure));
            }
        }
        Ok(())
    }

    /// The name of the tenant that a recovery with this description makes, if there is one.
    pub(crate) async fn restore_of(
        &self,
        call: Call<'_>,
        mark: &str,
    ) -> Result<Option<String>, EngineError> {
        let of_it = format!("WHERE {}", call.is("DESCRIPTION", mark)?);
        for view in [View::Restores, View::RestoreHistory] {
            if !self.columns.has_column(view, "DESCRIPTION") {
                continue;
            }
            let table = self.rows(call, view, &of_it).await?;
            if let Some(row) = table.first() {
                return Ok(Some(row.text_or_empty("RESTORE_TENANT_NAME")));
            }
        }
        Ok(None)
    }

    /// Where a recovery stands.
    pub(crate) async fn restore_report(&self, id: &RestoreId) -> Result<JobReport, EngineError> {
        let call = self.call("recovery", &id.name);
        let sent = self.sent(&id.token);
        let of_it = call.is("DESCRIPTION", &mark(&id.token))?;
        let rows = self
            .rows(call, View::Restores, &format!("WHERE {of_it}"))
            .await?;
        if !rows.rows.is_empty() {
            let state = match sent {
                Some(Sent::GivenUp) => EngineJobState::Canceling,
                _ => EngineJobState::Running,
            };
            return running(state, &rows).map_err(|value| call.bad_value(&value));
        }
        let of_driver = format!("WHERE TENANT_ID = 1 AND {of_it}");
        let history = self.rows(call, View::RestoreHistory, &of_driver).await?;
        match (history.first(), sent) {
            (Some(row), sent) if row.text("STATUS") != Some("SUCCESS") => Ok(match sent {
                Some(Sent::GivenUp) => ended(EngineJobState::Canceled, None),
                _ => ended(EngineJobState::Failed, Some(comment(row))),
            }),
            (Some(row), _) => self.activated(call, id, row).await,
            // Only where the cluster shows no row: a statement that was sent twice is refused the second time.
            (None, Some(Sent::Refused(why))) => Ok(ended(EngineJobState::Failed, Some(why))),
            (None, Some(Sent::GivenUp)) => Ok(ended(EngineJobState::Canceled, None)),
            // Between both views it is in neither for a moment, and before the first it is nowhere.
            (None, Some(_)) => Ok(phased(EngineJobState::Running, "Preparing")),
            (None, None) => Err(call.not_found("the cluster knows nothing of this recovery")),
        }
    }

    /// A recovered tenant is a standby; the recovery is complete once it can be written to.
    async fn activated(
        &self,
        call: Call<'_>,
        id: &RestoreId,
        row: Row<'_>,
    ) -> Result<JobReport, EngineError> {
        let mut report = ended(EngineJobState::Completed, None);
        let bytes = row
            .unsigned("FINISH_BYTES")
            .map_err(|value| call.bad_value(&value))?;
        report.progress.done_bytes = bytes;
        report.progress.total_bytes = bytes;
        if !self.version.has_roles() {
            return Ok(report);
        }
        let by_name = format!("WHERE {}", call.is("TENANT_NAME", &id.name)?);
        let tenants = self.rows(call, View::Tenants, &by_name).await?;
        let role = tenants.first().map(|row| row.text_or_empty("TENANT_ROLE"));
        match role.as_deref() {
            Some("PRIMARY") => Ok(report),
            None => Ok(ended(
                EngineJobState::Failed,
                Some("the tenant was recovered, and is not there any more".to_owned()),
            )),
            Some("STANDBY") => {
                let order = Statement::Activate {
                    name: id.name.clone(),
                };
                match self.send(call, &order).await? {
                    // Not ready yet, or nobody knows: the next look tells.
                    Err(failure) if !failure.is_code(4179) && !failure.is_open() => {
                        Err(call.failed(&failure))
                    }
                    _ => Ok(phased(EngineJobState::Running, "Activating")),
                }
            }
            Some(_) => Ok(phased(EngineJobState::Running, "Activating")),
        }
    }

    /// Gives up a recovery.
    pub(crate) async fn cancel_restore(&self, id: &RestoreId) -> Result<(), EngineError> {
        let call = self.call("cancellation of a recovery", &id.name);
        if !self.version.can_cancel_restore() {
            let why = format!(
                "OceanBase {} cannot cancel a recovery; drop the tenant {} with FORCE instead",
                self.version, id.name
            );
            return Err(call.error(EngineErrorKind::Unsupported, why));
        }
        let order = Statement::CancelRestore {
            name: id.name.clone(),
        };
        match self.send(call, &order).await? {
            Ok(()) => self.note(&id.token, Sent::GivenUp),
            // It ended before.
            Err(failure) if failure.to_string().contains("not in restore") => {}
            Err(failure) => return Err(call.failed(&failure)),
        }
        Ok(())
    }

    fn note(&self, token: &str, what: Sent) {
        let mut known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(token.to_owned(), what);
    }

    pub(crate) fn sent(&self, token: &str) -> Option<Sent> {
        let known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).cloned()
    }
}

/// A statement on its way, on a session of its own: it takes minutes.
struct Sending {
    connector: Arc<dyn Connector>,
    restores: Arc<Mutex<HashMap<String, Sent>>>,
    token: String,
    sql: String,
    placed: Placed,
}

impl Sending {
    async fn run(self) {
        let sent = match self.send().await {
            Ok(()) => Sent::Taken,
            Err(failure) if failure.is_open() => Sent::Taken,
            Err(failure) => {
                take_back(&*self.connector, &self.placed).await;
                Sent::Refused(failure.to_string())
            }
        };
        let mut known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever gave it up meanwhile stays right.
        if known.get(&self.token) == Some(&Sent::Waiting) {
            known.insert(self.token, sent);
        }
    }

    async fn send(&self) -> Result<(), SqlFailure> {
        let mut session = link::opened(&*self.connector).await?;
        let timeout_us = RESTORE_LIMIT_US;
        let wait = Statement::SetTimeout { timeout_us };
        let wait = wait.sql().unwrap_or_default();
        session.run(&wait, RESTORE_LIMIT).await?;
        session.run(&self.sql, RESTORE_LIMIT).await.map(|_| ())
    }
}

/// Removes the pools and units that were made for a recovery that never began.
async fn take_back(connector: &dyn Connector, placed: &Placed) {
    for order in placed.undo() {
        let undone = async {
            let mut session = link::opened(connector).await?;
            let sql = order.sql().unwrap_or_default();
            session.run(&sql, crate::engine::ORDER_LIMIT).await
        };
        if let Err(failure) = undone.await {
            tracing::warn!(statement = order.shown(), "not undone: {failure}");
        }
    }
}

/// The statement that recovers.
fn restore(spec: &RecoverySpec, source: &Source, placed: &Placed) -> Statement {
    // A plan is made before the order has a token.
    let token = match spec.token.as_str() {
        "" => "<order>",
        token => token,
    };
    Statement::Restore {
        name: spec.new_name.clone(),
        data_uri: source.data_uri.clone(),
        log_uri: source.log_uri.clone(),
        until: spec.until,
        pools: placed.pool_names(),
        locality: Some(placed.locality.clone()),
        primary_zone: placed.primary_zone.clone(),
        mark: mark(token),
    }
}

fn making(order: Statement) -> Step {
    let what = match order {
        Statement::CreateUnit { .. } => StepKind::CreateUnit,
        _ => StepKind::CreatePool,
    };
    (what, order)
}

fn ended(state: EngineJobState, failure: Option<String>) -> JobReport {
    JobReport {
        state,
        failure,
        ..JobReport::running()
    }
}

fn phased(state: EngineJobState, phase: &str) -> JobReport {
    let mut report = ended(state, None);
    report.progress.phase = phase.to_owned();
    report
}

/// The rows of a running recovery: the driver's, and the new tenant's once there is one.
fn running(state: EngineJobState, rows: &Table) -> Result<JobReport, BadValue> {
    let of_tenant = rows.iter().find(|row| row.text("TENANT_ID") != Some("1"));
    let Some(row) = of_tenant.or_else(|| rows.first()) else {
        return Ok(phased(state, ""));
    };
    let total = row.unsigned("TOTAL_BYTES")?;
    Ok(JobReport {
        progress: Progress {
            phase: phase(&row.text_or_empty("STATUS")).to_owned(),
            done_bytes: row.unsigned("FINISH_BYTES")?.min(total),
            total_bytes: total,
            ..Progress::default()
        },
        ..ended(state, None)
    })
}

/// The steps of a recovery in words; a word of another version as it came.
fn phase(status: &str) -> &str {
    match status {
        "CREATE_TENANT" => "Making the tenant",
        "RESTORING" | "RESTORE_PRE" | "RESTORE_CREATE_INIT_LS" | "RESTORE_WAIT_LS" => "Restoring",
        "WAIT_TENANT_RESTORE_FINISH" => "Waiting for the tenant",
        "UPGRADE" => "Upgrading the tenant",
        "POST_CHECK" => "Checking",
        "RESTORE_SUCCESS" => "Finishing",
        "RESTORE_FAIL" => "Ending",
        other => other,
    }
}

fn comment(row: Row<'_>) -> String {
    match row.text("COMMENT") {
        Some(comment) if !comment.is_empty() => comment.to_owned(),
        _ => "the cluster gives no reason".to_owned(),
    }
}
