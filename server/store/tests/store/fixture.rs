//! A fresh control database per test, and rows to fill it with.

use domain::{
    BackupSetId, ClusterId, Scn, TenantId,
    archive::ArchiveState,
    backup::{BackupKind, BackupMethod, BackupSet, TaskSource, Trigger},
    capability::{Ability, ArchiveScope, Capabilities, EngineKind, Expiry, RecoverTo},
    recoverable::{GapCause, LogSpan},
    tenant::TenantState,
};
use store::{AddCluster, ArchiveFacts, NewJob, Opened, Order, Store, StoreError, TenantFacts};
use tokio::sync::{Mutex, MutexGuard};

/// Tests on one server follow one another; on SQLite each has its own file.
static SERVER: Mutex<()> = Mutex::const_new(());

pub(crate) struct Fixture {
    pub(crate) store: Store,
    _server: Option<MutexGuard<'static, ()>>,
    dir: tempfile::TempDir,
}

/// An empty control database with the newest schema.
pub(crate) async fn fresh() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => (url, Some(SERVER.lock().await)),
        Err(_) => (
            format!("sqlite://{}", dir.path().join("control.db").display()),
            None,
        ),
    };
    let store = Store::connect(&url).await.unwrap();
    if server.is_some() {
        migration::down(store.connection()).await.unwrap();
    }
    migration::up(store.connection()).await.unwrap();
    Fixture {
        store,
        _server: server,
        dir,
    }
}

impl Fixture {
    /// The file of the control database, on SQLite.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("control.db")
    }

    pub(crate) async fn cluster(&self, name: &str) -> ClusterId {
        let add = AddCluster {
            name: name.to_owned(),
            engine: EngineKind::Embedded,
            opened: opened(),
            home_dir: format!("clusters/{name}"),
            destination_dir: format!("backup/{name}"),
            endpoint: None,
            created: Scn(1),
        };
        self.store
            .change(async |change| change.add_cluster(&add).await)
            .await
            .unwrap()
    }

    pub(crate) async fn tenant(&self, cluster: ClusterId, name: &str) -> TenantId {
        let facts = tenant_facts(name);
        self.store
            .change(async |change| {
                let (id, _) = change.add_tenant(cluster, &facts).await?;
                change
                    .set_archive(cluster, id, &archive_facts(Scn(100)))
                    .await?;
                Ok::<_, StoreError>(id)
            })
            .await
            .unwrap()
    }

    pub(crate) async fn enqueue(&self, new: &NewJob) -> domain::JobId {
        self.store
            .change(async |change| change.enqueue(new).await)
            .await
            .unwrap()
    }
}

pub(crate) fn opened() -> Opened {
    Opened {
        version: "SQLite 3.51.3".to_owned(),
        capabilities: Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: Expiry::EngineByPolicy,
            second_backup: false,
            placement: false,
            change_destination: Ability::Yes,
            create_tenant: Ability::Yes,
            verify: Ability::Yes,
            backs_up_new_rounds: true,
            back_up: Ability::Yes,
            plan_cleanup: Ability::Yes,
            storages: vec![domain::storage::StorageKind::File],
            keeps_settings: false,
        },
        destination: "file:///backups".to_owned(),
    }
}

pub(crate) fn tenant_facts(name: &str) -> TenantFacts {
    TenantFacts {
        engine_key: format!("key of {name}"),
        name: name.to_owned(),
        state: TenantState::Online,
        data_file: Some(format!("tenants/{name}.db")),
        size_bytes: 4096,
        note: None,
        data_bytes: 10,
        log_bytes: 20,
    }
}

pub(crate) fn archive_facts(checkpoint: Scn) -> ArchiveFacts {
    ArchiveFacts {
        method: BackupMethod::Physical,
        host: "here".to_owned(),
        checkpoint: Some(checkpoint),
        directory: "log/a".to_owned(),
        started: Some(Scn(50)),
        round: 1,
        state: ArchiveState::Doing,
        note: None,
    }
}

pub(crate) fn set(id: i64, at: u64) -> BackupSet {
    BackupSet {
        id: BackupSetId(id),
        kind: BackupKind::Full,
        base: None,
        round: 1,
        min_restore_scn: Scn(at),
        started: Scn(at - 1),
        finished: Scn(at + 1),
        stored_bytes: 1000,
        raw_bytes: 4096,
    }
}

pub(crate) fn span(start: u64, end: u64) -> LogSpan {
    LogSpan {
        round: 1,
        start: Scn(start),
        end: Scn(end),
        cause: GapCause::FirstStart,
        note: String::new(),
    }
}

pub(crate) fn backup(cluster: ClusterId, tenant: TenantId, created: u64) -> NewJob {
    NewJob {
        cluster,
        tenant,
        order: Order::Backup {
            asked: BackupKind::Full,
            source: TaskSource::Tenant,
        },
        trigger: Trigger::Manual,
        token: format!("token {cluster} {tenant} {created}"),
        created: Scn(created),
        run: None,
    }
}

pub(crate) fn recovery(
    cluster: ClusterId,
    tenant: TenantId,
    created: u64,
    new_name: &str,
) -> NewJob {
    NewJob {
        order: Order::Recovery {
            until: Scn(77),
            new_name: new_name.to_owned(),
            place: None,
            placement: None,
        },
        token: format!("recovery {cluster} {tenant} {created}"),
        ..backup(cluster, tenant, created)
    }
}
