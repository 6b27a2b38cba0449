//! S6 to S16: archiving.

use super::{Cluster, refusal};
use oceanbase_sim::Fault;

const SET: &str = "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///bk/clog BINDING=Mandatory \
                   PIECE_SWITCH_INTERVAL=2d' TENANT=t1";
const DEST: &str =
    "SELECT DEST_NO, NAME, VALUE FROM oceanbase.CDB_OB_ARCHIVE_DEST WHERE TENANT_ID=1002";
const STATUS: &str = "SELECT STATUS FROM oceanbase.CDB_OB_ARCHIVELOG WHERE TENANT_ID=1002";

fn status(c: &mut Cluster) -> String {
    c.one(STATUS)
}

#[test]
fn s06_set_archive_dest() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok(SET);
    let rows = c.rows(DEST);
    let expected = [
        ["0", "path", "file:///bk/clog"],
        ["0", "binding", "MANDATORY"],
        ["0", "dest_id", "1001"],
        ["0", "piece_switch_interval", "2d"],
        ["0", "state", "ENABLE"],
    ];
    assert_eq!(rows, expected.map(|r| r.map(str::to_owned).to_vec()));
    assert!(c.rows(STATUS).is_empty());
}

#[test]
fn s07_change_one_option() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok(SET);
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///bk/clog' TENANT=t1");
    let values: Vec<String> = c.rows(DEST).into_iter().map(|r| r[2].clone()).collect();
    assert_eq!(
        values,
        ["file:///bk/clog", "OPTIONAL", "1001", "1d", "ENABLE"]
    );
}

#[test]
fn s08_clear_dest() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok(SET);
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST='' TENANT=t1");
    assert!(c.rows(DEST).is_empty());
    c.ok(SET);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    assert_eq!(
        c.code("ALTER SYSTEM SET LOG_ARCHIVE_DEST='' TENANT=t1"),
        1235
    );
    c.sim.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        c.code("ALTER SYSTEM SET LOG_ARCHIVE_DEST='' TENANT=t1"),
        1235
    );
}

#[test]
fn s09_archive_on() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok(SET);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    let mode = c.one("SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_ID=1002");
    assert_eq!(mode, "ARCHIVELOG");
    assert_eq!(status(&mut c), "PREPARE");
    let display = "SELECT CHECKPOINT_SCN_DISPLAY FROM oceanbase.CDB_OB_ARCHIVELOG";
    assert_eq!(c.one(display), "NULL");
    c.pass(3);
    assert_eq!(status(&mut c), "BEGINNING");
    c.pass(3);
    assert_eq!(status(&mut c), "DOING");
    let pieces = "SELECT STATUS, FILE_STATUS, END_SCN - START_SCN FROM \
                  oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES";
    assert_eq!(
        c.rows(pieces),
        [["ACTIVE", "INCOMPLETE", "172800000000000"]]
    );
    let before = c.checkpoint();
    c.pass(20);
    assert!(c.checkpoint() > before);
    assert_eq!(c.rows(pieces)[0][1], "AVAILABLE");
    let row = "SELECT TENANT_ID, DEST_ID, ROUND_ID, INCARNATION, DEST_NO, BASE_PIECE_ID, \
               USED_PIECE_ID, PIECE_SWITCH_INTERVAL FROM oceanbase.CDB_OB_ARCHIVELOG";
    assert_eq!(
        c.rows(row),
        [["1002", "1001", "1", "1", "0", "1", "1", "172800000000"]]
    );
}

#[test]
fn s10_archive_on_twice() {
    let mut c = Cluster::ready("4.2.1.6");
    let mut t1 = c.tenant("t1");
    assert_eq!(refusal(&mut t1, "ALTER SYSTEM ARCHIVELOG").code, 9091);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    assert_eq!(status(&mut c), "DOING");
}

#[test]
fn s11_archive_on_without_dest() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t2");
    c.pass(60);
    assert!(
        c.rows("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG")
            .is_empty()
    );
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///bk/t2' TENANT=t2");
    c.pass(10);
    assert_eq!(
        c.one("SELECT STATUS FROM oceanbase.CDB_OB_ARCHIVELOG"),
        "DOING"
    );
}

#[test]
fn s12_defer() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='DEFER' TENANT=t1");
    assert_eq!(status(&mut c), "DOING");
    c.pass(2);
    assert_eq!(status(&mut c), "SUSPENDING");
    c.pass(5);
    assert_eq!(status(&mut c), "SUSPEND");
    let frozen = c.checkpoint();
    c.pass(100);
    assert_eq!(c.checkpoint(), frozen);
    assert_eq!(c.rows(DEST)[4][2], "DEFER");
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='ENABLE' TENANT=t1");
    c.pass(2);
    assert_eq!(status(&mut c), "BEGINNING");
    c.pass(10);
    assert_eq!(status(&mut c), "DOING");
    assert_eq!(
        c.one("SELECT ROUND_ID FROM oceanbase.CDB_OB_ARCHIVELOG"),
        "1"
    );
    assert!(c.checkpoint() > frozen);
}

#[test]
fn s13_stop() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    let mode = c.one("SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_ID=1002");
    assert_eq!(mode, "NOARCHIVELOG");
    c.pass(2);
    assert_eq!(status(&mut c), "STOPPING");
    c.pass(5);
    assert_eq!(status(&mut c), "STOP");
    let pieces = "SELECT STATUS, CHECKPOINT_SCN < END_SCN FROM \
                  oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES";
    assert_eq!(c.rows(pieces), [["FROZEN", "1"]]);
    assert_eq!(
        c.one("SELECT STATUS FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY"),
        "STOP"
    );
}

#[test]
fn s14_new_round() {
    let mut c = Cluster::ready("4.2.1.6");
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    c.pass(20);
    let old = c.checkpoint();
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    c.pass(20);
    let row = "SELECT ROUND_ID, BASE_PIECE_ID, START_SCN FROM oceanbase.CDB_OB_ARCHIVELOG";
    let row = c.rows(row).remove(0);
    assert_eq!(row[..2], ["2", "2"]);
    assert!(row[2].parse::<i64>().unwrap() > old);
    let summary = "SELECT ROUND_ID, STATUS FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY";
    assert_eq!(c.rows(summary), [["1", "STOP"], ["2", "DOING"]]);
}

#[test]
fn s15_switch_dest_while_running() {
    let mut c = Cluster::ready("4.2.1.6");
    let other = "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///bk/other' TENANT=t1";
    assert_eq!(c.code(other), 1235);
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    c.pass(20);
    c.ok(other);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    c.pass(20);
    let ids = "SELECT DISTINCT DEST_ID FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY";
    assert_eq!(c.rows(ids).len(), 2);
}

#[test]
fn s16_interrupted() {
    let mut c = Cluster::ready("4.2.1.6");
    c.sim.inject(Fault::ArchiveInterrupted {
        tenant: "t1".to_owned(),
    });
    assert_eq!(status(&mut c), "INTERRUPTED");
    let comment = c.one("SELECT COMMENT FROM oceanbase.CDB_OB_ARCHIVELOG");
    assert_eq!(comment, "log stream 1001 interrupted");
    let frozen = c.checkpoint();
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    c.pass(60);
    assert_eq!(status(&mut c), "INTERRUPTED");
    assert_eq!(c.checkpoint(), frozen);
    c.ok("ALTER SYSTEM NOARCHIVELOG TENANT=t1");
    c.pass(20);
    c.ok("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    c.pass(20);
    assert_eq!(
        c.one("SELECT ROUND_ID FROM oceanbase.CDB_OB_ARCHIVELOG"),
        "2"
    );
}
