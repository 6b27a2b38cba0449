//! S44: the chain of 3.x.

use super::Cluster;

#[test]
fn s44_chain() {
    let mut c = Cluster::new("3.1.5");
    assert_eq!(c.code("ALTER SYSTEM ARCHIVELOG"), 9026);
    c.ok("ALTER SYSTEM SET backup_dest = 'file:///data/nfs/backup'");
    assert_eq!(c.code("ALTER SYSTEM NOARCHIVELOG"), 9024);
    c.ok("ALTER SYSTEM ARCHIVELOG");
    assert_eq!(c.code("ALTER SYSTEM ARCHIVELOG"), 1235);
    let archive =
        "SELECT TENANT_ID, STATUS FROM oceanbase.CDB_OB_BACKUP_ARCHIVELOG ORDER BY TENANT_ID";
    let found = c.rows(archive);
    assert_eq!(found.len(), 5);
    assert_eq!(found[0], ["1", "BEGINNING"]);
    assert_eq!(c.code("ALTER SYSTEM BACKUP DATABASE"), 9040);
    c.pass(10);
    assert_eq!(c.rows(archive)[0], ["1", "DOING"]);
    assert_eq!(c.code("ALTER SYSTEM CANCEL BACKUP"), 9049);
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    assert_eq!(c.code("ALTER SYSTEM BACKUP DATABASE"), 9036);
    let progress = "SELECT DISTINCT STATUS FROM oceanbase.CDB_OB_BACKUP_PROGRESS";
    assert_eq!(c.one(progress), "RUNNING");
    c.pass(30);
    assert!(c.rows(progress).is_empty());
    let done = "SELECT DISTINCT STATUS, BACKUP_TYPE FROM oceanbase.CDB_OB_BACKUP_SET_DETAILS";
    assert_eq!(c.rows(done), [["COMPLETED", "D"]]);
    assert_eq!(c.code("ALTER SYSTEM DELETE OBSOLETE BACKUP"), 1235);
    assert_eq!(c.code("ALTER SYSTEM DELETE BACKUPSET 9"), 1235);
    assert_eq!(c.code("ALTER SYSTEM DELETE BACKUPSET 1"), 9045);
    c.pass(60);
    let until = c.one("SELECT MAX(MAX_NEXT_TIME) FROM oceanbase.CDB_OB_BACKUP_ARCHIVELOG");
    c.ok(
        "CREATE RESOURCE UNIT u MAX_CPU 1, MAX_MEMORY '2G', MAX_IOPS 1000, MAX_DISK_SIZE '9G', \
         MAX_SESSION_NUM 100",
    );
    c.ok("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')");
    let restore = format!(
        "ALTER SYSTEM RESTORE nt FROM t1 AT 'file:///data/nfs/backup' UNTIL '{until}' WITH \
         'backup_cluster_name=c1&backup_cluster_id=1&pool_list=p'"
    );
    assert_eq!(c.code(&restore), 4179);
    c.ok("ALTER SYSTEM SET restore_concurrency = 10");
    // Too new at first.
    assert_eq!(c.code(&restore), 4179);
    c.pass(15);
    c.ok(&restore);
    c.pass(120);
    let history = "SELECT STATUS FROM oceanbase.CDB_OB_RESTORE_HISTORY";
    assert_eq!(c.one(history), "RESTORE_SUCCESS");
    assert_eq!(
        c.one("SELECT status FROM oceanbase.__all_tenant WHERE tenant_name='nt'"),
        "TENANT_STATUS_NORMAL"
    );
}

#[test]
fn s45_second_backup() {
    let mut c = Cluster::new("3.1.5");
    let second = "ALTER SYSTEM SET backup_backup_dest = 'file:///data/nfs/second'";
    assert_eq!(c.code(second), 1235);
    c.ok("ALTER SYSTEM SET backup_dest = 'file:///data/nfs/backup'");
    c.ok("SIM FILE 'file:///data/nfs/junk'");
    for (uri, code) in [
        ("file:///data/nfs/junk", 9026),
        ("file:///data/nfs/backup", 9026),
        ("cos://b/p?host=h&access_id=i&access_key=k&appid=1", 1235),
    ] {
        let text = format!("ALTER SYSTEM SET backup_backup_dest = '{uri}'");
        assert_eq!(c.code(&text), code, "{uri}");
    }
    c.ok(second);
    c.ok("ALTER SYSTEM ARCHIVELOG");
    c.pass(10);
    c.ok("ALTER SYSTEM BACKUP DATABASE");
    c.pass(30);
    c.ok("ALTER SYSTEM BACKUP BACKUPSET 1");
    assert_eq!(c.code("ALTER SYSTEM BACKUP BACKUPSET ALL"), 4023);
    let job = "SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_BACKUPSET_JOB";
    let mut seen = Vec::new();
    for _ in 0..40 {
        for row in c.rows(job) {
            if seen.last() != Some(&row[0]) {
                seen.push(row[0].clone());
            }
        }
        c.sim.advance(std::time::Duration::from_millis(500));
    }
    assert_eq!(seen, ["SCHEDULE", "BACKUP", "CLEAN", "FINISH"]);
    let history = "SELECT STATUS, BACKUP_SET_ID FROM oceanbase.CDB_OB_BACKUP_BACKUPSET_JOB_HISTORY";
    assert_eq!(c.rows(history), [["FINISH", "1"]]);
    assert_eq!(c.code("ALTER SYSTEM BACKUP BACKUPSET 1"), 9050);
    assert_eq!(
        c.code("ALTER SYSTEM BACKUP BACKUPSET 1 NOT BACKED UP 1 TIMES"),
        9059
    );
    c.ok("ALTER SYSTEM START BACKUP ARCHIVELOG");
    assert_eq!(c.code("ALTER SYSTEM BACKUP BACKUPPIECE ALL"), 1235);
}

#[test]
fn parameters_are_shown_and_2_2_77_has_the_same_views() {
    let mut c = Cluster::new("2.2.77");
    assert_eq!(c.one("SELECT OB_VERSION()"), "2.2.77");
    c.ok("ALTER SYSTEM SET backup_dest = 'file:///data/nfs/backup'");
    let shown = c.rows("SHOW PARAMETERS LIKE 'backup_dest'");
    assert!(
        shown[0]
            .iter()
            .any(|value| value == "file:///data/nfs/backup")
    );
    c.ok("ALTER SYSTEM ARCHIVELOG");
    c.pass(10);
    // Switched off, a round is one stream with the number 0.
    let pieces = "SELECT DISTINCT BACKUP_PIECE_ID, MAX_TS, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_PIECE_FILES";
    assert_eq!(c.rows(pieces), [["0", "MAX", "AVAILABLE"]]);
}

#[test]
fn copies_are_told_about_and_a_hole_in_the_log_is_refused() {
    let mut c = Cluster::new("3.1.5");
    c.ok("ALTER SYSTEM SET backup_dest = 'file:///data/nfs/backup'");
    c.ok("ALTER SYSTEM SET backup_backup_dest = 'file:///data/nfs/second'");
    c.ok("ALTER SYSTEM SET backup_dest_option = 'log_archive_piece_switch_interval=1d'");
    c.ok("ALTER SYSTEM SET restore_concurrency = 10");
    c.ok("ALTER SYSTEM ARCHIVELOG");
    c.pass(10);
    for kind in ["", "INCREMENTAL "] {
        c.ok(&format!("ALTER SYSTEM BACKUP {kind}DATABASE"));
        c.pass(30);
    }
    c.ok("ALTER SYSTEM BACKUP BACKUPSET ALL");
    c.pass(30);
    let sets = "SELECT BS_KEY, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE COPY_ID = 10001 \
                AND TENANT_ID = 1002 ORDER BY BS_KEY";
    assert_eq!(c.rows(sets), [["1", "AVAILABLE"], ["2", "AVAILABLE"]]);
    c.pass(90_000);
    c.ok("ALTER SYSTEM BACKUP BACKUPPIECE ALL WITH ACTIVE");
    assert_eq!(c.code("ALTER SYSTEM BACKUP BACKUPSET ALL"), 4023);
    c.pass(30);
    let job = "SELECT STATUS, RESULT FROM oceanbase.CDB_OB_BACKUP_BACKUPPIECE_JOB_HISTORY";
    assert_eq!(c.rows(job), [["FINISH", "0"]]);
    let pieces = "SELECT BACKUP_PIECE_ID, STATUS FROM oceanbase.CDB_OB_BACKUP_PIECE_FILES WHERE COPY_ID = \
                  10001 AND TENANT_ID = 1002 ORDER BY BACKUP_PIECE_ID";
    assert_eq!(c.rows(pieces), [["1", "FROZEN"], ["2", "INACTIVE"]]);
    let now = c.one("SELECT NOW(6)");
    c.ok("ALTER SYSTEM NOARCHIVELOG");
    c.pass(60);
    c.ok("ALTER SYSTEM ARCHIVELOG");
    c.pass(60);
    let later = c.one("SELECT NOW(6)");
    c.pass(60);
    c.ok(
        "CREATE RESOURCE UNIT u MAX_CPU 1, MAX_MEMORY '2G', MAX_IOPS 1000, MAX_DISK_SIZE '9G', \
         MAX_SESSION_NUM 100",
    );
    c.ok("CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1')");
    let restore = |at: &str, until: &str| {
        format!(
            "ALTER SYSTEM RESTORE nt FROM t1 AT 'file:///data/nfs/{at}' UNTIL '{until}' WITH \
             'backup_cluster_name=c1&backup_cluster_id=1&pool_list=p'"
        )
    };
    assert_eq!(c.code(&restore("backup", &later)), 9048);
    assert_eq!(c.code(&restore("backup", &now)), 9048);
    assert_eq!(c.code(&restore("second", &later)), 9048);
    let copied = c.one(
        "SELECT MAX(CHECKPOINT_TS) FROM oceanbase.CDB_OB_BACKUP_PIECE_FILES WHERE COPY_ID = 10001",
    );
    c.ok(&restore("second", &copied));
    c.ok("DROP TENANT nt FORCE");
    let history = "SELECT STATUS FROM oceanbase.CDB_OB_RESTORE_HISTORY";
    assert_eq!(c.one(history), "RESTORE_FAIL");
}
