//! Recoveries: what one reads, how it is sent, and how it is followed by its history and not by what vanishes.

use crate::{
    backup::mark,
    engine::OceanBaseEngine,
    failure::Call,
    link,
    observe::TenantFacts,
    session::{Connector, Row, SqlFailure, Table},
    statement::Statement,
    views::View,
    windows,
};
use ::engine::{EngineError, EngineJobId, EngineJobState, JobReport, RecoverySpec};
use domain::{
    BackupSetId, Scn,
    job::Progress,
    recoverable::{self, Verdict},
    recovery::{PlannedSet, Precision, RecoveryPlan},
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

/// What a recovery reads.
struct Source {
    plan: RecoveryPlan,
    data_uri: String,
    log_uri: String,
    tenant: TenantFacts,
}

impl OceanBaseEngine {
    /// What a recovery would read and reach.
    pub(crate) async fn plan(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        Ok(self.source(spec).await?.plan)
    }

    async fn source(&self, spec: &RecoverySpec) -> Result<Source, EngineError> {
        let call = self.call("recovery", &spec.tenant.0);
        if spec.place == Some(Place::Second) {
            return Err(call.rejected("this cluster keeps no second copies"));
        }
        let (look, tenant) = self.tenant(call, &spec.tenant).await?;
        let tenants = look.tenants().map_err(|value| call.bad_value(&value))?;
        if tenants.values().any(|known| known.name == spec.new_name) {
            let why = format!(
                "a tenant {} exists already; choose another name",
                spec.new_name
            );
            return Err(call.rejected(why));
        }
        source_of(call, tenant, spec.until)
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
        if self.restore_of(call, &mark(&spec.token)).await?.is_some() {
            return Ok(id.text());
        }
        let source = self.source(spec).await?;
        let placed = self.place(call, &source.tenant, &spec.new_name).await?;
        let order = Statement::Restore {
            name: spec.new_name.clone(),
            data_uri: source.data_uri,
            log_uri: source.log_uri,
            until: spec.until,
            pools: placed.pools(),
            locality: Some(source.tenant.locality).filter(|locality| !locality.is_empty()),
            primary_zone: None,
            mark: mark(&spec.token),
        };
        let sql = order.sql().map_err(|why| call.unquotable(why))?;
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

    /// Makes units and pools like those of the source.
    async fn place(
        &self,
        call: Call<'_>,
        source: &TenantFacts,
        name: &str,
    ) -> Result<Placed, EngineError> {
        let own = format!("WHERE TENANT_ID = {}", source.id);
        let pools = self.rows(call, View::Pools, &own).await?;
        let configs = self.rows(call, View::UnitConfigs, "").await?;
        let placed = Placed::like(&pools, &configs, name).map_err(|why| call.rejected(why))?;
        for made in &placed.made {
            for order in made {
                self.must(call, order).await?;
            }
        }
        Ok(placed)
    }

    /// The name of the tenant that a recovery with this description makes, if there is one.
    pub(crate) async fn restore_of(
        &self,
        call: Call<'_>,
        mark: &str,
    ) -> Result<Option<String>, EngineError> {
        let of_it = format!("WHERE {}", self.is(call, "DESCRIPTION", mark)?);
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
        if let Some(Sent::Refused(why)) = &sent {
            return Ok(ended(EngineJobState::Failed, Some(why.clone())));
        }
        let of_it = self.is(call, "DESCRIPTION", &mark(&id.token))?;
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
        let by_name = format!("WHERE {}", self.is(call, "TENANT_NAME", &id.name)?);
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
            return Err(call.error(::engine::EngineErrorKind::Unsupported, why));
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
        note(&self.restores, token, what);
    }

    pub(crate) fn sent(&self, token: &str) -> Option<Sent> {
        let known = self.restores.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).cloned()
    }
}

fn note(restores: &Mutex<HashMap<String, Sent>>, token: &str, what: Sent) {
    let mut known = restores.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(token.to_owned(), what);
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
                self.take_back().await;
                Sent::Refused(failure.to_string())
            }
        };
        note(&self.restores, &self.token, sent);
    }

    async fn send(&self) -> Result<(), SqlFailure> {
        let mut session = link::opened(&*self.connector).await?;
        let wait = format!("SET ob_query_timeout = {RESTORE_LIMIT_US}");
        session.run(&wait, RESTORE_LIMIT).await?;
        session.run(&self.sql, RESTORE_LIMIT).await.map(|_| ())
    }

    /// Removes the pools and units that were made for a recovery that never began.
    async fn take_back(&self) {
        for order in self.placed.undo() {
            let undone = async {
                let mut session = link::opened(&*self.connector).await?;
                let sql = order.sql().unwrap_or_default();
                session.run(&sql, crate::engine::ORDER_LIMIT).await
            };
            if let Err(failure) = undone.await {
                tracing::warn!(statement = order.shown(), "not undone: {failure}");
            }
        }
    }
}

/// Units and pools for a new tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placed {
    /// For each pool: its unit, then itself.
    made: Vec<[Statement; 2]>,
}

impl Placed {
    /// Like the pools of the source tenant.
    fn like(pools: &Table, configs: &Table, name: &str) -> Result<Self, String> {
        let mut made = Vec::new();
        for (number, pool) in (1_u32..).zip(pools.iter()) {
            let wanted = pool.text("UNIT_CONFIG_ID");
            let config = configs
                .iter()
                .find(|row| row.text("UNIT_CONFIG_ID") == wanted);
            let config = config.ok_or("the size of its units is not known")?;
            let bad = |value: crate::session::BadValue| value.to_string();
            let zones = pool.text_or_empty("ZONE_LIST");
            let unit = format!("tidemark_unit_{name}_{number}");
            made.push([
                Statement::CreateUnit {
                    name: unit.clone(),
                    max_cpu: config.text_or_empty("MAX_CPU"),
                    memory_bytes: config.unsigned("MEMORY_SIZE").map_err(bad)?,
                    log_disk_bytes: Some(config.unsigned("LOG_DISK_SIZE").map_err(bad)?)
                        .filter(|bytes| *bytes > 0),
                },
                Statement::CreatePool {
                    name: format!("tidemark_pool_{name}_{number}"),
                    unit,
                    count: u32::try_from(pool.number("UNIT_COUNT").map_err(bad)?).unwrap_or(1),
                    zones: zones.split(';').map(str::to_owned).collect(),
                },
            ]);
        }
        match made.is_empty() {
            true => {
                Err("the tenant has no resource pools that the new one's could be like".to_owned())
            }
            false => Ok(Placed { made }),
        }
    }

    fn pools(&self) -> Vec<String> {
        let names = self.made.iter().flatten().filter_map(|order| match order {
            Statement::CreatePool { name, .. } => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// What removes them again, pools before their units.
    fn undo(&self) -> Vec<Statement> {
        let orders = self.made.iter().flatten().rev();
        let undone = orders.filter_map(|order| match order {
            Statement::CreatePool { name, .. } => Some(Statement::DropPool { name: name.clone() }),
            Statement::CreateUnit { name, .. } => Some(Statement::DropUnit { name: name.clone() }),
            _ => None,
        });
        undone.collect()
    }
}

/// Chooses the destinations whose windows hold the moment.
fn source_of(call: Call<'_>, tenant: TenantFacts, until: Scn) -> Result<Source, EngineError> {
    let backups = &tenant.backups;
    let pairs = backups.pairs();
    let holds = |window: &windows::Window| window.range.start <= until && until <= window.range.end;
    let found = pairs.iter().rev().find_map(|pair| {
        let window = pair.windows.iter().find(|window| holds(window))?;
        Some((pair, window))
    });
    let Some((pair, window)) = found else {
        let all = pairs
            .iter()
            .flat_map(|pair| pair.windows.iter().map(|window| window.range));
        let ranges = recoverable::union(all.collect());
        return Err(call.rejected(impossible(until, recoverable::verdict(&ranges, until))));
    };
    let round = backups
        .rounds
        .iter()
        .find(|round| Some(round.destination) == pair.destination);
    let log_uri = round.map(|round| round.path.clone()).unwrap_or_default();
    if [&pair.root, &log_uri].iter().any(|uri| uri.contains('?')) {
        return Err(call.rejected(
            "the keys of its object storage are not known to this console; enter them in the storage \
             configuration",
        ));
    }
    let plan = plan_of(&tenant, pair.root.as_str(), pair.destination, window, until);
    Ok(Source {
        plan,
        data_uri: pair.root.clone(),
        log_uri,
        tenant,
    })
}

fn plan_of(
    tenant: &TenantFacts,
    root: &str,
    destination: Option<i64>,
    window: &windows::Window,
    until: Scn,
) -> RecoveryPlan {
    let here = || tenant.backups.sets.iter().filter(|set| set.root == root);
    let files: Vec<_> = here().map(|set| set.file.clone()).collect();
    let chain = windows::chain(&files, until);
    let log_from = chain.last().map_or(until, |last| last.replay_from);
    let pieces = tenant.backups.pieces.iter();
    let pieces = pieces.filter(|piece| piece.available && Some(piece.destination) == destination);
    let pieces: Vec<_> = pieces.map(|piece| piece.file.clone()).collect();
    let pieces = windows::pieces_between(&pieces, log_from, until);
    let planned = |file: &windows::SetFile| {
        let set = here().find(|set| set.file.id == file.id);
        PlannedSet {
            id: BackupSetId(file.id),
            kind: file.kind,
            taken: set.map_or(Scn::ZERO, |set| set.finished),
            stored_bytes: set.map_or(0, |set| set.stored_bytes),
        }
    };
    RecoveryPlan {
        until,
        place: Place::First,
        sets: chain.iter().map(planned).collect(),
        round: window.round,
        log_from,
        log_files: u32::try_from(pieces.len()).unwrap_or(u32::MAX),
        log_bytes: 0,
        commits: 0,
        target_scn: until,
        precision: Precision::Exact,
        result_bytes: here().map(|set| set.raw_bytes).max().unwrap_or_default(),
        estimate_ms: None,
    }
}

fn impossible(until: Scn, verdict: Verdict) -> String {
    let moment = until.display_micros();
    match verdict {
        Verdict::Recoverable(_) => format!("{moment} cannot be recovered"),
        Verdict::Impossible { before, after } => {
            let near = |scn: Option<Scn>, side: &str| {
                scn.map(|scn| format!("{} {side} it", scn.display_micros()))
            };
            let near: Vec<String> = [near(before, "before"), near(after, "after")]
                .into_iter()
                .flatten()
                .collect();
            match near.as_slice() {
                [] => format!("{moment} cannot be recovered, and no other moment can"),
                near => format!(
                    "{moment} cannot be recovered; the nearest that can: {}",
                    near.join(" and ")
                ),
            }
        }
    }
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
fn running(state: EngineJobState, rows: &Table) -> Result<JobReport, crate::session::BadValue> {
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
