//! S17 to S26: data backups.

use super::{Cluster, ok, one, refusal, rows};
use oceanbase_sim::Fault;

#[test]
fn s17_preconditions() {
    let mut c = Cluster::new("4.2.1.6");
    let e = refusal(&mut c.sys, "ALTER SYSTEM BACKUP DATABASE");
    assert_eq!(e.code, 9040);
    assert!(e.message.contains("no tenant meets the backup condition"));
    let mut t1 = c.tenant("t1");
    let e = refusal(&mut t1, "ALTER SYSTEM BACKUP DATABASE");
    assert!(e.code == 9040 && e.message.ends_with("backup dest is not set."));
    ok(
        &mut t1,
        "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///bk/data'",
    );
    let e = refusal(&mut t1, "ALTER SYSTEM BACKUP DATABASE");
    assert!(e.code == 9040 && e.message.ends_with("log archive status is not doing."));
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    assert_eq!(
        c.rows("SELECT TENANT_ID FROM oceanbase.CDB_OB_BACKUP_JOBS ORDER BY JOB_ID"),
        [["1"], ["1002"]]
    );
    let to = "ALTER SYSTEM BACKUP DATABASE TO 'file:///x'";
    assert_eq!(c.code(to), 1235);
}

#[test]
fn s18_backup_runs() {
    let mut c = Cluster::ready("4.2.1.6");
    c.prepare("t2");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    c.pass(1);
    let jobs = "SELECT TENANT_ID, INITIATOR_TENANT_ID, EXECUTOR_TENANT_ID, PLUS_ARCHIVELOG, \
                BACKUP_TYPE, JOB_LEVEL, STATUS FROM oceanbase.CDB_OB_BACKUP_JOBS ORDER BY JOB_ID";
    let found = c.rows(jobs);
    assert_eq!(
        found[0],
        ["1", "1", "1002,1004", "OFF", "FULL", "CLUSTER", "DOING"]
    );
    assert_eq!(
        found[1],
        ["1002", "1", "1002", "OFF", "FULL", "USER_TENANT", "DOING"]
    );
    let set =
        "SELECT STATUS, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE TENANT_ID=1002";
    assert_eq!(c.rows(set), [["DOING", "COPYING"]]);
    let task = "SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_TASKS WHERE TENANT_ID=1002";
    let mut seen = Vec::new();
    for _ in 0..30 {
        for row in c.rows(task) {
            if seen.last() != Some(&row[0]) {
                seen.push(row[0].clone());
            }
        }
        c.pass(1);
    }
    assert_eq!(
        seen,
        [
            "INIT",
            "BACKUP_SYS_META",
            "BACKUP_USER_META",
            "BACKUP_META_FINISH",
            "BACKUP_DATA_SYS",
            "BACKUP_DATA_MINOR",
            "BACKUP_DATA_MAJOR",
            "BACKUP_LOG"
        ]
    );
    assert!(c.rows(jobs).is_empty());
    let history = "SELECT STATUS, RESULT, END_TIMESTAMP IS NULL FROM \
                   oceanbase.CDB_OB_BACKUP_JOB_HISTORY";
    assert_eq!(c.rows(history), vec![["COMPLETED", "0", "0"]; 3]);
    let set = "SELECT STATUS, FILE_STATUS, MIN_RESTORE_SCN >= START_REPLAY_SCN, \
               START_REPLAY_SCN > 0, PREV_FULL_BACKUP_SET_ID, PREV_INC_BACKUP_SET_ID, PATH FROM \
               oceanbase.CDB_OB_BACKUP_SET_FILES WHERE TENANT_ID=1002";
    let path = "file:///bk/data/backup_set_1_full";
    assert_eq!(
        c.rows(set),
        [["SUCCESS", "AVAILABLE", "1", "1", "0", "0", path]]
    );
    let tasks = "SELECT DISTINCT STATUS FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY";
    assert_eq!(c.one(tasks), "COMPLETED");
}

#[test]
fn s19_tenant_backup() {
    let c = Cluster::ready("4.2.1.6");
    let mut t1 = c.tenant("t1");
    ok(&mut t1, "ALTER SYSTEM BACKUP DATABASE");
    let jobs = "SELECT INITIATOR_TENANT_ID, INITIATOR_JOB_ID, JOB_LEVEL FROM \
                oceanbase.DBA_OB_BACKUP_JOBS";
    assert_eq!(rows(&mut t1, jobs), [["1002", "0", "USER_TENANT"]]);
}

#[test]
fn s20_busy() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    assert_eq!(c.code("ALTER SYSTEM BACKUP DATABASE"), 9036);
    c.prepare("t2");
    let mut t2 = c.tenant("t2");
    ok(&mut t2, "ALTER SYSTEM BACKUP DATABASE");
}

#[test]
fn s21_incremental() {
    let mut c = Cluster::ready("4.2.1.6");
    c.backup();
    let mut t1 = c.tenant("t1");
    for _ in 0..3 {
        ok(&mut t1, "ALTER SYSTEM BACKUP INCREMENTAL DATABASE");
        c.pass(40);
    }
    let sets = "SELECT BACKUP_TYPE, PREV_FULL_BACKUP_SET_ID, PREV_INC_BACKUP_SET_ID FROM \
                oceanbase.DBA_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID";
    let expected = [
        ["FULL", "0", "0"],
        ["INC", "1", "1"],
        ["INC", "1", "2"],
        ["INC", "1", "3"],
    ];
    assert_eq!(rows(&mut t1, sets), expected);
    ok(
        &mut t1,
        "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///bk/data2'",
    );
    ok(&mut t1, "ALTER SYSTEM BACKUP INCREMENTAL DATABASE");
    let kind = "SELECT BACKUP_TYPE FROM oceanbase.DBA_OB_BACKUP_JOBS";
    assert_eq!(one(&mut t1, kind), "FULL");
}

#[test]
fn s22_plus_archivelog() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG DESCRIPTION 'nightly'");
    c.pass(40);
    let set = "SELECT PLUS_ARCHIVELOG, MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES";
    let row = c.rows(set).remove(0);
    assert_eq!(row[0], "ON");
    c.pool("p");
    let scn = &row[1];
    c.ok(&format!(
        "ALTER SYSTEM RESTORE nt FROM 'file:///bk/data' UNTIL SCN={scn} WITH 'pool_list=p'"
    ));
}

#[test]
fn s23_cancel() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM CANCEL BACKUP");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    c.pass(5);
    c.ok("ALTER SYSTEM CANCEL BACKUP TENANT=t1");
    let job = "SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID=1002";
    assert_eq!(c.one(job), "CANCELING");
    c.pass(10);
    let job = "SELECT STATUS, RESULT FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID=1002";
    assert_eq!(c.rows(job), [["CANCELED", "-4072"]]);
    let set = "SELECT STATUS, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES";
    assert_eq!(c.rows(set), [["FAILED", "INCOMPLETE"]]);
}

#[test]
fn s24_archive_stops_during_backup() {
    let job = "SELECT STATUS, RESULT, COMMENT FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE \
               TENANT_ID=1002";
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    c.pass(5);
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    c.pass(30);
    let row = c.rows(job).remove(0);
    assert_eq!(row[..2], ["FAILED", "-9029"]);
    assert!(row[2].contains("result: -9029(log archive is not running)"));
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    c.pass(5);
    c.ok("SIM FAULT archive_interrupted t1");
    c.pass(30);
    assert_eq!(c.rows(job)[0][1], "-9027");
}

#[test]
fn s25_change_data_dest_during_backup() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    let other = "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///bk/data2' TENANT=t1";
    assert_eq!(c.code(other), 9036);
    c.pass(40);
    c.ok(other);
    let value = "SELECT VALUE FROM oceanbase.CDB_OB_BACKUP_PARAMETER WHERE TENANT_ID=1002";
    assert_eq!(c.one(value), "file:///bk/data2");
}

#[test]
fn s26_bad_destinations() {
    let mut c = Cluster::ready("4.3.5");
    let set = |uri: &str| format!("ALTER SYSTEM SET DATA_BACKUP_DEST='{uri}' TENANT=t2");
    for uri in [
        "file://nodir/..",
        "file:///bk/x?x=1",
        "obs://b/p?host=h&access_id=i&access_key=k",
        "oss://b/p?host=h&access_id=i",
        "oss://b/p?host=h&access_id=i&encrypt_key=k",
        "cos://b/p?host=h&access_id=i&access_key=k",
    ] {
        assert_eq!(c.code(&set(uri)), 9026, "{uri}");
    }
    c.ok("SIM FILE 'file:///bk/junk'");
    assert_eq!(c.code(&set("file:///bk/junk")), 9080);
    assert_eq!(c.code(&set("file:///bk/data")), 9081);
    c.sim.inject(Fault::StorageUnreachable {
        prefix: "file:///down".to_owned(),
    });
    c.ok("SIM FAULT storage_read_only 'file:///ro'");
    c.ok("SIM FAULT storage_full 'file:///full'");
    assert_eq!(c.code(&set("file:///down/x")), 9070);
    assert_eq!(c.code(&set("file:///ro/x")), 9071);
    assert_eq!(c.code(&set("file:///full/x")), 9082);
    c.ok(&set("file:///bk/new/"));
    c.ok(&set(
        "s3://b/p?host=h&access_id=i&access_key=secret&s3_region=r",
    ));
    let value = c.one("SELECT VALUE FROM oceanbase.CDB_OB_BACKUP_PARAMETER WHERE TENANT_ID=1004");
    assert!(!value.contains("secret") && value.ends_with("&checksum_type=md5"));
    assert_eq!(
        c.code("ALTER SYSTEM SET DATA_BACKUP_DEST='file:///a'"),
        1235
    );
    assert_eq!(
        c.code("ALTER SYSTEM SET DATA_BACKUP_DEST='file:///a' TENANT=no"),
        5157
    );
    let mut t1 = c.tenant("t1");
    let foreign = "ALTER SYSTEM SET DATA_BACKUP_DEST='file:///a' TENANT=t2";
    assert_eq!(refusal(&mut t1, foreign).code, 1227);
}
