//! A home that is lost: the cluster is found at its destination, adopted, and goes on as it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{
    Scn, backup::BackupKind, capability::EngineKind, clock::Clock, second_backup::Place,
    tenant::TenantState,
};
use engine::{
    CopySpec, CopyWhat, Engine, EngineError, EngineErrorKind, EngineSettings, Observation,
    RecoverySpec, TenantKey, TenantObservation,
};
use engine_embedded::EmbeddedEngine;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use support_basic::{Lab, LabClock, wait_until};

fn clock() -> Arc<dyn Clock> {
    Arc::new(LabClock::default())
}

/// A cluster with two tenants, sets of both kinds and a finished round of log each, ended; and the
/// moment of its last commit.
async fn ended() -> (Lab, Observation, Scn) {
    let mut lab = Lab::open().await;
    let mut last = Scn::ZERO;
    for name in ["orders", "payments"] {
        let tenant = lab.engine().create_tenant(name).await.unwrap();
        lab.wait_archiving(&tenant).await;
        lab.sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
            .await;
        lab.back_up(&tenant, BackupKind::Full).await;
        lab.sql(&tenant, "INSERT INTO t VALUES (2)").await;
        lab.back_up(&tenant, BackupKind::Incremental).await;
        last = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
        lab.wait_durable(&tenant, last).await;
        lab.engine()
            .stop_archive(&tenant, "to compare")
            .await
            .unwrap();
    }
    let observed = lab.engine().observe().await.unwrap();
    lab.close().await;
    (lab, observed, last)
}

fn settings(home: PathBuf, destination: PathBuf, adopt: Option<String>) -> EngineSettings {
    EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        server: None,
        home,
        destination,
        adopt,
    }
}

async fn identity(destination: &Path) -> String {
    let found = EmbeddedEngine::survey(destination).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].name, "local");
    assert_eq!(found[0].tenants, ["orders", "payments"]);
    found[0].identity.clone()
}

/// What must be the same before and after: everything about the backups.
fn backups(observed: &Observation) -> Vec<TenantObservation> {
    let only = |tenant: &TenantObservation| TenantObservation {
        state: TenantState::Offline,
        data_file: None,
        size_bytes: 0,
        note: None,
        archive: engine::ArchiveObservation {
            state: domain::archive::ArchiveState::Stop,
            note: None,
            directory: String::new(),
            ..tenant.archive.clone()
        },
        ..tenant.clone()
    };
    observed.tenants.iter().map(only).collect()
}

async fn adopt(home: PathBuf, destination: &Path) -> Arc<EmbeddedEngine> {
    let identity = identity(destination).await;
    let settings = settings(home, destination.to_owned(), Some(identity.clone()));
    let engine = EmbeddedEngine::open(&settings, clock()).await.unwrap();
    assert_eq!(engine.identity(), Some(identity));
    engine
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_home_comes_back_from_the_destination_alone_and_recovers_byte_for_byte() {
    let (lab, before, last) = ended().await;
    let backup = lab.dir.path().join("backup");
    let tenant = before.tenants[1].key.clone();
    let data = whole(before.tenants[1].data_file.as_ref().unwrap());
    fs::remove_dir_all(lab.dir.path().join("home")).unwrap();

    let engine = adopt(lab.dir.path().join("new/home"), &backup).await;
    let after = engine.observe().await.unwrap();
    assert!(after.complete);
    assert_eq!(backups(&after), backups(&before));
    assert!(
        after
            .tenants
            .iter()
            .all(|it| it.state == TenantState::Offline)
    );

    let path = lab.dir.path().join("recovered.db");
    let proof = engine.recover_to_file(&tenant, last, &path).await.unwrap();
    assert_eq!(proof.expected_digest, proof.computed_digest);
    assert!(fs::read(&path).unwrap() == data, "the files differ");
    let spec = RecoverySpec {
        token: "back".to_owned(),
        tenant: tenant.clone(),
        until: last,
        new_name: "payments".to_owned(),
        place: None,
        placement: None,
    };
    let job = engine.start_recovery(&spec).await.unwrap();
    wait_until("the tenant to be in service again", async || {
        let report = engine.job(&job).await.unwrap();
        assert_eq!(report.failure, None);
        let observed = engine.observe().await.unwrap();
        let back =
            |one: &&TenantObservation| one.name == "payments" && one.state == TenantState::Online;
        observed.tenants.iter().any(|one| back(&one))
    })
    .await;
    engine.shut_down().await;
    drop(engine);

    // The new home is as good as the old one was: it opens without being told whose it is.
    let again = settings(lab.dir.path().join("new/home"), backup, None);
    let engine = reopened(&again).await;
    assert_eq!(engine.observe().await.unwrap().tenants.len(), 3);
    engine.shut_down().await;
}

/// The content of a data file with everything that is still in its log.
fn whole(file: &str) -> Vec<u8> {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    fs::read(file).unwrap()
}

async fn reopened(settings: &EngineSettings) -> Arc<EmbeddedEngine> {
    let mut opened = None;
    wait_until("the home's lock", async || {
        match EmbeddedEngine::open(settings, clock()).await {
            Ok(engine) => {
                opened = Some(engine);
                true
            }
            Err(error) if error.message.contains("used by another") => false,
            Err(error) => panic!("{error}"),
        }
    })
    .await;
    opened.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_is_still_there_is_opened_with_its_tenants_in_service() {
    let (lab, before, last) = ended().await;
    let home = lab.dir.path().join("home");
    let engine = adopt(home, &lab.dir.path().join("backup")).await;
    let after = engine.observe().await.unwrap();
    assert_eq!(backups(&after), backups(&before));
    assert!(
        after
            .tenants
            .iter()
            .all(|it| it.state == TenantState::Online)
    );
    let tenant = &before.tenants[0].key;
    engine.start_archive(tenant).await.unwrap();
    let path = lab.dir.path().join("recovered.db");
    engine
        .recover_to_file(&before.tenants[1].key, last, &path)
        .await
        .unwrap();
    engine.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_is_adopted_just_as_well_whether_the_home_is_there_or_not() {
    let (lab, before, last) = ended().await;
    let (first, second) = (lab.dir.path().join("backup"), lab.dir.path().join("second"));
    fs::create_dir(&second).unwrap();
    drop(storage::Dest::open_dir(&second, Scn(1)).unwrap());
    let cluster = identity(&first).await;
    copy_tree(&first.join(&cluster), &second.join(&cluster));
    fs::remove_dir_all(&first).unwrap();

    for home in [lab.dir.path().join("home"), lab.dir.path().join("new")] {
        let engine = adopt(home, &second).await;
        let after = engine.observe().await.unwrap();
        assert_eq!(backups(&after), backups(&before));
        assert_eq!(after.storages.len(), 1);
        let state = &after.storages[0];
        assert_eq!((state.place, state.identity_changed), (Place::First, false));
        assert_eq!(state.fault, None);
        for tenant in &before.tenants {
            let path = lab.dir.path().join(format!("recovered-{}", tenant.key));
            let proof = engine.recover_to_file(&tenant.key, tenant.spans[0].end, &path);
            proof.await.unwrap();
            fs::remove_file(path).unwrap();
        }
        assert!(last <= before.tenants[1].spans[0].end);
        engine.shut_down().await;
    }
}

/// Nothing but what was copied is left: no home, no first copy.
#[tokio::test(flavor = "multi_thread")]
async fn second_copies_alone_bring_the_cluster_back_and_recover_byte_for_byte() {
    let mut lab = Lab::open().await;
    let second = lab.dir.path().join("second");
    fs::create_dir(&second).unwrap();
    lab.engine().use_second(Some(&second)).await.unwrap();
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.back_up(&tenant, BackupKind::Full).await;
    lab.sql(&tenant, "INSERT INTO t VALUES (2)").await;
    lab.back_up(&tenant, BackupKind::Incremental).await;
    let last = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
    lab.wait_durable(&tenant, last).await;
    lab.engine()
        .stop_archive(&tenant, "to compare")
        .await
        .unwrap();
    let newest = lab.tenant_named("orders").await.sets[1].id;
    for (token, what) in [("set", CopyWhat::Set(newest)), ("log", CopyWhat::Log)] {
        let order = CopySpec {
            token: token.to_owned(),
            tenant: tenant.clone(),
            what,
            limit_bytes_per_s: None,
        };
        let job = lab.engine().start_copy(&order).await.unwrap();
        let report = lab.wait_job(&job).await;
        assert_eq!(report.failure, None);
    }
    let before = lab.tenant_named("orders").await;
    lab.close().await;
    let data = whole(before.data_file.as_ref().unwrap());
    fs::remove_dir_all(lab.dir.path().join("home")).unwrap();
    fs::remove_dir_all(lab.dir.path().join("backup")).unwrap();

    let found = EmbeddedEngine::survey(&second).await.unwrap();
    assert_eq!((found.len(), found[0].name.as_str()), (1, "local"));
    assert_eq!(found[0].tenants, ["orders"]);
    let new = lab.dir.path().join("new");
    let settings = settings(new, second, Some(found[0].identity.clone()));
    let engine = EmbeddedEngine::open(&settings, clock()).await.unwrap();
    let after = engine.observe().await.unwrap().tenants.remove(0);
    assert_eq!((&after.sets, &after.spans), (&before.sets, &before.spans));
    let path = lab.dir.path().join("recovered.db");
    let proof = engine.recover_to_file(&tenant, last, &path).await.unwrap();
    assert_eq!(proof.expected_digest, proof.computed_digest);
    assert!(fs::read(&path).unwrap() == data, "the files differ");
    engine.shut_down().await;
}

async fn refused(settings: &EngineSettings) -> EngineError {
    match EmbeddedEngine::open(settings, clock()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_its_own_is_refused() {
    let (lab, before, _) = ended().await;
    let (home, backup) = (lab.dir.path().join("home"), lab.dir.path().join("backup"));
    let mut other = Lab::open().await;
    let foreign = TenantKey("5f0e3c6a-3a0b-4f57-9c0e-2f3d7b1a9c11".to_owned());
    let nothing = refused(&settings(
        lab.dir.path().join("new"),
        backup.clone(),
        Some(foreign.0.clone()),
    ))
    .await;
    assert_eq!(nothing.kind, EngineErrorKind::Rejected);
    assert!(
        nothing.message.contains("holds nothing of cluster"),
        "{nothing}"
    );
    assert!(!lab.dir.path().join("new").exists());

    other.close().await;
    let cluster = identity(&backup).await;
    let another = refused(&settings(
        other.dir.path().join("home"),
        backup.clone(),
        Some(cluster),
    ))
    .await;
    assert!(another.message.contains("belongs to cluster"), "{another}");
    let garbled = refused(&settings(home, backup, Some("x".to_owned()))).await;
    assert!(
        garbled.message.contains("\"x\" is no identity"),
        "{garbled}"
    );
    let gone = EmbeddedEngine::survey(&lab.dir.path().join("nowhere")).await;
    assert_eq!(gone.unwrap_err().kind, EngineErrorKind::Unreachable);
    drop(before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_has_not_been_told_the_name_tells_it_by_its_sets() {
    let (lab, _, _) = ended().await;
    let backup = lab.dir.path().join("backup");
    let cluster = identity(&backup).await;
    let names = backup.join(&cluster).join("cluster.json");
    fs::remove_file(&names).unwrap();
    identity(&backup).await;
    fs::write(&names, b"{").unwrap();
    identity(&backup).await;
    let mut lab = lab;
    lab.reopen().await;
    wait_until("the name at the destination", async || {
        fs::read_to_string(&names).is_ok_and(|text| text.contains("\"local\""))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_tells_its_room_and_what_is_the_matter_with_it() {
    let lab = Lab::open().await;
    let state = async || lab.engine().observe().await.unwrap().storages[0].clone();
    let seen = state().await;
    assert_eq!(
        seen.location,
        lab.dir.path().join("backup").display().to_string()
    );
    assert!(seen.total_bytes > seen.free_bytes && seen.free_bytes.is_some());
    assert_eq!((seen.fault, seen.identity_changed), (None, false));

    let (here, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&here, &away).unwrap();
    wait_until("the absence to be told", async || {
        state()
            .await
            .fault
            .is_some_and(|fault| fault.contains("does not exist"))
    })
    .await;
    assert_eq!(
        (state().await.free_bytes, state().await.identity_changed),
        (None, false)
    );
    // A mount point without its disk is not another destination.
    fs::create_dir(&here).unwrap();
    wait_until("the empty directory to be told", async || {
        state()
            .await
            .fault
            .is_some_and(|fault| fault.contains("not the destination"))
    })
    .await;
    assert!(!state().await.identity_changed);
    drop(storage::Dest::open_dir(&here, Scn(1)).unwrap());
    wait_until("another identity to be told", async || {
        state().await.identity_changed
    })
    .await;
    fs::remove_dir_all(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    wait_until("the return to be told", async || {
        let seen = state().await;
        seen.fault.is_none() && seen.free_bytes.is_some() && !seen.identity_changed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_is_told_with_how_far() {
    const HOUR_NS: u64 = 3_600_000_000_000;
    let lab = Lab::open().await;
    lab.advance(2 * HOUR_NS);
    let back = async || lab.engine().observe().await.unwrap().clock_back_ns;
    assert_eq!(back().await, 0);
    lab.set_back(HOUR_NS);
    let told = back().await;
    assert!(told <= HOUR_NS && told > HOUR_NS - 60_000_000_000, "{told}");
    let report = lab.engine().probe_storage(lab.dir.path()).await.unwrap();
    assert!(!report.passed());
    let report = lab
        .engine()
        .probe_storage(&lab.dir.path().join("backup"))
        .await;
    assert!(report.unwrap().passed());
}
