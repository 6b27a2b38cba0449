//! An OceanBase cluster in the console: added over the MySQL protocol, looked at, backed up, recovered, changed, removed.
//! The cluster is a simulated one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod routes;

use control::GlobalAdmin;
use domain::{
    JobId, TenantId,
    access::{Actor, Role},
    backup::BackupKind,
    capability::EngineKind,
    clock::Clock,
    cluster::{ClusterSummary, NewCluster},
    endpoint::{Access, Finding, label},
    job::JobState,
    page::TaskFilter,
    recovery::RecoveryRequest,
};
use oceanbase_sim::{
    Setup, Sim,
    door::{Door, OpenDoor},
};
use routes::Fixture;
use server::compose::SystemClock;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

const PASSWORD: &str = "tide tables of 1867";
const CLUSTER: &str = "prod";
/// How long something may take that takes a second or two.
const PATIENCE: Duration = Duration::from_secs(120);

/// A simulated cluster that goes on with the time of day, and how to reach it.
struct Served {
    sim: Arc<Sim>,
    door: OpenDoor,
    clock: JoinHandle<()>,
}

impl Served {
    async fn start(version: &str, history: bool) -> Served {
        let setup = Setup {
            start_us: now_us(),
            scale: 60.0,
            root_password: PASSWORD.to_owned(),
            history,
            ..Setup::new(version).unwrap()
        };
        let sim = Arc::new(Sim::new(setup));
        let door = Door::new(Arc::clone(&sim)).open("127.0.0.1:0").await;
        let follows = Arc::clone(&sim);
        let clock = tokio::spawn(async move {
            let mut steps = tokio::time::interval(Duration::from_millis(50));
            loop {
                steps.tick().await;
                follows.follow_clock(now_us());
            }
        });
        Served {
            sim,
            door: door.unwrap(),
            clock,
        }
    }

    fn access(&self) -> Access {
        Access {
            addresses: format!("127.0.0.1:1, {}", self.door.address()),
            account: String::new(),
            password: Some(PASSWORD.to_owned()),
        }
    }

    fn new_cluster(&self) -> NewCluster {
        NewCluster {
            name: CLUSTER.to_owned(),
            engine: EngineKind::OceanBase,
            access: Some(self.access()),
            ..NewCluster::default()
        }
    }

    async fn end(self, fixture: Fixture) {
        fixture.console.shut_down().await;
        self.clock.abort();
        self.door.close().await;
    }
}

fn now_us() -> i64 {
    i64::try_from(SystemClock.now().0 / 1000).unwrap()
}

fn admin(fixture: &Fixture) -> GlobalAdmin {
    let actor = Actor::new("maria", Role::Admin);
    fixture.console.global_admin(&actor).unwrap()
}

/// Waits until there is an answer.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let wait = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come about"))
}

async fn summary(admin: &GlobalAdmin) -> ClusterSummary {
    let viewer = admin.admin().operator().viewer();
    viewer.clusters().await.unwrap().remove(0)
}

async fn tenant(admin: &GlobalAdmin, name: &str) -> TenantId {
    let viewer = admin.admin().operator().viewer();
    let tenants = viewer.tenants(CLUSTER).await.unwrap();
    let found = tenants.iter().find(|tenant| tenant.name == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {tenants:?}"))
        .id
}

/// Waits until a tenant's log backup is in progress.
async fn archiving(admin: &GlobalAdmin, tenant: TenantId) {
    let viewer = admin.admin().operator().viewer();
    until("log backup", || async {
        let filter = TaskFilter::default();
        let rows = viewer.archives(CLUSTER, &filter).await.unwrap().rows;
        let row = rows.into_iter().find(|row| row.tenant == tenant)?;
        (row.state == domain::archive::ArchiveState::Doing).then_some(())
    })
    .await;
}

async fn backup_ended(admin: &GlobalAdmin, task: JobId) -> domain::backup::BackupJob {
    let viewer = admin.admin().operator().viewer();
    until("the end of a data backup", || async {
        let rows = viewer.backups(CLUSTER, &TaskFilter::default()).await;
        let rows = rows.unwrap().rows;
        let job = rows.into_iter().find(|job| job.id == task)?;
        job.state.is_final().then_some(job)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_added_looked_at_backed_up_and_recovered() {
    let fixture = Fixture::new().await;
    let served = Served::start("4.3.5", true).await;
    let admin = admin(&fixture);
    admin.create_cluster(&served.new_cluster()).await.unwrap();
    let seen = summary(&admin).await;
    assert_eq!(seen.tenants, 4, "{seen:?}");
    assert_eq!(seen.cluster.engine, EngineKind::OceanBase);
    assert!(seen.cluster.version.ends_with("(simulated)"), "{seen:?}");
    assert!(seen.recoverable_from.is_some(), "{seen:?}");
    let endpoint = seen.cluster.endpoint.unwrap();
    assert_eq!(endpoint.account, "root@sys");
    assert!(!format!("{endpoint:?}").contains(PASSWORD));

    // Nothing was ordered that nobody asked for.
    let viewer = admin.admin().operator().viewer();
    let tasks = viewer.backups(CLUSTER, &TaskFilter::default()).await;
    assert_eq!(tasks.unwrap().rows, []);

    let id = tenant(&admin, "t1").await;
    archiving(&admin, id).await;
    let operator = admin.admin().operator();
    let begun = operator.back_up_now(CLUSTER, Some(id), BackupKind::Incremental);
    let begun = begun.await.unwrap();
    let job = backup_ended(&admin, begun.tasks[0]).await;
    assert_eq!(job.state, JobState::Completed, "{job:?}");
    assert!(
        job.set.is_some() && job.min_restore_scn.is_some(),
        "{job:?}"
    );

    let until_scn = until("a moment after the set", || async {
        let overview = viewer.overview(CLUSTER).await.unwrap();
        let tenants = overview.period.tenants;
        let of_it = tenants.into_iter().find(|one| one.tenant == id)?;
        let end = of_it.ranges.last()?.end;
        (Some(end) > job.min_restore_scn).then_some(end)
    })
    .await;
    let request = RecoveryRequest {
        tenant: id,
        until: until_scn,
        new_name: "t1_copy".to_owned(),
        place: None,
        placement: None,
    };
    let plan = operator.plan_recovery(CLUSTER, &request).await.unwrap();
    assert!(!plan.sets.is_empty(), "{plan:?}");
    let task = operator.initiate_recovery(CLUSTER, &request).await.unwrap();
    let recovered = until("the end of a recovery", || async {
        let rows = viewer.recoveries(CLUSTER, &TaskFilter::default()).await;
        let rows = rows.unwrap().rows;
        let job = rows.into_iter().find(|job| job.id == task)?;
        job.state.is_final().then_some(job)
    })
    .await;
    assert_eq!(recovered.state, JobState::Completed, "{recovered:?}");
    tenant(&admin, "t1_copy").await;
    served.end(fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tried_step_by_step_before_it_is_used() {
    let fixture = Fixture::new().await;
    let served = Served::start("4.2.1.6", false).await;
    let admin = admin(&fixture);
    let test = async |access: &Access| {
        admin
            .test_connection(EngineKind::OceanBase, access, None)
            .await
            .unwrap()
    };
    let report = test(&served.access()).await;
    assert!(report.passed(), "{report:?}");
    let found = |name: &str| {
        let step = report.steps.iter().find(|step| step.name == name);
        step.unwrap_or_else(|| panic!("no {name} in {report:?}"))
            .finding
            .clone()
    };
    assert!(matches!(found("Read the version"), Finding::Good(text) if text.contains("4.2.1.6")));
    assert!(matches!(found("Destinations"), Finding::Warning(text) if text.contains("t1, t2")));
    assert!(matches!(found("Log backup"), Finding::Warning(text) if text.contains("t1, t2")));

    let wrong = Access {
        password: Some("another one".to_owned()),
        ..served.access()
    };
    let report = test(&wrong).await;
    let last = report.steps.last().unwrap();
    assert!(!report.passed() && last.name == "Sign in", "{report:?}");
    assert!(!format!("{report:?}").contains("another one"));
    let new = NewCluster {
        access: Some(wrong),
        ..served.new_cluster()
    };
    let refused = admin.create_cluster(&new).await.unwrap_err();
    assert!(refused.to_string().contains("1045"), "{refused}");
    let viewer = admin.admin().operator().viewer();
    assert_eq!(viewer.clusters().await.unwrap().len(), 0);

    let nowhere = Access {
        addresses: "127.0.0.1:1".to_owned(),
        ..served.access()
    };
    let report = test(&nowhere).await;
    assert_eq!(report.steps.len(), 1, "{report:?}");
    assert_eq!(report.steps[0].name, "Reach the server");

    let monitor = Access {
        account: "monitor@sys".to_owned(),
        password: Some("monitor".to_owned()),
        ..served.access()
    };
    let report = test(&monitor).await;
    let may = report
        .steps
        .iter()
        .find(|step| step.name.starts_with("May order"));
    assert!(
        matches!(&may.unwrap().finding, Finding::Warning(text) if text.contains("ALTER SYSTEM")),
        "{report:?}"
    );
    served.end(fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_address_is_told_at_its_field() {
    let fixture = Fixture::new().await;
    let admin = admin(&fixture);
    let new = NewCluster {
        name: "x".to_owned(),
        engine: EngineKind::OceanBase,
        access: Some(Access {
            addresses: "http://db1".to_owned(),
            account: "root@shop".to_owned(),
            password: None,
        }),
        first_tenant: Some("shop".to_owned()),
        ..NewCluster::default()
    };
    let refused = admin.create_cluster(&new).await.unwrap_err();
    let control::Error::Invalid(found) = refused else {
        panic!("{refused}");
    };
    let fields: Vec<&str> = found.iter().map(|wrong| wrong.field.as_str()).collect();
    let all = [
        "Cluster name",
        label::ADDRESSES,
        label::ACCOUNT,
        "Tenant name",
    ];
    assert_eq!(fields, all);
    fixture.console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_stays_readable_and_comes_back_at_another_address() {
    let fixture = Fixture::new().await;
    let served = Served::start("4.3.5", true).await;
    let admin = admin(&fixture);
    admin.create_cluster(&served.new_cluster()).await.unwrap();
    let before = summary(&admin).await;
    let Served { sim, door, clock } = served;
    door.close().await;
    let away = until("the fault", || async {
        let seen = summary(&admin).await;
        seen.cluster.fault.is_some().then_some(seen)
    })
    .await;
    assert_eq!(away.tenants, before.tenants);
    assert_eq!(away.recoverable_from, before.recoverable_from);
    assert!(away.cluster.observed.is_some());

    let door = Door::new(Arc::clone(&sim))
        .open("127.0.0.1:0")
        .await
        .unwrap();
    let moved = Access {
        addresses: door.address().to_string(),
        account: "root@sys".to_owned(),
        password: None,
    };
    // A password is not sent to an address that it was not given for.
    let refused = admin.modify_cluster(CLUSTER, &moved).await.unwrap_err();
    assert!(refused.to_string().contains("give it again"), "{refused}");
    let moved = Access {
        password: Some(PASSWORD.to_owned()),
        ..moved
    };
    admin.modify_cluster(CLUSTER, &moved).await.unwrap();
    let back = until("the return", || async {
        let seen = summary(&admin).await;
        seen.cluster.fault.is_none().then_some(seen)
    })
    .await;
    let endpoint = back.cluster.endpoint.unwrap();
    assert_eq!(endpoint.addresses.len(), 1);
    Served { sim, door, clock }.end(fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_cluster_is_forgotten_and_can_be_added_again() {
    let fixture = Fixture::new().await;
    let served = Served::start("4.3.5", true).await;
    let admin = admin(&fixture);
    admin.create_cluster(&served.new_cluster()).await.unwrap();
    let twin = NewCluster {
        name: "twin".to_owned(),
        ..served.new_cluster()
    };
    let refused = admin.create_cluster(&twin).await.unwrap_err();
    assert!(
        refused.to_string().contains("is the same one as"),
        "{refused}"
    );
    let id = tenant(&admin, "t1").await;
    archiving(&admin, id).await;
    let operator = admin.admin().operator();
    let begun = operator.back_up_now(CLUSTER, Some(id), BackupKind::Full);
    let task = begun.await.unwrap().tasks[0];
    let refused = admin.remove_cluster(CLUSTER).await.unwrap_err();
    assert!(refused.to_string().contains("not finished"), "{refused}");
    backup_ended(&admin, task).await;
    admin.remove_cluster(CLUSTER).await.unwrap();
    let viewer = operator.viewer();
    assert_eq!(viewer.clusters().await.unwrap().len(), 0);
    assert!(viewer.overview(CLUSTER).await.is_err());
    admin.create_cluster(&served.new_cluster()).await.unwrap();
    assert_eq!(summary(&admin).await.tenants, 4);
    let tasks = viewer.backups(CLUSTER, &TaskFilter::default()).await;
    assert_eq!(tasks.unwrap().rows, [], "tasks of before are forgotten");
    served.end(fixture).await;
}
