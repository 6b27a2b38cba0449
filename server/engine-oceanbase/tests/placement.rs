//! Where a recovered tenant is placed, the statements that the plan shows, and what a failed recovery leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{
    backup::BackupKind,
    placement::{
        PlacedZone, Placement, ReplicaType, Resources, UnitChoice, UnitSize, read_priority,
        violations,
    },
    recovery::{PlannedStep, StepKind},
};
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobId, EngineJobState, RecoverySpec};
use engine_oceanbase::{OceanBaseEngine, STATEMENTS_FOR_RESOURCES};
use oceanbase_sim::{Fault, Setup, Sim};
use std::time::Duration;
use support::{cluster, engine, key, prepare, sql};

const GIB: u64 = 1 << 30;

/// A cluster with a tenant that can be recovered, and an order for it.
async fn recoverable(sim: &Sim, engine: &OceanBaseEngine) -> RecoverySpec {
    prepare(sim, "t1");
    let tenant = key(engine, "t1").await;
    let backup = BackupSpec {
        token: "b".to_owned(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    };
    engine.start_backup(&backup).await.unwrap();
    sim.advance(Duration::from_secs(60));
    let seen = engine.observe().await.unwrap();
    let source = seen.tenants.iter().find(|it| it.name == "t1").unwrap();
    RecoverySpec {
        token: "r".to_owned(),
        tenant,
        until: source.sets[0].min_restore_scn,
        new_name: "nt".to_owned(),
        place: None,
        placement: None,
    }
}

fn size(cpu: u64, memory: u64, log: u64) -> UnitSize {
    UnitSize {
        cpu_hundredths: cpu * 100,
        memory_bytes: memory * GIB,
        log_disk_bytes: log * GIB,
    }
}

fn made(size: UnitSize) -> UnitChoice {
    UnitChoice::New {
        name: "unit_nt".to_owned(),
        size,
    }
}

fn placed(zones: &[&str], unit: &UnitChoice) -> Placement {
    let row = |zone: &&str| PlacedZone {
        zone: (*zone).to_owned(),
        replica: ReplicaType::Full,
        unit: unit.clone(),
    };
    Placement {
        zones: zones.iter().map(row).collect(),
        unit_count: 1,
        priority: Vec::new(),
    }
}

async fn ended(sim: &Sim, engine: &OceanBaseEngine, id: &EngineJobId) -> EngineJobState {
    for _ in 0..500 {
        sim.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        let state = engine.job(id).await.unwrap().state;
        if !matches!(state, EngineJobState::Running | EngineJobState::Canceling) {
            return state;
        }
    }
    panic!("the recovery never ended");
}

fn names(sim: &Sim, view: &str) -> Vec<String> {
    let mut session = sim.log_in("root@sys", "").unwrap();
    let ask = format!("SELECT NAME FROM oceanbase.{view} ORDER BY NAME");
    let mut reply = session.run(&ask);
    match reply.answers.remove(0).unwrap() {
        oceanbase_sim::Answer::Rows { rows, .. } => rows
            .into_iter()
            .map(|mut row| row.remove(0).unwrap())
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn kinds(steps: &[PlannedStep]) -> Vec<StepKind> {
    steps.iter().map(|step| step.what).collect()
}

#[tokio::test]
async fn resources_cost_the_same_whatever_the_number_of_tenants() {
    for tenants in [1, 100] {
        let sim = cluster("4.3.5", tenants);
        let engine = engine(&sim).await;
        let tenant = key(&engine, "t1").await;
        let before = engine.statements_read();
        let resources = engine.resources(&tenant).await.unwrap();
        assert_eq!(
            engine.statements_read() - before,
            STATEMENTS_FOR_RESOURCES,
            "{tenants}"
        );
        let zones: Vec<&str> = resources
            .zones
            .iter()
            .map(|zone| zone.name.as_str())
            .collect();
        assert_eq!(zones, ["zone1", "zone2", "zone3"]);
        let zone = &resources.zones[0];
        assert!(zone.active && zone.region == "sys_region" && zone.servers.len() == 1);
        assert_eq!(zone.free(), size(10, 40, 120));
        assert!(zone.total().holds(zone.free()));
        assert_eq!(resources.unit("tenant_unit").unwrap().size, size(2, 8, 24));
        let suggested = resources.suggested.clone().unwrap();
        let like = UnitChoice::Existing("tenant_unit".to_owned());
        assert_eq!(suggested, placed(&["zone1", "zone2", "zone3"], &like));
        assert_eq!(violations(&suggested, &resources), []);
    }
}

#[tokio::test]
async fn old_versions_have_full_replicas_only_and_a_lost_source_suggests_nothing() {
    let sim = cluster("4.1.0", 1);
    let engine = engine(&sim).await;
    let resources = engine.resources(&key(&engine, "t1").await).await.unwrap();
    assert_eq!(resources.replicas, [ReplicaType::Full]);
    let lost = engine::TenantKey("4711".to_owned());
    let resources = engine.resources(&lost).await.unwrap();
    assert_eq!(resources.suggested, None);
    assert_eq!(resources.zones.len(), 3);
}

#[tokio::test]
async fn a_tenant_is_placed_as_it_was_asked_for_by_the_statements_of_the_plan() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    let mut spec = recoverable(&sim, &engine).await;
    let mut placement = placed(&["zone1", "zone2", "zone3"], &made(size(1, 2, 0)));
    placement.zones[2].replica = ReplicaType::ReadOnly;
    placement.zones[2].unit = UnitChoice::Existing("tenant_unit".to_owned());
    placement.priority = read_priority("zone2;zone1");
    spec.placement = Some(placement);
    let asked = RecoverySpec {
        token: String::new(),
        ..spec.clone()
    };
    let steps = engine.plan_recovery(&asked).await.unwrap().steps;
    use StepKind as K;
    assert_eq!(
        kinds(&steps),
        [
            K::CreateUnit,
            K::CreatePool,
            K::CreatePool,
            K::CreatePool,
            K::SetSession,
            K::Restore,
            K::Activate
        ]
    );
    assert!(
        steps[0]
            .statement
            .contains("`unit_nt` MAX_CPU = 1, MEMORY_SIZE = 2147483648")
    );
    assert!(
        steps[1].statement.contains("`pool_nt_zone1_"),
        "{}",
        steps[1].statement
    );
    assert!(steps[3].statement.contains("UNIT = 'tenant_unit'"));
    let order = &steps[5].statement;
    assert!(
        order.contains("&locality=F@zone1,F@zone2,R@zone3&primary_zone=zone2;zone1'"),
        "{order}"
    );

    let id = engine.start_recovery(&spec).await.unwrap();
    assert_eq!(ended(&sim, &engine, &id).await, EngineJobState::Completed);
    let sent = sim.statements();
    for step in &steps {
        let mark = step.statement.replace("tidemark <order>", "tidemark r");
        assert!(sent.contains(&mark), "{mark} was not sent");
    }
    let pools = names(&sim, "DBA_OB_RESOURCE_POOLS");
    assert_eq!(
        pools
            .iter()
            .filter(|name| name.starts_with("pool_nt_zone"))
            .count(),
        3
    );
    assert!(names(&sim, "DBA_OB_UNIT_CONFIGS").contains(&"unit_nt".to_owned()));
}

#[tokio::test]
async fn without_a_placement_the_tenant_is_placed_like_its_source() {
    let sim = cluster("4.2.1.6", 1);
    let engine = engine(&sim).await;
    let spec = recoverable(&sim, &engine).await;
    let before = names(&sim, "DBA_OB_UNIT_CONFIGS");
    let plan = engine.plan_recovery(&spec).await.unwrap();
    assert_eq!(kinds(&plan.steps)[..3], [StepKind::CreatePool; 3]);
    let id = engine.start_recovery(&spec).await.unwrap();
    assert_eq!(ended(&sim, &engine, &id).await, EngineJobState::Completed);
    assert_eq!(
        names(&sim, "DBA_OB_UNIT_CONFIGS"),
        before,
        "its unit specification is used"
    );
}

#[tokio::test]
async fn what_a_restart_left_is_found_again_by_name() {
    let sim = cluster("4.3.5", 1);
    let first = engine(&sim).await;
    let mut spec = recoverable(&sim, &first).await;
    spec.placement = Some(placed(&["zone1"], &made(size(1, 2, 6))));
    let steps = first.plan_recovery(&spec).await.unwrap().steps;
    // The process ended after it had made them, and before it sent the recovery.
    sql(&sim, &[&steps[0].statement, &steps[1].statement]);
    let second = engine(&sim).await;
    let left = second.plan_recovery(&spec).await.unwrap().steps;
    assert_eq!(
        kinds(&left),
        [StepKind::SetSession, StepKind::Restore, StepKind::Activate],
        "what is there is not made again"
    );
    let before = names(&sim, "DBA_OB_RESOURCE_POOLS").len();
    let id = second.start_recovery(&spec).await.unwrap();
    assert_eq!(ended(&sim, &second, &id).await, EngineJobState::Completed);
    assert_eq!(names(&sim, "DBA_OB_RESOURCE_POOLS").len(), before);
    assert_eq!(
        second.leftovers(&spec).await.unwrap(),
        [],
        "all of it is in use"
    );
    // Another tenant under the same order: the pools are taken.
    sql(
        &sim,
        &[
            "DROP TENANT nt FORCE",
            "ALTER RESOURCE UNIT unit_nt MAX_CPU 2",
        ],
    );
    let refused = second.plan_recovery(&spec).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(
        refused.to_string().contains("unit_nt of another size"),
        "{refused}"
    );
}

#[tokio::test]
async fn units_and_pools_of_a_refused_order_are_removed_again() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    let mut spec = recoverable(&sim, &engine).await;
    let (pools, units) = (
        names(&sim, "DBA_OB_RESOURCE_POOLS"),
        names(&sim, "DBA_OB_UNIT_CONFIGS"),
    );
    // zone2 is filled meanwhile, so that its pool is refused after that of zone1 was made.
    spec.placement = Some(placed(&["zone1", "zone2"], &made(size(6, 8, 24))));
    sql(
        &sim,
        &[
            "CREATE RESOURCE UNIT big MAX_CPU 6, MEMORY_SIZE = '8G'",
            "CREATE RESOURCE POOL other UNIT = 'big', UNIT_NUM = 1, ZONE_LIST = ('zone2')",
        ],
    );
    let refused = engine.start_recovery(&spec).await.unwrap_err();
    assert!(refused.to_string().contains("4624"), "{refused}");
    sql(
        &sim,
        &["DROP RESOURCE POOL other", "DROP RESOURCE UNIT big"],
    );
    assert_eq!(names(&sim, "DBA_OB_RESOURCE_POOLS"), pools);
    assert_eq!(names(&sim, "DBA_OB_UNIT_CONFIGS"), units);
}

/// A recovery that failed in the cluster, with everything that it made.
async fn failed(sim: &Sim, engine: &OceanBaseEngine) -> RecoverySpec {
    let mut spec = recoverable(sim, engine).await;
    spec.placement = Some(placed(&["zone1", "zone2"], &made(size(1, 2, 6))));
    sim.inject(Fault::RestoreFails {
        tenant: "nt".to_owned(),
    });
    let id = engine.start_recovery(&spec).await.unwrap();
    assert_eq!(ended(sim, engine, &id).await, EngineJobState::Failed);
    spec
}

#[tokio::test]
async fn what_a_failed_recovery_left_is_removed_in_order_and_only_once() {
    let sim = cluster("4.3.5", 2);
    let engine = engine(&sim).await;
    let before = (
        names(&sim, "DBA_OB_RESOURCE_POOLS"),
        names(&sim, "DBA_OB_UNIT_CONFIGS"),
    );
    let spec = failed(&sim, &engine).await;
    // Somebody else's of nearly the same name stay.
    sql(
        &sim,
        &[
            "CREATE RESOURCE POOL pool_nt_zone1 UNIT = 'tenant_unit', UNIT_NUM = 1, ZONE_LIST = ('zone1')",
        ],
    );
    use StepKind as K;
    let left = engine.leftovers(&spec).await.unwrap();
    assert_eq!(
        kinds(&left),
        [K::DropTenant, K::DropPool, K::DropPool, K::DropUnit]
    );
    assert_eq!(left[0].statement, "DROP TENANT IF EXISTS `nt` FORCE");
    // After a restart the same is found, without anything that the process knew.
    let again = support::engine(&sim).await;
    assert_eq!(again.leftovers(&spec).await.unwrap(), left);
    assert_eq!(again.remove_leftovers(&spec).await.unwrap(), left);
    sql(&sim, &["DROP RESOURCE POOL pool_nt_zone1"]);
    let after = (
        names(&sim, "DBA_OB_RESOURCE_POOLS"),
        names(&sim, "DBA_OB_UNIT_CONFIGS"),
    );
    assert_eq!(after, before);
    assert_eq!(again.remove_leftovers(&spec).await.unwrap(), []);
    // The same order can be tried again under the same name.
    sim.clear_faults();
    let retried = RecoverySpec {
        token: "r2".to_owned(),
        ..spec.clone()
    };
    let id = again.start_recovery(&retried).await.unwrap();
    assert_eq!(ended(&sim, &again, &id).await, EngineJobState::Completed);
    assert_eq!(
        again.remove_leftovers(&spec).await.unwrap(),
        [],
        "what is in use stays"
    );
    assert!(
        again
            .observe()
            .await
            .unwrap()
            .tenants
            .iter()
            .any(|it| it.name == "nt")
    );
}

#[tokio::test]
async fn cleaning_up_after_a_lost_answer_goes_on_where_it_was() {
    for nth in 1..=24 {
        let sim = cluster("4.3.5", 1);
        let engine = engine(&sim).await;
        let before = (
            names(&sim, "DBA_OB_RESOURCE_POOLS"),
            names(&sim, "DBA_OB_UNIT_CONFIGS"),
        );
        let spec = failed(&sim, &engine).await;
        sim.inject(Fault::ReplyLost { nth });
        if let Err(error) = engine.remove_leftovers(&spec).await {
            assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
        }
        sim.clear_faults();
        engine.remove_leftovers(&spec).await.unwrap();
        let after = (
            names(&sim, "DBA_OB_RESOURCE_POOLS"),
            names(&sim, "DBA_OB_UNIT_CONFIGS"),
        );
        assert_eq!(after, before, "answer {nth} was lost");
    }
}

#[tokio::test]
async fn a_canceled_recovery_leaves_pools_and_a_running_one_is_not_touched() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    let mut spec = recoverable(&sim, &engine).await;
    spec.placement = Some(placed(&["zone1"], &made(size(1, 2, 6))));
    let id = engine.start_recovery(&spec).await.unwrap();
    let sent = |sim: &Sim| {
        let all = sim.statements();
        all.iter()
            .any(|text| text.starts_with("ALTER SYSTEM RESTORE"))
    };
    while !sent(&sim) {
        tokio::task::yield_now().await;
    }
    let refused = engine.remove_leftovers(&spec).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
    engine.cancel_job(&id).await.unwrap();
    assert_eq!(ended(&sim, &engine, &id).await, EngineJobState::Canceled);
    let done = engine.remove_leftovers(&spec).await.unwrap();
    assert_eq!(kinds(&done), [StepKind::DropPool, StepKind::DropUnit]);
}

#[tokio::test]
async fn a_tenant_that_somebody_else_made_under_the_name_is_never_dropped() {
    let sim = cluster("4.3.5", 2);
    let engine = engine(&sim).await;
    let mut spec = recoverable(&sim, &engine).await;
    spec.new_name = "t2".to_owned();
    assert_eq!(engine.leftovers(&spec).await.unwrap(), []);
    assert_eq!(engine.remove_leftovers(&spec).await.unwrap(), []);
    assert!(
        engine
            .observe()
            .await
            .unwrap()
            .tenants
            .iter()
            .any(|it| it.name == "t2")
    );
}

/// Whether the cluster makes the unit and the pools of a placement; removes them again.
fn takes(sim: &Sim, placement: &Placement) -> bool {
    let mut session = sim.log_in("root@sys", "").unwrap();
    let mut taken = true;
    for row in &placement.zones {
        let UnitChoice::New { name, size } = &row.unit else {
            panic!("only new ones here");
        };
        let log = match size.log_disk_bytes {
            0 => String::new(),
            bytes => format!(", LOG_DISK_SIZE = {bytes}"),
        };
        let (cpu, memory, count) = (size.cpu_hundredths, size.memory_bytes, placement.unit_count);
        let orders = [
            format!(
                "CREATE RESOURCE UNIT IF NOT EXISTS {name} MAX_CPU = {}.{:02}, MEMORY_SIZE = {memory}{log}",
                cpu / 100,
                cpu % 100
            ),
            format!(
                "CREATE RESOURCE POOL p_{zone} UNIT = '{name}', UNIT_NUM = {count}, ZONE_LIST = ('{zone}')",
                zone = row.zone
            ),
        ];
        taken &= orders
            .iter()
            .all(|order| session.run(order).answers.iter().all(Result::is_ok));
    }
    for row in &placement.zones {
        session.run(&format!("DROP RESOURCE POOL IF EXISTS p_{}", row.zone));
    }
    session.run("DROP RESOURCE UNIT IF EXISTS unit_nt");
    taken
}

async fn room(sim: &Sim) -> Resources {
    let engine = engine(sim).await;
    engine.resources(&key(&engine, "t1").await).await.unwrap()
}

#[tokio::test]
async fn the_cluster_refuses_exactly_what_is_told_beforehand() {
    let mut setup = Setup::new("4.3.5").unwrap();
    setup.tenants = 1;
    setup.servers_per_zone = 2;
    let sim = Sim::new(setup);
    // The servers of zone1 differ: a unit lies on one of them.
    sql(
        &sim,
        &[
            "CREATE RESOURCE UNIT half MAX_CPU 5, MEMORY_SIZE = '20G', LOG_DISK_SIZE = '60G'",
            "CREATE RESOURCE POOL half UNIT = 'half', UNIT_NUM = 1, ZONE_LIST = ('zone1')",
        ],
    );
    let resources = room(&sim).await;
    assert_eq!(resources.zones[0].servers.len(), 2);
    let mut seen = [0, 0];
    for zones in [&["zone1"][..], &["zone2"], &["zone1", "zone3"]] {
        for count in [0, 1, 2, 3] {
            for unit in [
                size(0, 1, 3),
                size(1, 0, 3),
                size(1, 1, 1),
                size(1, 1, 0),
                size(5, 20, 60),
                size(6, 20, 60),
                size(5, 21, 60),
                size(5, 20, 61),
                size(10, 40, 120),
                size(11, 40, 120),
                size(12, 48, 144),
                size(1, 40, 0),
                size(1, 48, 0),
                size(1, 49, 0),
            ] {
                let mut placement = placed(zones, &made(unit));
                placement.unit_count = count;
                let told = violations(&placement, &resources);
                let taken = takes(&sim, &placement);
                assert_eq!(taken, told.is_empty(), "{placement:?}: {told:?}");
                seen[usize::from(taken)] += 1;
            }
        }
    }
    assert!(
        seen.iter().all(|times| *times > 20),
        "both are tried: {seen:?}"
    );
}
