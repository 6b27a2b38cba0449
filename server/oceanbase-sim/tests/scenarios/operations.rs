//! S40 to S42: parameters, units and timeouts.

use super::{Cluster, refusal, rows};
use oceanbase_sim::{Setup, Sim};

#[test]
fn s40_parameters() {
    let mut c = Cluster::new("4.3.5");
    let found = c.rows("SHOW PARAMETERS LIKE 'archive_lag_target' TENANT = t1");
    assert_eq!(found.len(), 3);
    assert_eq!(found[0][4..7], ["archive_lag_target", "TIME", "120s"]);
    let old = Cluster::new("4.2.0").rows("SHOW PARAMETERS LIKE 'archive_lag_target'");
    assert_eq!(old[0][5], "NULL");
    c.ok(
        "ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=s3://b/p?host=h&access_id=i&access_key=k&\
         s3_region=r' TENANT=t1",
    );
    assert_eq!(
        c.code("ALTER SYSTEM SET archive_lag_target='30s' TENANT=t1"),
        4179
    );
    c.ok("ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///bk/t2' TENANT=t2");
    c.ok("ALTER SYSTEM SET archive_lag_target='30s' TENANT=t2");
    let value = "SELECT DISTINCT VALUE FROM oceanbase.GV$OB_PARAMETERS WHERE \
                 NAME='archive_lag_target' AND TENANT_ID=1004";
    assert_eq!(c.one(value), "30s");
    assert_eq!(c.code("ALTER SYSTEM SET nonsense = 1"), 5099);
    assert_eq!(c.code("ALTER SYSTEM SET ha_high_thread_score = 101"), 1210);
}

#[test]
fn s41_unit_limits() {
    let mut c = Cluster::new("4.2.1.6");
    c.ok("CREATE RESOURCE UNIT big MAX_CPU 9, MEMORY_SIZE = '8G'");
    c.ok("CREATE RESOURCE POOL a UNIT = 'big', UNIT_NUM = 1, ZONE_LIST = ('zone1','zone2')");
    let again = "CREATE RESOURCE POOL a UNIT = 'big', UNIT_NUM = 1, ZONE_LIST = ('zone1')";
    assert_eq!(c.code(again), 4651);
    let full = "CREATE RESOURCE POOL b UNIT = 'big', UNIT_NUM = 1, ZONE_LIST = ('zone1')";
    assert_eq!(c.code(full), 4624);
    assert_eq!(
        c.code("CREATE RESOURCE UNIT big MAX_CPU 1, MEMORY_SIZE = '1G'"),
        4649
    );
    let none = "CREATE RESOURCE POOL b UNIT = 'no', UNIT_NUM = 1, ZONE_LIST = ('zone1')";
    assert_eq!(c.code(none), 4648);
    assert_eq!(c.code("DROP RESOURCE POOL b"), 4650);
    assert_eq!(
        c.code("CREATE RESOURCE UNIT s MAX_CPU 1, MEMORY_SIZE = '1M'"),
        4659
    );
    assert_eq!(
        c.code("CREATE RESOURCE UNIT s MAX_CPU 1, MEMORY_SIZE = '1G', LOG_DISK_SIZE = '1G'"),
        4659
    );
    let mut c = Cluster::ready("4.2.1.6");
    c.backup();
    c.pass(30);
    let scn = c.checkpoint();
    let taken = format!(
        "ALTER SYSTEM RESTORE nt FROM 'file:///bk/data,file:///bk/clog' UNTIL SCN={scn} WITH \
         'pool_list=pool_t2'"
    );
    assert_eq!(c.code(&taken), 4626);
}

#[test]
fn s42_timeout() {
    let mut setup = Setup::new("4.2.1.6").unwrap();
    setup.history = true;
    setup.history_rows = 8000;
    let mut c = Cluster::of(setup);
    let heavy = "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY";
    assert!(c.number(heavy) > 8000);
    c.pass(1);
    c.ok("SET ob_query_timeout = 100000");
    let e = refusal(&mut c.sys, heavy);
    assert_eq!(e.code, 4012);
    assert!(
        e.message
            .starts_with("Timeout, query has reached the maximum query timeout: 100000(us), ")
    );
}

#[test]
fn history_is_a_plausible_week() {
    for version in ["4.0.0", "4.2.1.9", "4.3.5"] {
        let mut setup = Setup::new(version).unwrap();
        setup.history = true;
        let mut c = Cluster::of(setup);
        let rounds = "SELECT ROUND_ID, STATUS FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY WHERE \
                      TENANT_ID=1002 ORDER BY ROUND_ID";
        assert_eq!(c.rows(rounds), [["1", "STOP"], ["2", "DOING"]]);
        let sets = "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE TENANT_ID=1002 \
                    AND STATUS='SUCCESS' AND MIN_RESTORE_SCN >= START_REPLAY_SCN";
        assert!(c.number(sets) >= 7);
        let last = "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE TENANT_ID=1008";
        assert_eq!(c.number(last), 0);
        assert_eq!(
            c.rows("SELECT * FROM oceanbase.CDB_OB_BACKUP_DELETE_POLICY")
                .len(),
            1
        );
        c.pool("p");
        let scn = c.checkpoint();
        c.ok(&format!(
            "ALTER SYSTEM RESTORE nt FROM 'file:///backup/t1/data,file:///backup/t1/clog' UNTIL \
             SCN={scn} WITH 'pool_list=p'"
        ));
        c.ok("ALTER SYSTEM BACKUP INCREMENTAL TENANT = t1");
        let kind = "SELECT BACKUP_TYPE FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID=1002";
        assert_eq!(c.one(kind), "INC");
    }
}

#[test]
fn units_of_a_zone_lie_on_different_servers() {
    let mut setup = Setup::new("4.2.1.6").unwrap();
    (setup.zones, setup.servers_per_zone, setup.tenants) = (2, 2, 1);
    let sim = Sim::new(setup);
    let mut sys = sim.log_in("root@sys", "").unwrap();
    let servers = "SELECT SVR_IP, ZONE FROM oceanbase.GV$OB_SERVERS ORDER BY SVR_IP";
    let found = rows(&mut sys, servers);
    assert_eq!(found.len(), 4);
    assert_eq!(
        rows(&mut sys, "SELECT ZONE FROM oceanbase.DBA_OB_ZONES").len(),
        2
    );
    for order in [
        "CREATE RESOURCE UNIT u MAX_CPU 10, MEMORY_SIZE = '2G'",
        "CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 2, ZONE_LIST = ('zone1')",
    ] {
        assert!(sys.run(order).answers[0].is_ok(), "{order}");
    }
    let units = "SELECT SVR_IP FROM oceanbase.DBA_OB_UNITS WHERE MAX_CPU = 10 ORDER BY SVR_IP";
    assert_eq!(rows(&mut sys, units), [["10.0.0.1"], ["10.0.1.1"]]);
    let third = "CREATE RESOURCE POOL q UNIT = 'u', UNIT_NUM = 3, ZONE_LIST = ('zone2')";
    assert_eq!(refusal(&mut sys, third).code, 4624);
}
