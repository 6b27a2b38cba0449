//! S31 to S38: restore and what is around it.

use super::{Cluster, refusal, rows};

const PROGRESS: &str = "SELECT TENANT_ID, RESTORE_TENANT_NAME, BACKUP_TENANT_NAME, STATUS FROM \
                        oceanbase.CDB_OB_RESTORE_PROGRESS ORDER BY TENANT_ID";
const TENANT: &str =
    "SELECT STATUS, TENANT_ROLE, LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME='nt'";

/// A backed-up t1, a pool and a point in time that can be restored.
fn backed(version: &str) -> (Cluster, i64) {
    let mut c = Cluster::ready(version);
    c.backup();
    c.pass(60);
    c.pool("p_nt");
    let scn = c.checkpoint();
    (c, scn)
}

fn restore(scn: i64) -> String {
    format!(
        "ALTER SYSTEM RESTORE nt FROM 'file:///bk/data,file:///bk/clog' UNTIL SCN={scn} WITH \
         'pool_list=p_nt&locality=F@zone1&primary_zone=zone1&concurrency=10'"
    )
}

#[test]
fn s31_restore() {
    let (mut c, scn) = backed("4.2.1.9");
    assert_eq!(c.sys.run(&restore(scn)).delay_ns, 10_000_000_000);
    assert_eq!(c.rows(TENANT), [["RESTORE", "RESTORE", "NOARCHIVELOG"]]);
    let found = c.rows(PROGRESS);
    assert_eq!(found[0], ["1", "nt", "t1", "WAIT_TENANT_RESTORE_FINISH"]);
    assert_eq!(found[1][3], "RESTORING");
    c.pass(70);
    assert!(c.rows(PROGRESS).is_empty());
    let history = "SELECT STATUS, FINISH_TIMESTAMP IS NULL FROM oceanbase.CDB_OB_RESTORE_HISTORY";
    assert_eq!(c.rows(history), vec![["SUCCESS", "0"]; 2]);
    assert_eq!(c.rows(TENANT), [["NORMAL", "STANDBY", "NOARCHIVELOG"]]);
}

#[test]
fn s32_activate() {
    let (mut c, scn) = backed("4.2.1.6");
    c.ok(&restore(scn));
    let activate = "ALTER SYSTEM ACTIVATE STANDBY TENANT=nt";
    let e = refusal(&mut c.sys, activate);
    assert_eq!(e.code, 4179);
    assert_eq!(
        e.message,
        "tenant status is not normal, failover to primary is not allowed"
    );
    c.pass(70);
    c.ok(activate);
    assert_eq!(c.rows(TENANT)[0][1], "PRIMARY");
    c.ok(activate);
}

#[test]
fn s33_restore_errors() {
    let (mut c, scn) = backed("4.2.1.6");
    let from = "FROM 'file:///bk/data,file:///bk/clog'";
    let with = "WITH 'pool_list=p_nt'";
    let later = scn + 1_000_000_000_000;
    let cases = [
        (
            format!("ALTER SYSTEM RESTORE t2 {from} UNTIL SCN={scn} {with}"),
            4179,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL SCN={scn} WITH 'locality=F'"),
            1210,
        ),
        (
            format!(
                "ALTER SYSTEM RESTORE nt {from} UNTIL SCN={scn} WITH 'pool_list=p_nt&concurrency=500'"
            ),
            1210,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL SCN=1000 {with}"),
            4018,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL SCN={later} {with}"),
            4018,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt FROM 'data' UNTIL SCN={scn} {with}"),
            9026,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL SCN {scn} {with}"),
            1064,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL TIME=2026 {with}"),
            1064,
        ),
        (
            format!("ALTER SYSTEM RESTORE nt {from} UNTIL SCN={scn} WITH 'pool_list=no'"),
            4650,
        ),
    ];
    for (text, code) in cases {
        assert_eq!(c.code(&text), code, "{text}");
    }
    let mut t1 = c.tenant("t1");
    assert_eq!(refusal(&mut t1, &restore(scn)).code, 1227);
    c.ok("SIM FAULT restore_fails nt");
    c.ok(&restore(scn));
    c.pass(70);
    let history = "SELECT STATUS, COMMENT FROM oceanbase.CDB_OB_RESTORE_HISTORY";
    let found = c.rows(history);
    assert_eq!(found.len(), 2);
    assert!(found[0][0] == "FAIL" && found[0][1].starts_with("RESTORE_FAIL"));
}

#[test]
fn s33_passwords() {
    let mut c = Cluster::ready("4.3.3");
    c.ok("SET ENCRYPTION ON IDENTIFIED BY 'secret' ONLY");
    c.backup();
    c.pass(60);
    c.pool("p_nt");
    let scn = c.checkpoint();
    assert_eq!(c.code(&restore(scn)), 9047);
    c.ok("SET DECRYPTION IDENTIFIED BY 'no'");
    assert_eq!(c.code(&restore(scn)), 9047);
    c.ok("SET DECRYPTION IDENTIFIED BY 'no', 'secret'");
    assert_eq!(c.code(&restore(1000)), 9119);
    c.ok(&restore(scn));
}

#[test]
fn s34_restore_without_until() {
    let (mut c, scn) = backed("4.2.1.6");
    c.ok("ALTER SYSTEM RESTORE nt FROM 'file:///bk/data,file:///bk/clog' WITH 'pool_list=p_nt'");
    let target = "SELECT DISTINCT RESTORE_SCN FROM oceanbase.CDB_OB_RESTORE_PROGRESS";
    assert_eq!(c.one(target), scn.to_string());
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG");
    c.pass(40);
    c.pool("p_nt");
    c.ok("ALTER SYSTEM RESTORE nt FROM 'file:///bk/data' WITH 'pool_list=p_nt'");
    let set = c.one("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES");
    assert_eq!(c.one(target), set);
}

#[test]
fn s35_gap() {
    let (mut c, before) = backed("4.2.1.6");
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    c.pass(60);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    c.pass(60);
    let hole = before + 30_000_000_000;
    assert_eq!(c.code(&restore(hole)), 4018);
    let tail = c.checkpoint();
    assert_eq!(c.code(&restore(tail)), 4018);
    c.backup();
    c.pass(30);
    assert_eq!(c.code(&restore(tail)), 4018);
    let now = c.checkpoint();
    c.ok(&restore(now));
}

#[test]
fn s36_restore_preview() {
    let (mut c, scn) = backed("4.2.1.6");
    let from = "'file:///bk/data,file:///bk/clog'";
    assert_eq!(
        c.code(&format!("ALTER SYSTEM RESTORE FROM {from} PREVIEW")),
        4179
    );
    c.ok(&format!(
        "ALTER SYSTEM RESTORE FROM {from} UNTIL SCN={scn} PREVIEW"
    ));
    let mut other = c.sim.log_in("root", "").unwrap();
    assert!(rows(&mut other, "SHOW RESTORE PREVIEW").is_empty());
    let found = c.rows("SHOW RESTORE PREVIEW");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0][..2], ["BACKUP_SET", "1"]);
    assert!(found[0][3].starts_with("type: FULL, min_restore_scn_display: "));
    assert_eq!(
        found[1][..3],
        ["BACKUP_PIECE", "1", "file:///bk/clog/piece_d1001r1p1"]
    );
    assert!(c.rows("SHOW RESTORE PREVIEW").is_empty());
}

#[test]
fn s37_cancel_restore() {
    let (mut c, scn) = backed("4.2.1.6");
    c.ok(&restore(scn));
    c.pass(5);
    c.ok("ALTER SYSTEM CANCEL RESTORE nt");
    assert!(c.rows(TENANT).is_empty());
    let history = "SELECT DISTINCT STATUS FROM oceanbase.CDB_OB_RESTORE_HISTORY";
    assert_eq!(c.one(history), "FAIL");
    c.ok("DROP RESOURCE POOL p_nt");
    assert_eq!(c.code("ALTER SYSTEM CANCEL RESTORE t1"), 4179);
    assert_eq!(c.code("ALTER SYSTEM CANCEL RESTORE nt"), 5157);
    let (mut c, scn) = backed("4.1.0");
    c.ok(&restore(scn));
    assert_eq!(c.code("ALTER SYSTEM CANCEL RESTORE nt"), 1235);
}

#[test]
fn s38_drop_tenant() {
    let mut c = Cluster::new("4.2.1.6");
    let there = "SELECT STATUS FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME='t3'";
    assert_eq!(c.code("DROP RESOURCE POOL pool_t3"), 4626);
    c.ok("DROP TENANT t3");
    assert_eq!(c.rows(there), [["DROPPING"]]);
    c.pass(15);
    assert!(c.rows(there).is_empty());
    c.ok("DROP RESOURCE POOL pool_t3");
    c.ok("DROP TENANT t4 FORCE");
    assert_eq!(c.code("DROP TENANT t4"), 5157);
    c.ok("DROP TENANT IF EXISTS t4");
    c.ok("SET recyclebin = 1");
    c.ok("DROP TENANT t2");
    c.ok("FLASHBACK TENANT t2 TO BEFORE DROP");
    assert_eq!(c.code("ALTER SYSTEM ARCHIVELOG TENANT=no"), 5157);
}

#[test]
fn s39_recover_table() {
    let (mut c, scn) = backed("4.2.1.9");
    let recover = |to: &str, more: &str| {
        format!(
            "ALTER SYSTEM RECOVER TABLE db1.t1 {to} FROM 'file:///bk/data,file:///bk/clog' UNTIL \
             SCN={scn} WITH 'pool_list=p_nt' {more}"
        )
    };
    assert_eq!(c.code(&recover("", "")), 4179);
    let twice = "REMAP TABLE db1.t1:db1.t2,db1.t1:db1.t3";
    assert_eq!(c.code(&recover("TO TENANT t1", twice)), 4179);
    c.ok(&recover("TO TENANT t1", "REMAP TABLE db1.t1:db1.t9"));
    let jobs = "SELECT STATUS, AUX_TENANT_NAME FROM oceanbase.CDB_OB_RECOVER_TABLE_JOBS";
    let found = c.rows(jobs).remove(0);
    assert!(found[0] == "PREPARE" && found[1].starts_with("AUX_RECOVER$"));
    c.pass(55);
    assert_eq!(c.rows(jobs)[0][0], "IMPORTING");
    c.pass(15);
    let history = "SELECT STATUS, RESULT FROM oceanbase.CDB_OB_RECOVER_TABLE_JOB_HISTORY";
    assert_eq!(c.rows(history), [["COMPLETED", "SUCCESS"]]);
    let tables = "SELECT TARGET_TABLE FROM oceanbase.CDB_OB_IMPORT_TABLE_TASK_HISTORY";
    assert_eq!(c.one(tables), "t9");
    assert_eq!(
        Cluster::new("4.1.0").code(&recover("TO TENANT t1", "")),
        1064
    );
}
