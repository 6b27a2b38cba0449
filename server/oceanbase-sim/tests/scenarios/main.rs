//! The scenarios of the contract, over the in-process door.

#![allow(clippy::unwrap_used)]

mod archive;
mod backup;
mod cleanup;
mod connect;
mod legacy;
mod operations;
mod restore;

use std::time::Duration;

use oceanbase_sim::{Answer, Setup, Sim, SimSession, SqlError};

/// A cluster and its sys session.
pub(crate) struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) sys: SimSession,
}

impl Cluster {
    pub(crate) fn new(version: &str) -> Cluster {
        Cluster::of(Setup::new(version).unwrap())
    }

    pub(crate) fn of(setup: Setup) -> Cluster {
        let sim = Sim::new(setup);
        let sys = sim.log_in("root@sys", "").unwrap();
        Cluster { sim, sys }
    }

    /// Tenant `t1` archives to `file:///bk/clog` and backs up to `file:///bk/data`.
    pub(crate) fn ready(version: &str) -> Cluster {
        let mut c = Cluster::new(version);
        c.prepare("t1");
        c
    }

    pub(crate) fn prepare(&mut self, tenant: &str) {
        let place = if tenant == "t1" {
            "/bk".to_owned()
        } else {
            format!("/bk/{tenant}")
        };
        self.ok(&format!(
            "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file://{place}/clog' TENANT={tenant}"
        ));
        self.ok(&format!(
            "ALTER SYSTEM SET DATA_BACKUP_DEST='file://{place}/data' TENANT={tenant}"
        ));
        self.ok(&format!("ALTER SYSTEM ARCHIVELOG TENANT={tenant}"));
        self.pass(15);
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.sim.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn ok(&mut self, text: &str) {
        ok(&mut self.sys, text);
    }

    pub(crate) fn code(&mut self, text: &str) -> u16 {
        refusal(&mut self.sys, text).code
    }

    pub(crate) fn rows(&mut self, text: &str) -> Vec<Vec<String>> {
        rows(&mut self.sys, text)
    }

    pub(crate) fn one(&mut self, text: &str) -> String {
        one(&mut self.sys, text)
    }

    pub(crate) fn number(&mut self, text: &str) -> i64 {
        self.one(text).parse().unwrap()
    }

    pub(crate) fn tenant(&self, name: &str) -> SimSession {
        self.sim.log_in(&format!("root@{name}"), "").unwrap()
    }

    /// A full backup of everything that can be backed up.
    pub(crate) fn backup(&mut self) {
        self.ok("ALTER SYSTEM BACKUP DATABASE");
        self.pass(40);
    }

    pub(crate) fn checkpoint(&mut self) -> i64 {
        self.number("SELECT CHECKPOINT_SCN FROM oceanbase.CDB_OB_ARCHIVELOG WHERE TENANT_ID=1002")
    }

    pub(crate) fn pool(&mut self, name: &str) {
        self.ok(&format!(
            "CREATE RESOURCE UNIT u_{name} MAX_CPU 1, MEMORY_SIZE = '2G'"
        ));
        self.ok(&format!(
            "CREATE RESOURCE POOL {name} UNIT = 'u_{name}', UNIT_NUM = 1, ZONE_LIST = ('zone1')"
        ));
    }
}

pub(crate) fn run(session: &mut SimSession, text: &str) -> Result<Answer, SqlError> {
    session.run(text).answers.pop().unwrap()
}

pub(crate) fn ok(session: &mut SimSession, text: &str) {
    if let Err(e) = run(session, text) {
        panic!("{text}: {e}");
    }
}

pub(crate) fn refusal(session: &mut SimSession, text: &str) -> SqlError {
    match run(session, text) {
        Err(e) => e,
        Ok(answer) => panic!("{text}: {answer:?}"),
    }
}

pub(crate) fn rows(session: &mut SimSession, text: &str) -> Vec<Vec<String>> {
    match run(session, text) {
        Ok(Answer::Rows { rows, .. }) => rows
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .map(|v| v.unwrap_or_else(|| "NULL".to_owned()))
                    .collect()
            })
            .collect(),
        other => panic!("{text}: {other:?}"),
    }
}

pub(crate) fn one(session: &mut SimSession, text: &str) -> String {
    let rows = rows(session, text);
    assert_eq!(rows.len(), 1, "{text}: {rows:?}");
    rows[0][0].clone()
}
