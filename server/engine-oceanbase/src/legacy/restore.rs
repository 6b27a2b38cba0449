//! Recoveries: sent once, and followed by their progress and then by their history, never by what vanishes.

use super::{
    backup::phased,
    engine::{LegacyEngine, taken},
    memory::{Asked, Number, Order},
    placement::{Placed, pool_name},
    rows::numbered,
    source::{Source, source_of},
    statement::LegacyStatement,
    times::{Zone, taken_for},
    views::LegacyView,
};
use crate::{
    failure::Call,
    session::{BadValue, Row, SqlFailure},
};
use ::engine::{
    EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport, RecoverySpec,
};
use domain::{
    Scn,
    recovery::{PlannedStep, RecoveryPlan, StepKind},
};

/// Threads of a recovery where the cluster allows none, which is how it comes.
const THREADS: u32 = 10;
/// Zones that are tried for the text of a moment: the one of now and the one that the answer tells.
const ZONES_TRIED: u32 = 2;
/// Bytes of a macro block.
const MACRO_BLOCK_BYTES: u64 = 2 << 20;

/// The number of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RestoreId {
    /// `JOB_ID`.
    pub(super) job: Number,
    /// Name of the tenant that it makes.
    pub(super) name: String,
}

impl RestoreId {
    pub(super) fn text(&self) -> EngineJobId {
        EngineJobId(format!("cluster-restore:{}:{}", self.job, self.name))
    }

    pub(super) fn read(id: &EngineJobId) -> Option<Self> {
        let (job, name) = id.0.strip_prefix("cluster-restore:")?.split_once(':')?;
        Some(RestoreId {
            job: Number::read(job)?,
            name: name.to_owned(),
        })
    }
}

fn step(what: StepKind, order: &LegacyStatement) -> PlannedStep {
    PlannedStep {
        what,
        statement: order.shown(),
    }
}

impl LegacyEngine {
    /// What a recovery would read and reach.
    pub(super) async fn plan(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        let call = self.call("recovery", &spec.new_name);
        let (source, until) = self.source(spec).await?;
        // A plan is made before there is an order; its mark comes in place of this word.
        let mark = match spec.token.as_str() {
            "" => "TASK",
            token => token,
        };
        let placed = self.like_source(call, source.tenant.id, mark).await?;
        let mut steps = Vec::new();
        for [unit, pool] in &placed.made {
            steps.push(step(StepKind::CreateUnit, unit));
            steps.push(step(StepKind::CreatePool, pool));
        }
        if let Some(order) = self.threads_missing(call).await? {
            steps.push(step(StepKind::SetSession, &order));
        }
        let order = self.restore_order(spec, &source, until, &placed);
        steps.push(step(StepKind::Restore, &order));
        let mut plan = source.plan;
        plan.steps = steps;
        Ok(plan)
    }

    fn restore_order(
        &self,
        spec: &RecoverySpec,
        source: &Source,
        until: String,
        placed: &Placed,
    ) -> LegacyStatement {
        let (cluster, cluster_id) = self.cluster.clone();
        LegacyStatement::Restore {
            name: spec.new_name.clone(),
            source: source.tenant.name.clone(),
            uri: source.uri.clone(),
            until,
            cluster,
            cluster_id,
            pools: placed.pools(),
            locality: Some(source.tenant.locality.clone()).filter(|locality| !locality.is_empty()),
        }
    }

    /// What it reads, and the moment in the words of the cluster.
    async fn source(&self, spec: &RecoverySpec) -> Result<(Source, String), EngineError> {
        let call = self.call("recovery", &spec.tenant.0);
        let look = self.look(call).await?;
        let tenants = look.tenants().map_err(|value| call.bad_value(&value))?;
        if tenants.values().any(|known| known.name == spec.new_name) {
            let why = format!(
                "a tenant {} exists already; choose another name",
                spec.new_name
            );
            return Err(call.rejected(why));
        }
        let uris = (look.destination.as_str(), look.second.as_deref());
        let tenant = taken(call, tenants, &spec.tenant)?;
        let source = source_of(call, tenant, spec.place, spec.until, uris)?;
        let until = self.words(call, look.zone(), source.plan.target_scn);
        let until = until.await?;
        Ok((source, until))
    }

    /// A moment in the cluster's own words: the text that it takes for exactly that moment.
    async fn words(
        &self,
        call: Call<'_>,
        mut zone: Zone,
        moment: Scn,
    ) -> Result<String, EngineError> {
        // Where summer time began or ended between then and now, the zone of then is found by asking.
        for _ in 0..ZONES_TRIED {
            let text = zone.text(moment);
            let answer = self.reads.read(&taken_for(&text)).await;
            let answer = answer.map_err(|failure| call.failed(&failure))?;
            let taken = answer
                .first()
                .map_or(Ok(None), |row| row.micros("TAKEN_US"));
            match taken.map_err(|value| call.bad_value(&value))? {
                Some(taken) if taken == moment => return Ok(text),
                Some(taken) => zone = zone.corrected(moment, taken),
                None => break,
            }
        }
        let why =
            format!("the cluster has no text for {moment} in its time zone; take another one");
        Err(call.rejected(why))
    }

    /// Begins a recovery, unless the token has one already.
    pub(super) async fn begin_restore(
        &self,
        spec: &RecoverySpec,
    ) -> Result<EngineJobId, EngineError> {
        let call = self.call("recovery", &spec.new_name);
        let _turn = self.turn.lock().await;
        if let Some(known) = self.job_of(call, &spec.token).await? {
            return Ok(known);
        }
        let (source, until) = self.source(spec).await?;
        let placed = self.place(call, source.tenant.id, &spec.token).await?;
        self.allow(call).await?;
        let before = self.newest_restore(call).await?;
        let asked = Asked::Restore(spec.new_name.clone());
        self.memory.note(&spec.token, Order::Sent(before, asked));
        let order = self.restore_order(spec, &source, until, &placed);
        let sent = self.send(call, &order).await?;
        if let Err(failure) = &sent
            && !failure.is_open()
        {
            self.memory.forget(&spec.token);
            self.take_back(&placed).await;
            return Err(refused(call, failure));
        }
        // Whether or not the answer came: what was begun has a row that was not there before.
        let begun = self.restore_after(call, before, &spec.new_name).await?;
        match (begun, sent) {
            (Some(job), _) => Ok(self.known_restore(spec, Number::Is(job))),
            (None, Ok(())) => Ok(self.known_restore(spec, Number::After(before))),
            (None, Err(failure)) => Err(call.failed(&failure)),
        }
    }

    fn known_restore(&self, spec: &RecoverySpec, job: Number) -> EngineJobId {
        let name = spec.new_name.clone();
        let id = RestoreId { job, name }.text();
        self.memory.note(&spec.token, Order::Known(id.clone()));
        id
    }

    /// Makes units and pools like those of the source.
    async fn place(&self, call: Call<'_>, source: i64, token: &str) -> Result<Placed, EngineError> {
        let placed = self.like_source(call, source, token).await?;
        for made in &placed.made {
            for order in made {
                self.must(call, order).await?;
            }
        }
        Ok(placed)
    }

    /// Units and pools like those of the source, not made yet.
    async fn like_source(
        &self,
        call: Call<'_>,
        source: i64,
        token: &str,
    ) -> Result<Placed, EngineError> {
        let own = format!("WHERE TENANT_ID = {source}");
        let pools = self.rows(call, LegacyView::Pools, &own).await?;
        let configs = self.rows(call, LegacyView::UnitConfigs, "").await?;
        Placed::like(&pools, &configs, token).map_err(|why| call.rejected(why))
    }

    /// Removes the pools and units that were made for a recovery that never began.
    async fn take_back(&self, placed: &Placed) {
        let call = self.call("removal of units", &self.name);
        for order in placed.undo() {
            if let Err(error) = self.must(call, &order).await {
                tracing::warn!(statement = order.shown(), "not undone: {error}");
            }
        }
    }

    /// A cluster comes with recoveries turned off; whoever asks for one wants them on. It stays so.
    async fn allow(&self, call: Call<'_>) -> Result<(), EngineError> {
        match self.threads_missing(call).await? {
            Some(order) => self.must(call, &order).await,
            None => Ok(()),
        }
    }

    async fn threads_missing(
        &self,
        call: Call<'_>,
    ) -> Result<Option<LegacyStatement>, EngineError> {
        let present = self.parameter(call, "restore_concurrency").await?;
        Ok((present == "0").then_some(LegacyStatement::RestoreConcurrency { threads: THREADS }))
    }

    async fn newest_restore(&self, call: Call<'_>) -> Result<i64, EngineError> {
        let mut found = 0;
        for view in [LegacyView::Restores, LegacyView::RestoreHistory] {
            let newest = self
                .rows(call, view, "ORDER BY JOB_ID DESC LIMIT 1")
                .await?;
            let job = newest.first().map_or(Ok(0), |row| row.number("JOB_ID"));
            found = found.max(job.map_err(|value| call.bad_value(&value))?);
        }
        Ok(found)
    }

    /// The first recovery into a name after a number.
    pub(super) async fn restore_after(
        &self,
        call: Call<'_>,
        before: i64,
        name: &str,
    ) -> Result<Option<i64>, EngineError> {
        let named = call.is("TENANT_NAME", name)?;
        let first = format!("WHERE {named} AND JOB_ID > {before} ORDER BY JOB_ID LIMIT 1");
        let mut found: Option<i64> = None;
        for view in [LegacyView::Restores, LegacyView::RestoreHistory] {
            let table = self.rows(call, view, &first).await?;
            let job = table.first().map(|row| row.number("JOB_ID")).transpose();
            let job = job.map_err(|value| call.bad_value(&value))?;
            found = found.into_iter().chain(job).min();
        }
        Ok(found)
    }

    /// The recovery of a token that this process does not remember: what its pools were given to.
    pub(super) async fn restore_of(
        &self,
        call: Call<'_>,
        token: &str,
    ) -> Result<Option<EngineJobId>, EngineError> {
        let named = call.is("NAME", &pool_name(token, 1))?;
        let pools = self
            .rows(call, LegacyView::Pools, &format!("WHERE {named}"))
            .await?;
        let bad = |value: BadValue| call.bad_value(&value);
        let owner = pools.first().map(|row| row.number("TENANT_ID"));
        let Some(owner) = owner.transpose().map_err(bad)?.filter(|owner| *owner > 0) else {
            return Ok(None);
        };
        let of_it = format!("WHERE TENANT_ID = {owner} ORDER BY JOB_ID DESC LIMIT 1");
        for view in [LegacyView::Restores, LegacyView::RestoreHistory] {
            let table = self.rows(call, view, &of_it).await?;
            if let Some(row) = table.first() {
                let id = RestoreId {
                    job: Number::Is(row.number("JOB_ID").map_err(bad)?),
                    name: row.text_or_empty("TENANT_NAME"),
                };
                self.memory.note(token, Order::Known(id.text()));
                return Ok(Some(id.text()));
            }
        }
        Ok(None)
    }

    /// Where a recovery stands.
    pub(super) async fn restore_report(&self, id: &RestoreId) -> Result<JobReport, EngineError> {
        let call = self.call("recovery", &id.name);
        let is_given_up = self.memory.is_given_up(&id.text().0);
        let named = call.is("TENANT_NAME", &id.name)?;
        let of_it = format!("WHERE {named} AND {}", id.job.condition("JOB_ID"));
        let bad = |value: BadValue| call.bad_value(&value);
        // It moves from the first to the second, so this order never misses it.
        let progress = self.rows(call, LegacyView::Restores, &of_it).await?;
        let history = self.rows(call, LegacyView::RestoreHistory, &of_it).await?;
        let over = numbered(&history, "JOB_ID", id.job).map_err(bad)?;
        if let Some((_, row)) = over {
            return ended(row, is_given_up).map_err(bad);
        }
        let state = match is_given_up {
            true => EngineJobState::Canceling,
            false => EngineJobState::Running,
        };
        if let Some((_, row)) = numbered(&progress, "JOB_ID", id.job).map_err(bad)? {
            return running(state, row).map_err(bad);
        }
        // Between both it is in neither for a moment; what it makes is there all the time.
        let tenant = self
            .rows(call, LegacyView::Tenants, &format!("WHERE {named}"))
            .await?;
        let status = tenant.first().map(|row| row.text_or_empty("STATUS"));
        match (status.as_deref(), id.job) {
            (Some("TENANT_STATUS_RESTORE"), _) => Ok(phased(state, "Restoring")),
            (None, _) if is_given_up => Ok(phased(EngineJobState::Canceled, "")),
            (_, Number::After(_)) => Ok(phased(state, "Preparing")),
            _ => Err(call.not_found("the cluster knows nothing of this recovery")),
        }
    }

    /// Gives up a recovery, which before 4.0 is to remove the tenant that it makes. One that has ended is left alone.
    pub(super) async fn cancel_restore(&self, id: &RestoreId) -> Result<(), EngineError> {
        let call = self.call("cancellation of a recovery", &id.name);
        let _turn = self.turn.lock().await;
        let named = call.is("TENANT_NAME", &id.name)?;
        let of_it = format!("WHERE {named} AND {}", id.job.condition("JOB_ID"));
        let progress = self.rows(call, LegacyView::Restores, &of_it).await?;
        let found = numbered(&progress, "JOB_ID", id.job);
        let found = found.map_err(|value| call.bad_value(&value))?;
        let is_running = found.is_some();
        let restoring = format!("WHERE {named} AND STATUS = 'TENANT_STATUS_RESTORE'");
        let tenant = self.rows(call, LegacyView::Tenants, &restoring).await?;
        match (is_running, tenant.first()) {
            (true, Some(_)) => {}
            (true, None) => {
                let why = "the tenant is being made; the recovery can be given up once it is there";
                return Err(call.error(EngineErrorKind::Unreachable, why));
            }
            (false, _) => return Ok(()),
        }
        let order = LegacyStatement::DropTenant {
            name: id.name.clone(),
        };
        let name = id.text().0;
        self.memory.give_up(name.clone());
        match self.send(call, &order).await? {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_code(5157) => Ok(()),
            Err(failure) => {
                if !failure.is_open() {
                    self.memory.keep(&name);
                }
                Err(call.failed(&failure))
            }
        }
    }
}

/// A moment that is too new is refused for some seconds only.
fn refused(call: Call<'_>, failure: &SqlFailure) -> EngineError {
    let text = failure.to_string();
    if failure.is_code(4179) && text.contains("retry later") {
        let why = format!("{text}; the moment has to be ten seconds old, it is tried again");
        return call.error(EngineErrorKind::Unreachable, why);
    }
    if failure.is_code(9048) {
        let why = format!("{text}; log backup began anew between the data backup and the moment");
        return call.rejected(why);
    }
    call.failed(failure)
}

fn ended(row: Row<'_>, is_given_up: bool) -> Result<JobReport, BadValue> {
    if row.text("STATUS") == Some("RESTORE_SUCCESS") {
        let mut report = phased(EngineJobState::Completed, "");
        let bytes = row.unsigned("FINISH_MACRO_BLOCK_COUNT")? * MACRO_BLOCK_BYTES;
        report.progress.done_bytes = bytes;
        report.progress.total_bytes = bytes;
        return Ok(report);
    }
    if is_given_up {
        return Ok(phased(EngineJobState::Canceled, ""));
    }
    let said = row.text("INFO").filter(|info| !info.is_empty());
    Ok(JobReport {
        failure: Some(said.unwrap_or("the cluster gives no reason").to_owned()),
        ..phased(EngineJobState::Failed, "")
    })
}

fn running(state: EngineJobState, row: Row<'_>) -> Result<JobReport, BadValue> {
    let mut report = phased(state, phase(&row.text_or_empty("STATUS")));
    let total = row.unsigned("MACRO_BLOCK_COUNT")?;
    let done = row.unsigned("FINISH_MACRO_BLOCK_COUNT")?.min(total);
    report.progress.total_bytes = total * MACRO_BLOCK_BYTES;
    report.progress.done_bytes = done * MACRO_BLOCK_BYTES;
    Ok(report)
}

/// The steps of a recovery in words; a word of another version as it came.
fn phase(status: &str) -> &str {
    match status {
        "CREATE_TENANT" => "Making the tenant",
        "RESTORE_SYS_REPLICA" => "Restoring system data",
        "UPGRADE_PRE" | "UPGRADE_POST" => "Upgrading the tenant",
        "MODIFY_SCHEMA" | "CREATE_USER_PARTITIONS" => "Making partitions",
        "RESTORE_USER_REPLICA" => "Restoring user data",
        "REBUILD_INDEX" => "Rebuilding indexes",
        "POST_CHECK" => "Checking",
        "RESTORE_SUCCESS" => "Finishing",
        "RESTORE_FAIL" => "Ending",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_recoveries_read_back() {
        for job in [Number::Is(3), Number::After(2)] {
            let id = RestoreId {
                job,
                name: "odd:name".to_owned(),
            };
            assert_eq!(RestoreId::read(&id.text()), Some(id));
        }
    }

    #[test]
    fn a_moment_that_is_too_new_is_worth_another_try() {
        let call = Call {
            operation: "recovery",
            subject: "nt",
        };
        let said = |code, message: &str| SqlFailure::Refused {
            code,
            message: message.to_owned(),
        };
        let new = refused(call, &said(4179, "need retry later, it is not allowed"));
        assert_eq!(new.kind, EngineErrorKind::Unreachable);
        let taken = refused(call, &said(4179, "existed tenant name is not allowed"));
        assert_eq!(taken.kind, EngineErrorKind::Rejected);
    }
}
