//! S27 to S30: retention.

use super::Cluster;

const DAY: u64 = 86_400;

#[test]
fn s27_delete_policy() {
    let mut c = Cluster::new("4.2.1.6");
    let add = "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW='7d' TENANT=t1";
    let drop = "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT=t1";
    let rows = "SELECT * FROM oceanbase.CDB_OB_BACKUP_DELETE_POLICY";
    c.ok(add);
    assert_eq!(c.rows(rows), [["1002", "default", "7d"]]);
    assert_eq!(c.code(add), 1062);
    for bad in [
        "'foo' RECOVERY_WINDOW='7d'",
        "'default'",
        "'default' REDUNDANCY 2",
        "'default' RECOVERY_WINDOW='x'",
    ] {
        let text = format!("ALTER SYSTEM ADD DELETE BACKUP POLICY {bad} TENANT=t2");
        assert_eq!(c.code(&text), 1235, "{bad}");
    }
    c.ok(drop);
    assert!(c.rows(rows).is_empty());
    c.ok(drop);
}

/// Sets of 10, 8 and 1 days ago, and a policy of a week.
fn aged() -> Cluster {
    let mut c = Cluster::ready("4.2.1.6");
    c.backup();
    c.pass(2 * DAY);
    c.backup();
    c.pass(7 * DAY);
    c.backup();
    c.pass(DAY);
    c.ok("ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW='7d' TENANT=t1");
    c
}

#[test]
fn s28_cleanup_run() {
    let mut c = aged();
    let running = "SELECT STATUS, TYPE FROM oceanbase.CDB_OB_BACKUP_DELETE_JOBS";
    let mut waited = 0;
    while c.rows(running).is_empty() {
        c.pass(2);
        waited += 2;
        assert!(waited < 3700);
    }
    c.pass(2);
    assert_eq!(c.rows(running), [["DOING", "DELETE OBSOLETE BACKUP"]]);
    let sets = "SELECT FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID";
    assert_eq!(c.rows(sets), [["DELETING"], ["AVAILABLE"], ["AVAILABLE"]]);
    c.pass(20);
    assert_eq!(c.rows(sets), [["DELETED"], ["AVAILABLE"], ["AVAILABLE"]]);
    let job = "SELECT STATUS, TASK_COUNT = SUCCESS_TASK_COUNT, TASK_COUNT > 1 FROM \
               oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY";
    assert_eq!(c.rows(job), [["COMPLETED", "1", "1"]]);
    let wrong = "SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES p, \
                 oceanbase.CDB_OB_BACKUP_SET_FILES s WHERE s.BACKUP_SET_ID = 2 AND \
                 (p.FILE_STATUS = 'DELETED') <> (p.CHECKPOINT_SCN <= s.START_REPLAY_SCN)";
    assert_eq!(c.one(wrong), "0");
    c.pass(3700);
    assert_eq!(c.rows(sets), [["DELETED"], ["AVAILABLE"], ["AVAILABLE"]]);
}

#[test]
fn s29_manual_delete() {
    let mut c = Cluster::new("4.3.5");
    assert_eq!(c.code("ALTER SYSTEM DELETE BACKUPSET 1 TENANT=t1"), 1235);
    assert_eq!(c.code("ALTER SYSTEM DELETE OBSOLETE BACKUP"), 1235);
}

#[test]
fn s30_cancel_delete() {
    let mut c = aged();
    c.ok("ALTER SYSTEM CANCEL DELETE BACKUP TENANT=t1");
    let running = "SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_DELETE_JOBS";
    while c.rows(running).is_empty() {
        c.pass(2);
    }
    c.ok("ALTER SYSTEM CANCEL DELETE BACKUP TENANT=t1");
    assert_eq!(c.one(running), "CANCELING");
    c.pass(10);
    let job = "SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY";
    assert_eq!(c.one(job), "CANCELED");
}
