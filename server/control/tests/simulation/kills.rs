//! A process killed at each step of a task of each kind.

use crate::{
    judge,
    process::{LOCAL, Process, Site},
    schedule,
};
use domain::{
    JobId, Scn, TenantId,
    backup::{BackupKind, Trigger},
    cluster::NewCluster,
    job::{JobKind, JobState},
    page::TaskFilter,
    recovery::RecoveryRequest,
    second_backup::{LogCycle, Place},
};
use std::time::Duration;
use store::{NewJob, Order, StoreError};

/// Readings of the clock and calls of the engine that a task certainly ends within.
const STEPS_MAX: u64 = 400;

/// A site with a tenant that has a set.
pub(crate) fn founded() -> (Site, Process) {
    let site = Site::new();
    site.world.state().keep_days = 1;
    let process = site.start().unwrap();
    let new = NewCluster {
        name: LOCAL.to_owned(),
        destination: None,
        first_tenant: Some("orders".to_owned()),
        ..NewCluster::default()
    };
    process
        .run(async { process.global_admin().create_cluster(&new).await.unwrap() })
        .unwrap();
    process.pass(10, Duration::from_millis(600)).unwrap();
    assert_eq!(judge::open(&site), Vec::<String>::new());
    (site, process)
}

/// Orders a task of a kind; `None` when the process was killed meanwhile.
fn order(site: &Site, process: &Process, kind: JobKind) -> Option<()> {
    let tenant = TenantId(1);
    let now = site.world.now();
    let order = match kind {
        JobKind::DataBackup => {
            return process.run(async {
                let operator = process.operator();
                let kind = BackupKind::Incremental;
                _ = operator.back_up_now(LOCAL, Some(tenant), kind).await;
            });
        }
        JobKind::Recovery => {
            let request = RecoveryRequest {
                tenant,
                until: now.minus_ns(1),
                new_name: "copy".to_owned(),
                place: None,
                placement: None,
            };
            return process.run(async {
                _ = process.operator().initiate_recovery(LOCAL, &request).await;
            });
        }
        JobKind::SecondData => {
            let sets = site.world.state().made.clone();
            let set = sets.first().unwrap().1;
            Order::SecondData { set }
        }
        JobKind::SecondLog => Order::SecondLog,
        JobKind::Cleanup => Order::Cleanup {
            place: Place::First,
            keep_from: Scn(now.0 - 2 * 86_400_000_000_000),
        },
    };
    process.run(async {
        let cluster = process.store.cluster(LOCAL).await.unwrap().unwrap();
        let new = NewJob {
            cluster: cluster.cluster.id,
            tenant,
            order,
            trigger: Trigger::Schedule,
            token: "the order".to_owned(),
            created: now,
            run: None,
        };
        let queued: Result<JobId, StoreError> = process
            .store
            .change(async |change| {
                let id = change.enqueue(&new).await?;
                change.add_step(id, now, "Queued").await?;
                Ok(id)
            })
            .await;
        queued.unwrap();
    })
}

/// Orders a task, kills the process at its `step`th step, starts it again, and sees the task end well.
/// Answers whether the task had ended before that step.
fn killed_at(kind: JobKind, step: u64) -> bool {
    let (site, process) = founded();
    site.clock.kill_after(step);
    let alive = order(&site, &process, kind)
        .and_then(|()| process.pass(4, Duration::from_millis(600)))
        .is_some();
    let ended = alive && judge::open(&site).is_empty();
    drop(process);
    site.clock.let_live();
    let process = site.start().unwrap();
    for round in 0.. {
        process.pass(4, Duration::from_millis(600)).unwrap();
        if judge::open(&site).is_empty() {
            break;
        }
        assert!(
            round < 40,
            "{kind:?} killed at {step}: {:?}",
            judge::open(&site)
        );
    }
    judge::judge(&site, &process, step);
    let tasks = process.run(async {
        let filter = TaskFilter::default();
        process.viewer().tasks(LOCAL, kind, &filter).await.unwrap()
    });
    let task = tasks.unwrap().rows.into_iter().next();
    // Killed before the order was written there is none.
    if let Some(task) = task.filter(|task| task.trigger != Trigger::NewRound) {
        assert_eq!(
            task.state,
            JobState::Completed,
            "{kind:?} at {step}: {task:?}"
        );
    }
    ended
}

/// Orders a backup whose set is to be copied, kills the process at its `step`th step, and counts the copies.
fn copies_after_a_kill_at(step: u64) -> bool {
    let (site, process) = founded();
    let made = process.run(schedule::with(&process, |settings| {
        settings.second = Some(schedule::second(LogCycle::Daily));
    }));
    made.unwrap();
    site.clock.kill_after(step);
    let alive = order(&site, &process, JobKind::DataBackup)
        .and_then(|()| process.pass(6, Duration::from_millis(600)))
        .is_some();
    let ended = alive && judge::open(&site).is_empty();
    drop(process);
    site.clock.let_live();
    let process = site.start().unwrap();
    process.pass(20, Duration::from_millis(600)).unwrap();
    assert_eq!(judge::open(&site), Vec::<String>::new(), "killed at {step}");
    judge::judge(&site, &process, step);
    let filter = TaskFilter::default();
    let (backups, copies) = process
        .run(async {
            let viewer = process.viewer();
            let backups = viewer.backups(LOCAL, &filter).await.unwrap().rows;
            let copies = viewer
                .tasks(LOCAL, JobKind::SecondData, &filter)
                .await
                .unwrap()
                .rows;
            (backups, copies)
        })
        .unwrap();
    let ordered = backups.iter().find(|job| job.trigger == Trigger::Manual);
    assert_eq!(copies.len(), ordered.iter().count(), "killed at {step}");
    if let Some(ordered) = ordered {
        let second = ordered.second.clone().unwrap();
        assert!(second.copied, "killed at {step}");
        assert_eq!(
            (second.tasks, copies[0].set),
            (vec![copies[0].id], ordered.set)
        );
    }
    ended
}

#[test]
fn a_set_is_copied_once_wherever_the_process_is_killed() {
    let last = (0..STEPS_MAX).find(|step| copies_after_a_kill_at(*step));
    assert!(last.is_some_and(|last| last > 10), "{last:?}");
}

#[test]
fn a_task_of_any_kind_survives_a_kill_at_each_of_its_steps() {
    std::thread::scope(|scope| {
        for kind in JobKind::ALL {
            scope.spawn(move || {
                let last = (0..STEPS_MAX).find(|step| killed_at(kind, *step));
                assert!(last.is_some_and(|last| last > 10), "{kind:?}: {last:?}");
            });
        }
    });
}
