//! A cluster with a second destination, and the questions tests ask of its copies.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "support of tests; each test binary uses a part of it"
)]

use crate::support_basic::Lab;
use domain::{
    Scn,
    backup::BackupKind,
    recoverable::{self, SetPoint, Verdict},
    second_backup::Place,
};
use engine::{
    CleanupSpec, CopySpec, CopyWhat, Engine, EngineJobState, JobReport, RecoverySpec,
    SecondObservation, TenantKey,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Commits something that is not in table `t`.
pub const MORE: &str = "CREATE TABLE IF NOT EXISTS u (v); INSERT INTO u VALUES (1)";

pub static NUMBER: AtomicU32 = AtomicU32::new(0);

pub fn at(lab: &Lab, name: &str) -> PathBuf {
    lab.dir.path().join(name)
}

pub async fn lab_with_second() -> (Lab, TenantKey) {
    let lab = Lab::open().await;
    lab.engine()
        .use_second(Some(&at(&lab, "second")))
        .await
        .unwrap();
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    write(&lab, &tenant, "CREATE TABLE t (v)").await;
    (lab, tenant)
}

pub async fn write(lab: &Lab, tenant: &TenantKey, sql: &str) -> Scn {
    let committed = lab.sql(tenant, sql).await;
    lab.wait_durable(tenant, committed).await;
    committed
}

pub fn spec(tenant: &TenantKey, what: CopyWhat, limit: Option<u64>) -> CopySpec {
    CopySpec {
        token: format!("copy-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        tenant: tenant.clone(),
        what,
        limit_bytes_per_s: limit,
    }
}

pub async fn copied(lab: &Lab, tenant: &TenantKey, what: CopyWhat) -> JobReport {
    let job = lab
        .engine()
        .start_copy(&spec(tenant, what, None))
        .await
        .unwrap();
    lab.wait_job(&job).await
}

pub async fn copy(lab: &Lab, tenant: &TenantKey, what: CopyWhat) -> JobReport {
    let report = copied(lab, tenant, what).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    assert!(report.outcome.is_some() && report.location.is_some());
    report
}

pub async fn back_up(lab: &Lab, tenant: &TenantKey, kind: BackupKind) -> CopyWhat {
    CopyWhat::Set(lab.back_up(tenant, kind).await.set.unwrap())
}

pub async fn second(lab: &Lab) -> SecondObservation {
    lab.tenant_named("orders").await.second.unwrap()
}

pub fn reaches(second: &SecondObservation, moment: Scn) -> bool {
    let points: Vec<SetPoint> = second
        .sets
        .iter()
        .map(|set| SetPoint {
            id: set.id,
            round: set.round,
            min_restore_scn: set.min_restore_scn,
        })
        .collect();
    let ranges = recoverable::ranges(&points, &second.spans);
    matches!(
        recoverable::verdict(&ranges, moment),
        Verdict::Recoverable(_)
    )
}

pub fn recovery(tenant: &TenantKey, until: Scn, name: &str, place: Option<Place>) -> RecoverySpec {
    RecoverySpec {
        token: format!("recovery-{name}"),
        tenant: tenant.clone(),
        until,
        new_name: name.to_owned(),
        place,
        placement: None,
    }
}

pub async fn recover(lab: &Lab, spec: &RecoverySpec) -> JobReport {
    let job = lab.engine().start_recovery(spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    report
}

pub fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

pub async fn verify_second(lab: &Lab) -> Vec<String> {
    lab.engine().verify_second(None).await.unwrap().faults
}

pub async fn clean_up(lab: &Lab, tenant: &TenantKey, place: Place, keep_from: Scn) -> JobReport {
    let spec = CleanupSpec {
        token: format!("cleanup-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        tenant: tenant.clone(),
        place,
        keep_from,
    };
    let job = lab.engine().start_cleanup(&spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    report
}

/// Two full sets with some log before, between and after them; the last moment.
pub async fn two_full_sets(lab: &Lab, tenant: &TenantKey) -> (CopyWhat, CopyWhat, Scn) {
    let old = back_up(lab, tenant, BackupKind::Full).await;
    for n in 0..3 {
        write(lab, tenant, &format!("INSERT INTO t VALUES ({n})")).await;
    }
    let new = back_up(lab, tenant, BackupKind::Full).await;
    let moment = write(lab, tenant, "INSERT INTO t VALUES (4)").await;
    (old, new, moment)
}
