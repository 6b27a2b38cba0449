//! S1 to S5 and S43: connecting, and the shape of answers.

use super::{Cluster, one, refusal, run};
use oceanbase_sim::{Delivery, Fault, Setup, Sim};

#[test]
fn s01_connect() {
    let mut c = Cluster::new("4.2.1.6");
    assert_eq!(c.one("SELECT ob_version()"), "4.2.1.6");
    assert_eq!(c.one("SELECT version()"), "5.7.25-OceanBase_CE-v4.2.1.6");
    let comment = c.one("SELECT @@version_comment");
    assert!(comment.starts_with("OceanBase_CE 4.2.1.6 ") && comment.ends_with("simulated"));
    assert_eq!(
        c.one("SELECT COUNT(*) FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_TYPE = 'USER'"),
        "4"
    );
    assert_eq!(c.one("SELECT 1"), "1");
}

#[test]
fn s02_wrong_tenant() {
    let c = Cluster::new("4.2.1.6");
    assert_eq!(c.sim.log_in("root@nosuch", "").unwrap_err().code, 1045);
    assert_eq!(c.sim.log_in("root@t1", "x").unwrap_err().code, 1045);
    assert_eq!(c.sim.log_in("root@sys#c1", "").unwrap_err().code, 1045);
    let mut setup = Setup::new("4.2.1.6").unwrap();
    setup.proxy = true;
    let sim = Sim::new(setup);
    assert!(sim.log_in("root@sys#c1", "").is_ok());
    assert_eq!(sim.log_in("root@sys", "").unwrap_err().code, 1045);
    assert_eq!(sim.log_in("root@sys#c2", "").unwrap_err().code, 1045);
}

#[test]
fn s03_prepare_on_3_1() {
    let mut c = Cluster::new("3.1.5");
    assert_eq!(c.sys.prepare("SELECT 1").unwrap_err().code, 1235);
    let mut c = Cluster::new("4.2.1.6");
    let two = "SELECT * FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_ID = ? AND STATUS = ?";
    assert_eq!(c.sys.prepare(two).unwrap(), 2);
    let refused = c.sys.prepare("ALTER SYSTEM ARCHIVELOG TENANT = ?");
    assert_eq!(refused.unwrap_err().code, 1064);
}

#[test]
fn s04_multi_statement() {
    let mut c = Cluster::ready("4.2.1.6");
    let text = "SET ENCRYPTION ON IDENTIFIED BY 'p' ONLY; ALTER SYSTEM BACKUP DATABASE";
    let reply = c.sys.run(text);
    assert_eq!(reply.answers.len(), 2);
    assert!(reply.answers.iter().all(Result::is_ok));
    let reply = c.sys.run("ALTER SYSTEM NONSENSE; SELECT 1");
    assert_eq!(reply.answers.len(), 1);
    let mode = c.one("SELECT ENCRYPTION_MODE FROM oceanbase.CDB_OB_BACKUP_SET_FILES");
    assert_eq!(mode, "PASSWORD");
}

#[test]
fn s05_sqlx_connect_line() {
    let text = "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),\
                time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci";
    for version in ["4.2.1.6", "4.2.1.9", "4.2.3", "4.3.1", "4.3.3", "4.3.5"] {
        let mut c = Cluster::new(version);
        c.ok(text);
        assert_eq!(c.one("SELECT @@time_zone"), "+00:00");
        assert!(
            c.one("SELECT @@sql_mode")
                .ends_with("NO_ENGINE_SUBSTITUTION")
        );
    }
    for version in ["4.0.0", "4.1.0", "4.2.0", "4.2.2", "4.3.0"] {
        assert_eq!(Cluster::new(version).code(text), 1064);
    }
    assert_eq!(Cluster::new("3.1.5").code(text), 1235);
    Cluster::new("4.0.0").ok("SET NAMES utf8mb4");
}

#[test]
fn s43_view_shape() {
    let text = "SELECT RESTORE_PROGRESS FROM oceanbase.CDB_OB_RESTORE_PROGRESS";
    let mut c = Cluster::new("4.3.1");
    let e = refusal(&mut c.sys, text);
    assert_eq!((e.code, e.state), (1054, "42S22"));
    assert!(e.message.contains("'RESTORE_PROGRESS'"));
    assert!(Cluster::new("4.2.1.9").rows(text).is_empty());
    assert!(Cluster::new("4.3.3").rows(text).is_empty());
    let e = refusal(&mut c.sys, "SELECT * FROM oceanbase.NOSUCH");
    assert_eq!((e.code, e.state), (1146, "42S02"));
    let mut t1 = c.tenant("t1");
    assert_eq!(refusal(&mut t1, text).code, 1146);
    assert_eq!(
        one(&mut t1, "SELECT COUNT(*) FROM oceanbase.DBA_OB_ARCHIVELOG"),
        "0"
    );
    assert_eq!(c.code("SELECT * FROM DBA_OB_TENANTS"), 1046);
    c.ok("USE oceanbase");
    assert_eq!(
        c.rows("SELECT TENANT_NAME FROM DBA_OB_TENANTS WHERE tenant_id = 1")[0][0],
        "sys"
    );
}

#[test]
fn times_follow_the_session_zone() {
    let mut c = Cluster::ready("4.2.1.6");
    let text = "SELECT START_SCN_DISPLAY FROM oceanbase.CDB_OB_ARCHIVELOG";
    let east = c.one(text);
    c.ok("SET time_zone = '+00:00'");
    assert_ne!(c.one(text), east);
    assert_eq!(c.one(text).len(), "2024-01-01 00:00:00.000000".len());
}

#[test]
fn tenants_see_their_own_rows() {
    let mut c = Cluster::ready("4.2.1.6");
    c.prepare("t2");
    let mut t2 = c.tenant("t2");
    for view in [
        "DBA_OB_TENANTS",
        "V$OB_ARCHIVE_DEST_STATUS",
        "DBA_OB_ARCHIVELOG",
    ] {
        let text = format!("SELECT COUNT(*) FROM oceanbase.{view}");
        assert_eq!(one(&mut t2, &text), "1", "{view}");
    }
}

#[test]
fn odd_text_is_refused_and_harms_nothing() {
    let mut c = Cluster::ready("4.2.1.9");
    for text in [
        "'",
        "@",
        "@@",
        "SELECT @",
        "ALTER SYSTEM SET",
        "SELECT usec_to_time(1e300)",
        "ALTER SYSTEM RESTORE FROM 'file:///a' UNTIL TIME='9999-12-31 23:59:59' PREVIEW",
        "ALTER SYSTEM RESTORE FROM 'file:///a' UNTIL SCN=18446744073709551615 PREVIEW",
        "SHOW VARIABLES LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%%%x'",
        "SELECT \u{1F600}",
        "SELECT 1 -- \u{e9}",
        "/* open",
    ] {
        c.sys.run(text);
    }
    c.ok("SIM ADVANCE 5");
    assert_eq!(c.one("SELECT 'it''s' FROM DUAL"), "it's");
    assert_eq!(
        c.one("SELECT CAST(STATUS AS CHAR) AS s FROM oceanbase.CDB_OB_ARCHIVELOG"),
        "DOING"
    );
}

#[test]
fn a_monitor_only_reads() {
    let c = Cluster::new("4.2.1.6");
    let mut monitor = c.sim.log_in("monitor@sys", "monitor").unwrap();
    assert!(run(&mut monitor, "SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG").is_ok());
    assert_eq!(refusal(&mut monitor, "ALTER SYSTEM ARCHIVELOG").code, 1227);
}

#[test]
fn packets_get_lost_as_told() {
    let mut c = Cluster::new("4.2.1.6");
    c.sim.inject(Fault::ReplyLost { nth: 2 });
    assert_eq!(c.sys.run("SELECT 1").delivery, Delivery::Whole);
    let reply = c.sys.run("ALTER SYSTEM ARCHIVELOG TENANT=t1");
    assert_eq!(reply.delivery, Delivery::LostAfter);
    let mode = "SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME='t1'";
    assert_eq!(c.one(mode), "ARCHIVELOG");
    c.sim.inject(Fault::DisconnectBefore { nth: 1 });
    assert!(
        c.sys
            .run("ALTER SYSTEM NOARCHIVELOG TENANT=t1")
            .answers
            .is_empty()
    );
    assert_eq!(c.one(mode), "ARCHIVELOG");
    c.ok("SIM FAULT slow 1 5000000000");
    assert_eq!(c.sys.run("SELECT 1").delay_ns, 5_000_000_000);
    assert!(
        c.sim
            .statements()
            .iter()
            .any(|s| s.contains("NOARCHIVELOG"))
    );
}
