//! Whatever is asked in whatever order: nothing panics, checkpoints never go back, numbers are never given twice.

use std::collections::{HashMap, HashSet};

use oceanbase_sim::{Answer, Setup, Sim, SimSession};
use proptest::prelude::*;

const MODERN: [&str; 11] = [
    "4.0.0", "4.1.0", "4.2.0", "4.2.1.6", "4.2.1.9", "4.2.2", "4.2.3", "4.3.0", "4.3.1", "4.3.3",
    "4.3.5",
];

const STATEMENTS: [&str; 37] = [
    "ALTER SYSTEM ARCHIVELOG",
    "ALTER SYSTEM ARCHIVELOG TENANT=t1",
    "ALTER SYSTEM NOARCHIVELOG TENANT=t1",
    "ALTER SYSTEM NOARCHIVELOG TENANT=t2",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///a1' TENANT=t1",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///a2 PIECE_SWITCH_INTERVAL=2d' TENANT=t1",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///b1' TENANT=t2",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST='' TENANT=t1",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='DEFER' TENANT=t1",
    "ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='ENABLE' TENANT=t1",
    "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///d1' TENANT=t1",
    "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///d2' TENANT=t1",
    "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///e1' TENANT=t2",
    "ALTER SYSTEM BACKUP DATABASE",
    "ALTER SYSTEM BACKUP INCREMENTAL DATABASE",
    "ALTER SYSTEM BACKUP TENANT=t1 PLUS ARCHIVELOG",
    "ALTER SYSTEM CANCEL BACKUP",
    "ALTER SYSTEM CANCEL BACKUP TENANT=t1",
    "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '1d' TENANT=t1",
    "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT=t1",
    "ALTER SYSTEM CANCEL DELETE BACKUP",
    "CREATE RESOURCE UNIT IF NOT EXISTS u MAX_CPU 1, MEMORY_SIZE='2G'",
    "CREATE RESOURCE POOL IF NOT EXISTS p UNIT='u', UNIT_NUM=1, ZONE_LIST=('zone1')",
    "ALTER SYSTEM RESTORE nt FROM 'file:///d1,file:///a1' WITH 'pool_list=p'",
    "ALTER SYSTEM CANCEL RESTORE nt",
    "ALTER SYSTEM ACTIVATE STANDBY TENANT=nt",
    "DROP TENANT nt FORCE",
    "DROP RESOURCE POOL IF EXISTS p",
    "SIM FAULT archive_interrupted t1",
    "SIM FAULT frozen_checkpoint t1",
    "SIM FAULT storage_full file:///d1",
    "SIM FAULT restore_fails nt",
    "SIM CLEAR",
    "SIM ADVANCE 3",
    "SIM ADVANCE 30",
    "SIM ADVANCE 7200",
    "SIM ADVANCE 100000",
];

const OLD: [&str; 19] = [
    "ALTER SYSTEM SET backup_dest='file:///x1'",
    "ALTER SYSTEM SET backup_dest='file:///x2'",
    "ALTER SYSTEM ARCHIVELOG",
    "ALTER SYSTEM NOARCHIVELOG",
    "ALTER SYSTEM BACKUP DATABASE",
    "ALTER SYSTEM BACKUP INCREMENTAL DATABASE",
    "ALTER SYSTEM CANCEL BACKUP",
    "ALTER SYSTEM DELETE OBSOLETE BACKUP",
    "ALTER SYSTEM DELETE BACKUPSET 1",
    "ALTER SYSTEM SET backup_backup_dest='file:///y'",
    "ALTER SYSTEM BACKUP BACKUPSET ALL",
    "ALTER SYSTEM BACKUP BACKUPPIECE ALL",
    "ALTER SYSTEM START BACKUP ARCHIVELOG",
    "ALTER SYSTEM STOP BACKUP ARCHIVELOG",
    "ALTER SYSTEM CANCEL ALL BACKUP FORCE",
    "ALTER SYSTEM SET restore_concurrency=10",
    "SIM ADVANCE 3",
    "SIM ADVANCE 30",
    "SIM ADVANCE 90000",
];

type Key = (String, String);

fn rows(session: &mut SimSession, text: &str) -> Vec<Vec<String>> {
    match session.run(text).answers.pop() {
        Some(Ok(Answer::Rows { rows, .. })) => rows
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect(),
        other => panic!("{text}: {other:?}"),
    }
}

fn number(text: &str) -> u64 {
    match text.parse() {
        Ok(number) => number,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// What was seen so far, by tenant and number.
#[derive(Default)]
struct Seen {
    checkpoints: HashMap<Key, u64>,
    sets: HashMap<Key, String>,
    jobs: HashMap<Key, String>,
}

impl Seen {
    fn look(&mut self, sim: &Sim, sys: &mut SimSession) {
        let rounds = "SELECT TENANT_ID, ROUND_ID, CHECKPOINT_SCN, START_SCN \
                      FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY";
        for row in rows(sys, rounds) {
            let reached = number(&row[2]);
            assert!(reached <= sim.now_ns(), "a checkpoint is ahead of time");
            assert!(reached == 0 || reached >= number(&row[3]));
            let key = (row[0].clone(), row[1].clone());
            let before = self.checkpoints.insert(key, reached);
            assert!(before.is_none_or(|before| before <= reached));
        }
        let pieces = "SELECT TENANT_ID, PIECE_ID FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES";
        let pieces = rows(sys, pieces);
        let distinct: HashSet<_> = pieces.iter().collect();
        assert_eq!(distinct.len(), pieces.len(), "a piece twice");
        let sets = "SELECT TENANT_ID, BACKUP_SET_ID, START_TIMESTAMP, STATUS, START_REPLAY_SCN, \
                    MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES";
        for row in rows(sys, sets) {
            if row[3] == "SUCCESS" {
                let (replay, usable) = (number(&row[4]), number(&row[5]));
                assert!(0 < replay && replay <= usable && usable <= sim.now_ns());
            }
            once(&mut self.sets, &row);
        }
        for view in ["CDB_OB_BACKUP_JOBS", "CDB_OB_BACKUP_JOB_HISTORY"] {
            let jobs = format!("SELECT TENANT_ID, JOB_ID, START_TIMESTAMP FROM oceanbase.{view}");
            for row in rows(sys, &jobs) {
                once(&mut self.jobs, &row);
            }
        }
    }
}

/// A number stands for what it stood for before.
fn once(seen: &mut HashMap<Key, String>, row: &[String]) {
    let key = (row[0].clone(), row[1].clone());
    let before = seen.entry(key).or_insert_with(|| row[2].clone());
    assert_eq!(*before, row[2], "a number was given twice");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn modern_clusters_stay_consistent(
        version in prop::sample::select(MODERN.to_vec()),
        statements in prop::collection::vec(prop::sample::select(STATEMENTS.to_vec()), 1..60),
    ) {
        let sim = Sim::new(Setup::new(version).unwrap());
        let mut sys = sim.log_in("root@sys", "").unwrap();
        let mut seen = Seen::default();
        for text in statements {
            sys.run(text);
            seen.look(&sim, &mut sys);
        }
    }

    #[test]
    fn old_clusters_stay_readable(
        statements in prop::collection::vec(prop::sample::select(OLD.to_vec()), 1..60),
    ) {
        let sim = Sim::new(Setup::new("3.1.5").unwrap());
        let mut sys = sim.log_in("root", "").unwrap();
        for text in statements {
            sys.run(text);
            for view in ["CDB_OB_BACKUP_ARCHIVELOG", "CDB_OB_BACKUP_SET_FILES", "CDB_OB_BACKUP_PIECE_FILES"] {
                rows(&mut sys, &format!("SELECT * FROM oceanbase.{view}"));
            }
        }
    }
}
