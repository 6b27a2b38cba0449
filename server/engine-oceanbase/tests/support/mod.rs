//! The simulated cluster behind the engine's own idea of a session, in process and on a virtual clock.

#![allow(dead_code, reason = "each test uses another part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use async_trait::async_trait;
use domain::Scn;
use domain::backup::BackupKind;
use engine::{
    BackupSpec, Engine, EngineJobId, EngineJobState, JobReport, TenantKey, conformance::Rig,
};
use engine_oceanbase::{
    LegacyEngine, OceanBaseEngine,
    session::{Connector, SqlFailure, SqlSession, Table},
};
use oceanbase_sim::{Answer, Delivery, Setup, Sim, SimSession, SqlError};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Sessions of a simulated cluster.
pub(crate) struct InProcess(pub(crate) Sim);

struct Session {
    sim: Sim,
    session: SimSession,
}

#[async_trait]
impl Connector for InProcess {
    async fn connect(&self) -> Result<Box<dyn SqlSession>, SqlFailure> {
        match self.0.log_in("root@sys", "") {
            Ok(session) => Ok(Box::new(Session {
                sim: self.0.clone(),
                session,
            })),
            Err(refusal) => Err(SqlFailure::Refused {
                code: refusal.code,
                message: refusal.message,
            }),
        }
    }

    fn address(&self) -> String {
        "in process".to_owned()
    }
}

#[async_trait]
impl SqlSession for Session {
    async fn run(&mut self, sql: &str, limit: Duration) -> Result<Vec<Table>, SqlFailure> {
        let reply = self.session.run(sql);
        // Others go on while this one waits for its answer.
        tokio::task::yield_now().await;
        self.sim.advance(Duration::from_nanos(reply.delay_ns));
        match reply.delivery {
            Delivery::Whole => {}
            Delivery::LostAfter | Delivery::LostBefore => {
                return Err(SqlFailure::Unanswered("connection reset".to_owned()));
            }
            Delivery::Hangs => return Err(SqlFailure::Silent(limit)),
        }
        let table = |answer: Result<Answer, SqlError>| match answer {
            Ok(Answer::Rows { columns, rows }) => Ok(Table {
                columns: columns.into_iter().map(|column| column.name).collect(),
                rows,
            }),
            Ok(Answer::Done { .. }) => Ok(Table::default()),
            Err(refusal) => Err(SqlFailure::Refused {
                code: refusal.code,
                message: refusal.message,
            }),
        };
        reply.answers.into_iter().map(table).collect()
    }
}

/// A cluster of this version without any history, twenty times as fast as usual.
pub(crate) fn cluster(version: &str, tenants: u32) -> Sim {
    let mut setup = Setup::new(version).unwrap();
    setup.tenants = tenants;
    setup.scale = 20.0;
    setup.history = false;
    Sim::new(setup)
}

/// Its engine.
pub(crate) async fn engine(sim: &Sim) -> OceanBaseEngine {
    let connector = Arc::new(InProcess(sim.clone()));
    OceanBaseEngine::open("demo", connector).await.unwrap()
}

/// The engine of a cluster before 4.0.
pub(crate) async fn legacy_engine(sim: &Sim) -> LegacyEngine {
    let connector = Arc::new(InProcess(sim.clone()));
    LegacyEngine::open("demo", connector).await.unwrap()
}

/// Runs statements as the administrator of the cluster.
pub(crate) fn sql(sim: &Sim, statements: &[&str]) {
    let mut session = sim.log_in("root@sys", "").unwrap();
    for statement in statements {
        for answer in session.run(statement).answers {
            answer.unwrap_or_else(|refusal| panic!("{statement}: {refusal}"));
        }
    }
}

/// Gives a tenant destinations and begins to archive its log.
pub(crate) fn prepare(sim: &Sim, tenant: &str) {
    sql(
        sim,
        &[
            &format!(
                "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///bk/{tenant}/clog' TENANT = {tenant}"
            ),
            &format!(
                "ALTER SYSTEM SET DATA_BACKUP_DEST = 'file:///bk/{tenant}/data' TENANT = {tenant}"
            ),
            &format!("ALTER SYSTEM ARCHIVELOG TENANT = {tenant}"),
        ],
    );
    sim.advance(Duration::from_secs(30));
}

/// Gives a cluster before 4.0 its destination and begins to archive the log of all tenants, in pieces.
pub(crate) fn prepare_cluster(sim: &Sim) {
    sql(
        sim,
        &[
            "ALTER SYSTEM SET backup_dest = 'file:///bk/first'",
            "ALTER SYSTEM SET backup_dest_option = 'log_archive_piece_switch_interval=1d'",
            "ALTER SYSTEM ARCHIVELOG",
        ],
    );
    sim.advance(Duration::from_secs(30));
}

/// The engine's key of a tenant.
pub(crate) async fn key(engine: &dyn Engine, name: &str) -> TenantKey {
    let seen = engine.observe().await.unwrap();
    seen.tenants
        .into_iter()
        .find(|tenant| tenant.name == name)
        .unwrap()
        .key
}

/// The suite's needs, met by a simulated cluster.
pub(crate) struct SimRig(pub(crate) Sim);

#[async_trait]
impl Rig for SimRig {
    async fn write(&self, _: &dyn Engine, _: &TenantKey) {
        self.0.advance(Duration::from_secs(1));
    }

    async fn pause(&self) {
        self.0.advance(Duration::from_millis(200));
        tokio::task::yield_now().await;
    }

    fn now(&self) -> Scn {
        Scn(self.0.now_ns())
    }

    async fn given_tenant(&self) -> Option<TenantKey> {
        prepare(&self.0, "t1");
        Some(key(&engine(&self.0).await, "t1").await)
    }

    fn proves(&self) -> bool {
        false
    }
}

/// The suite's needs, met by a simulated cluster before 4.0: it has one destination for all, keeps second copies, and
/// cannot prove what it recovers.
pub(crate) struct LegacyRig(pub(crate) Sim);

#[async_trait]
impl Rig for LegacyRig {
    async fn write(&self, _: &dyn Engine, _: &TenantKey) {
        self.0.advance(Duration::from_secs(1));
    }

    async fn pause(&self) {
        self.0.advance(Duration::from_millis(200));
        tokio::task::yield_now().await;
    }

    fn now(&self) -> Scn {
        Scn(self.0.now_ns())
    }

    fn second(&self) -> Option<PathBuf> {
        Some(PathBuf::from("file:///bk/second"))
    }

    async fn given_tenant(&self) -> Option<TenantKey> {
        prepare_cluster(&self.0);
        Some(key(&legacy_engine(&self.0).await, "t1").await)
    }

    fn proves(&self) -> bool {
        false
    }
}

/// Looks at a job until it is taken as never ending.
pub(crate) const LOOKS_MAX: u32 = 1000;
/// More packets than any order needs, so that the answer of each is lost once.
pub(crate) const PACKETS_MAX: u32 = 32;

/// Statements that begin so, as the cluster received them.
pub(crate) fn sent(sim: &Sim, begin: &str) -> usize {
    let is_it = |text: &&String| text.starts_with(begin);
    sim.statements().iter().filter(is_it).count()
}

pub(crate) async fn ended(sim: &Sim, engine: &LegacyEngine, id: &EngineJobId) -> JobReport {
    for _ in 0..LOOKS_MAX {
        let report = engine.job(id).await.unwrap();
        let goes_on = matches!(
            report.state,
            EngineJobState::Running | EngineJobState::Canceling
        );
        if !goes_on {
            return report;
        }
        sim.advance(Duration::from_millis(200));
    }
    panic!("{id:?} never ended");
}

/// The last try loses an answer that was never asked for.
pub(crate) fn every_packet_was_lost_once(sim: &Sim, before: usize, nth: u32) {
    let used = sim.statements().len() - before;
    assert!(nth < PACKETS_MAX || used < nth as usize, "{used} packets");
}

/// A cluster whose log is archived, its engine and the keys of its tenants.
pub(crate) async fn running(version: &str, tenants: u32) -> (Sim, LegacyEngine, Vec<TenantKey>) {
    let sim = cluster(version, tenants);
    prepare_cluster(&sim);
    let engine = legacy_engine(&sim).await;
    let mut keys = Vec::new();
    for number in 1..=tenants {
        keys.push(key(&engine, &format!("t{number}")).await);
    }
    (sim, engine, keys)
}

pub(crate) fn backup(tenant: &TenantKey, token: &str, kind: BackupKind) -> BackupSpec {
    BackupSpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        kind,
    }
}
