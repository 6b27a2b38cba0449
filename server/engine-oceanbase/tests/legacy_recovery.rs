//! Recoveries of clusters before 4.0: which moments they take, how they are followed, given up and refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{Scn, backup::BackupKind};
use engine::{Engine, EngineErrorKind, EngineJobState, RecoverySpec, TenantKey};
use engine_oceanbase::LegacyEngine;
use oceanbase_sim::{Fault, Sim};
use std::time::Duration;
use support::{
    LOOKS_MAX, PACKETS_MAX, backup, ended, every_packet_was_lost_once, legacy_engine, running,
    sent, sql,
};

fn recovery(tenant: &TenantKey, until: Scn, name: &str) -> RecoverySpec {
    RecoverySpec {
        token: format!("token-of-{name}"),
        tenant: tenant.clone(),
        until,
        new_name: name.to_owned(),
        place: None,
        placement: None,
    }
}

/// Log that was stopped between two sets, and then a third set.
async fn with_a_hole() -> (Sim, LegacyEngine, Vec<TenantKey>) {
    let (sim, engine, keys) = running("3.1.5", 2).await;
    let kinds = [BackupKind::Full, BackupKind::Incremental, BackupKind::Full];
    for (number, kind) in kinds.into_iter().enumerate() {
        let spec = backup(&keys[0], &number.to_string(), kind);
        let id = engine.start_backup(&spec).await.unwrap();
        ended(&sim, &engine, &id).await;
        sim.advance(Duration::from_secs(20));
        if number == 1 {
            engine.stop_archive(&keys[0], "test").await.unwrap();
            sim.advance(Duration::from_secs(20));
            engine.start_archive(&keys[0]).await.unwrap();
            sim.advance(Duration::from_secs(20));
        }
    }
    (sim, engine, keys)
}

#[tokio::test]
async fn what_is_told_to_be_recoverable_is_what_the_cluster_takes() {
    let (sim, engine, keys) = with_a_hole().await;
    let seen = engine.observe().await.unwrap();
    let tenant = seen.tenants.iter().find(|it| it.key == keys[0]).unwrap();
    assert_eq!(tenant.sets.len(), 3, "{:?}", tenant.sets);
    assert_eq!(tenant.sets[1].base, Some(tenant.sets[0].id));
    let from = tenant.sets[0].min_restore_scn.minus_ns(3_000_000_000);
    let upto = tenant.archive.checkpoint.unwrap();
    // Old enough for the cluster, and nothing but the moment is refused.
    engine.stop_archive(&keys[0], "test").await.unwrap();
    sim.advance(Duration::from_secs(30));
    sql(&sim, &["ALTER SYSTEM SET restore_concurrency = 10"]);
    let (mut taken, mut refused) = (0, 0);
    let step = upto.since_ns(from) / 97;
    for number in 0..=97_u64 {
        let spec = recovery(&keys[0], from.plus_ns(number * step), &format!("r{number}"));
        let planned = engine.plan_recovery(&spec).await;
        sql(
            &sim,
            &[
                "CREATE RESOURCE POOL IF NOT EXISTS p UNIT = 'tenant_unit', UNIT_NUM = 1, ZONE_LIST = ('zone1')",
            ],
        );
        let us = i64::try_from(spec.until.0 / 1000).unwrap();
        let answer = asked(&sim, us, &spec.new_name);
        match planned {
            Ok(plan) => {
                assert_eq!(answer, None, "{plan:?}");
                taken += 1;
                sql(&sim, &[&format!("DROP TENANT {} FORCE", spec.new_name)]);
            }
            Err(error) => {
                assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
                assert!(matches!(answer, Some(4018 | 9048)), "{answer:?}: {error}");
                refused += 1;
            }
        }
    }
    assert!(taken > 20 && refused > 10, "{taken} {refused}");
}

/// The code with which the cluster refuses a moment.
fn asked(sim: &Sim, until_us: i64, name: &str) -> Option<u16> {
    let mut session = sim.log_in("root@sys", "").unwrap();
    let mut run = |text: &str| session.run(text).answers.pop().unwrap();
    let text = match run(&format!("SELECT USEC_TO_TIME({until_us})")) {
        Ok(oceanbase_sim::Answer::Rows { rows, .. }) => rows[0][0].clone().unwrap(),
        other => panic!("{other:?}"),
    };
    let order = format!(
        "ALTER SYSTEM RESTORE {name} FROM t1 AT 'file:///bk/first' UNTIL '{text}' WITH \
         'backup_cluster_name=c1&backup_cluster_id=1&pool_list=p'"
    );
    run(&order).err().map(|refusal| refusal.code)
}

/// A moment that can be recovered, old enough.
async fn recoverable(sim: &Sim, engine: &LegacyEngine, tenant: &TenantKey) -> Scn {
    let spec = backup(tenant, "base", BackupKind::Full);
    let id = engine.start_backup(&spec).await.unwrap();
    let until = ended(sim, engine, &id).await.min_restore_scn.unwrap();
    sim.advance(Duration::from_secs(20));
    until
}

#[tokio::test]
async fn a_recovery_is_followed_through_its_steps_and_sent_once() {
    for nth in 1..=PACKETS_MAX {
        let (sim, engine, keys) = running("3.1.5", 2).await;
        let until = recoverable(&sim, &engine, &keys[0]).await;
        let spec = recovery(&keys[0], until, "nt");
        let before = sim.statements().len();
        sim.inject(Fault::ReplyLost { nth });
        let first = engine.start_recovery(&spec).await;
        sim.clear_faults();
        every_packet_was_lost_once(&sim, before, nth);
        let id = match first {
            Ok(id) => id,
            Err(error) => {
                assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
                engine.start_recovery(&spec).await.unwrap()
            }
        };
        assert_eq!(engine.start_recovery(&spec).await.unwrap(), id);
        assert_eq!(
            sent(&sim, "ALTER SYSTEM RESTORE"),
            1,
            "answer {nth} was lost"
        );
        // Another process finds it by the names of its pools.
        let other = legacy_engine(&sim).await;
        assert_eq!(other.find_job(&spec.token).await.unwrap(), Some(id.clone()));
        assert_eq!(other.start_recovery(&spec).await.unwrap(), id);
        let mut phases = Vec::new();
        for _ in 0..LOOKS_MAX {
            let report = other.job(&id).await.unwrap();
            if report.state != EngineJobState::Running {
                break;
            }
            if phases.last() != Some(&report.progress.phase) {
                phases.push(report.progress.phase);
            }
            sim.advance(Duration::from_millis(100));
        }
        assert!(phases.len() >= 4, "{phases:?}");
        let report = engine.job(&id).await.unwrap();
        assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
        assert_eq!(sent(&sim, "ALTER SYSTEM RESTORE"), 1);
        let seen = engine.observe().await.unwrap();
        assert!(seen.tenants.iter().any(|it| it.name == "nt"));
    }
}

#[tokio::test]
async fn a_failed_recovery_tells_the_cluster_s_own_words() {
    let (sim, engine, keys) = running("2.2.77", 1).await;
    let until = recoverable(&sim, &engine, &keys[0]).await;
    sim.inject(Fault::RestoreFails {
        tenant: "nt".to_owned(),
    });
    let spec = recovery(&keys[0], until, "nt");
    let id = engine.start_recovery(&spec).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Failed);
    assert!(report.failure.unwrap().contains("4016"));
}

#[tokio::test]
async fn a_recovery_that_is_given_up_leaves_no_tenant_and_an_ended_one_stays() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let until = recoverable(&sim, &engine, &keys[0]).await;
    let spec = recovery(&keys[0], until, "given_up");
    let id = engine.start_recovery(&spec).await.unwrap();
    sim.advance(Duration::from_millis(100));
    engine.cancel_job(&id).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Canceled, "{report:?}");
    let names = |tenants: Vec<engine::TenantObservation>| {
        let names = tenants.into_iter().map(|tenant| tenant.name);
        names.collect::<Vec<String>>()
    };
    let seen = engine.observe().await.unwrap();
    assert_eq!(names(seen.tenants), ["t1"]);
    let spec = recovery(&keys[0], until, "kept");
    let id = engine.start_recovery(&spec).await.unwrap();
    ended(&sim, &engine, &id).await;
    engine.cancel_job(&id).await.unwrap();
    let report = engine.job(&id).await.unwrap();
    assert_eq!(report.state, EngineJobState::Completed);
    let seen = engine.observe().await.unwrap();
    assert_eq!(names(seen.tenants), ["kept", "t1"]);
}

#[tokio::test]
async fn a_refused_recovery_takes_its_units_back() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let until = recoverable(&sim, &engine, &keys[0]).await;
    sim.inject(Fault::StorageUnreachable {
        prefix: "file:///bk/first".to_owned(),
    });
    let spec = recovery(&keys[0], until, "nt");
    let refused = engine.start_recovery(&spec).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Unreachable, "{refused}");
    assert_eq!(sent(&sim, "DROP RESOURCE POOL"), 1);
    assert_eq!(sent(&sim, "DROP RESOURCE UNIT"), 1);
    sim.clear_faults();
    let id = engine.start_recovery(&spec).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Completed);
}
