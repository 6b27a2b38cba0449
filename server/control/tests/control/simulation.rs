//! Many small histories of orders, faults, restarts and kills; what must hold after each of them.

use crate::stage::{LOCAL, Stage, eventually, operator, viewer};
use control::{Console, ErrorKind};
use domain::{
    BackupSetId, ClusterId, JobId, Revision, TenantId,
    backup::BackupJob,
    backup::BackupKind,
    clock::Clock,
    job::JobState,
    page::{PAGE_SIZE_MAX, TaskFilter},
    recovery::RecoveryJob,
    recovery::RecoveryRequest,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::Store;
use tokio::runtime::{Builder, Runtime};

/// Actions of one history.
const ACTIONS: u64 = 18;
/// Histories; they run beside each other.
const HISTORIES: u64 = 8;
/// Names that recoveries choose from; few, so that they collide.
const NAMES: u64 = 3;

/// The same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One process with a console. Dropped, everything in it stops where it is, as by `kill -9`.
struct Process {
    runtime: Option<Runtime>,
    console: Console,
}

impl Process {
    fn new(runtime: Runtime, console: Console) -> Process {
        Process {
            runtime: Some(runtime),
            console,
        }
    }

    /// `alone`: it knows that the process before it is gone.
    fn start(stage: &Stage, alone: bool) -> Process {
        let runtime = threads();
        let console = runtime.block_on(async {
            match alone {
                true => stage.console_alone().await,
                false => stage.console().await,
            }
        });
        Process::new(runtime, console)
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn threads() -> Runtime {
    let mut threads = Builder::new_multi_thread();
    threads.worker_threads(2).enable_all().build().unwrap()
}

/// What was done, as far as the end is judged by it.
#[derive(Default)]
struct Ledger {
    /// How often the engine lost a task of this token while it was not final.
    lost: HashMap<String, u32>,
    backups: usize,
    recoveries: usize,
    cancels: usize,
    newest: Revision,
}

#[test]
fn whatever_happens_tasks_end_once_and_never_overlap() {
    std::thread::scope(|scope| {
        for seed in 1..=HISTORIES {
            scope.spawn(move || history(seed * 7919));
        }
    });
}

fn history(seed: u64) {
    let mut dice = Dice(seed);
    let mut ledger = Ledger::default();
    let runtime = threads();
    let (stage, console, tenant) = runtime.block_on(Stage::with_tenant());
    let mut process = Process::new(runtime, console);
    let other = process.run(async {
        let operator = operator(&process.console);
        operator.create_tenant(LOCAL, "payments").await.unwrap()
    });
    for _ in 0..ACTIONS {
        match dice.below(11) {
            0 => {
                stage.fake.world().lose_replies = 1;
            }
            1 => {
                stage.fake.world().deaf = 2;
            }
            2 => process.run(forget(&stage, &mut ledger)),
            3 => {
                process.run(process.console.shut_down());
                process = Process::start(&stage, false);
            }
            4 => {
                drop(process);
                // Its leases are freed at the start, or have run out by then, or are waited for.
                stage.clock.advance_s(dice.below(2) * 11);
                process = Process::start(&stage, dice.below(2) == 0);
            }
            5 => process.run(cancel_newest(&process.console, &mut ledger)),
            6 | 7 => {
                let name = format!("copy_{}", dice.below(NAMES));
                process.run(recover(&stage, &process.console, tenant, name, &mut ledger));
            }
            _ => {
                let chosen = [Some(tenant), Some(other), None][dice.below(3) as usize];
                process.run(order(&process.console, chosen, &mut ledger));
            }
        }
        stage.fake.world().hold = dice.below(2) == 0;
        process.run(async {
            let revision = stage.store().await.revision().await.unwrap();
            assert!(revision >= ledger.newest, "seed {seed}: {revision:?}");
            ledger.newest = revision;
            // Time that passes between two actions; the rest of the world goes on meanwhile.
            tokio::time::sleep(std::time::Duration::from_millis(dice.below(300))).await;
        });
    }
    stage.fake.world().hold = false;
    process.run(async {
        let (backups, recoveries) = all_final(&stage, &process.console, seed).await;
        check_engine(&stage, &backups, &recoveries, &ledger, seed);
        check_store(&stage, &backups, &recoveries, &ledger, seed).await;
        process.console.shut_down().await;
    });
}

/// What the engine saw: each order once, unless it lost it itself.
fn check_engine(
    stage: &Stage,
    backups: &[BackupJob],
    recoveries: &[RecoveryJob],
    ledger: &Ledger,
    seed: u64,
) {
    let world = stage.fake.world();
    assert_eq!(
        world.overlaps, 0,
        "seed {seed}: two backups of a tenant at once"
    );
    let mut starts: HashMap<&String, u32> = HashMap::new();
    for token in &world.accepted {
        *starts.entry(token).or_default() += 1;
    }
    for (token, count) in &starts {
        let may = 1 + ledger.lost.get(*token).copied().unwrap_or_default();
        assert!(
            *count <= may,
            "seed {seed}: {token} was begun {count} times, at most {may} were needed"
        );
    }
    assert!(
        starts.len() <= backups.len() + recoveries.len(),
        "seed {seed}: an order nobody gave"
    );

    let kept: BTreeSet<BackupSetId> = world
        .tenants
        .values()
        .flat_map(|tenant| &tenant.sets)
        .map(|set| set.id)
        .collect();
    let mut made = BTreeSet::new();
    for job in backups
        .iter()
        .filter(|job| job.state == JobState::Completed)
    {
        let set = job.set.unwrap_or_else(|| panic!("seed {seed}: {job:?}"));
        assert!(made.insert(set), "seed {seed}: a set of two tasks: {job:?}");
        assert!(kept.contains(&set), "seed {seed}: no such set: {job:?}");
    }
    let lost: u32 = ledger.lost.values().sum();
    for number in 0..NAMES {
        let name = format!("copy_{number}");
        let tenants = world.tenants.values().filter(|one| one.name == name);
        let done = recoveries
            .iter()
            .filter(|job| job.destination_tenant == name && job.state == JobState::Completed)
            .count();
        let there = tenants.count();
        assert!(done <= 1, "seed {seed}: {name} was recovered {done} times");
        assert!(there >= done, "seed {seed}: {name} is not there");
        // A tenant without a task that says so: only when the engine lost the task right after.
        assert!(
            there - done <= lost as usize || canceled(recoveries, &name),
            "seed {seed}: {there} tenants {name}, {done} recoveries"
        );
    }
}

fn canceled(recoveries: &[RecoveryJob], name: &str) -> bool {
    recoveries
        .iter()
        .any(|job| job.destination_tenant == name && job.state == JobState::Canceled)
}

/// What the control database has: every order with its entry in the audit, every change in the feed.
async fn check_store(
    stage: &Stage,
    backups: &[BackupJob],
    recoveries: &[RecoveryJob],
    ledger: &Ledger,
    seed: u64,
) {
    let store = stage.store().await;
    assert_eq!(
        (backups.len(), recoveries.len()),
        (ledger.backups, ledger.recoveries),
        "seed {seed}: an order that nobody gave, or that was forgotten"
    );
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    for entry in store.audits().await.unwrap() {
        *entries.entry(entry.operation).or_default() += 1;
    }
    let count = |operation: &str| entries.get(operation).copied().unwrap_or_default();
    assert_eq!(count("data backup"), ledger.backups, "seed {seed}");
    assert_eq!(count("recovery"), ledger.recoveries, "seed {seed}");
    assert_eq!(count("cancel"), ledger.cancels, "seed {seed}");

    let cluster = store.cluster(LOCAL).await.unwrap().unwrap().cluster.id;
    let (told_backups, told_recoveries) = replayed(&store, cluster).await;
    assert_eq!(told_backups.len(), backups.len(), "seed {seed}");
    for job in backups {
        assert_eq!(told_backups.get(&job.id), Some(job), "seed {seed}");
    }
    assert_eq!(told_recoveries.len(), recoveries.len(), "seed {seed}");
    for job in recoveries {
        assert_eq!(told_recoveries.get(&job.id), Some(job), "seed {seed}");
    }
    let revs: BTreeSet<Revision> = backups
        .iter()
        .map(|job| job.rev)
        .chain(recoveries.iter().map(|job| job.rev))
        .collect();
    assert_eq!(
        revs.len(),
        backups.len() + recoveries.len(),
        "seed {seed}: a revision of two rows"
    );
}

/// What a page that followed from the beginning would show.
async fn replayed(
    store: &Store,
    cluster: ClusterId,
) -> (BTreeMap<JobId, BackupJob>, BTreeMap<JobId, RecoveryJob>) {
    let (mut backups, mut recoveries) = (BTreeMap::new(), BTreeMap::new());
    let mut since = Revision(0);
    loop {
        let rows = store.feed(cluster, since).await.unwrap();
        backups.extend(rows.backups.into_iter().map(|row| (row.id, row)));
        recoveries.extend(rows.recoveries.into_iter().map(|row| (row.id, row)));
        if rows.rev == since {
            return (backups, recoveries);
        }
        since = rows.rev;
    }
}

/// The engine forgets all its tasks, as a crash of it would.
async fn forget(stage: &Stage, ledger: &mut Ledger) {
    let store = stage.store().await;
    let cluster = store.cluster(LOCAL).await.unwrap().unwrap().cluster.id;
    let open = store.unfinished(cluster).await.unwrap();
    let mut world = stage.fake.world();
    world.forget_jobs();
    for job in open
        .iter()
        .filter(|job| world.accepted.contains(&job.token))
    {
        *ledger.lost.entry(job.token.clone()).or_default() += 1;
    }
}

async fn order(console: &Console, tenant: Option<TenantId>, ledger: &mut Ledger) {
    let operator = operator(console);
    let done = operator.back_up_now(LOCAL, tenant, BackupKind::Full).await;
    match done {
        Ok(begun) => ledger.backups += begun.tasks.len(),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}"),
    }
}

async fn recover(
    stage: &Stage,
    console: &Console,
    tenant: TenantId,
    new_name: String,
    ledger: &mut Ledger,
) {
    let request = RecoveryRequest {
        tenant,
        until: stage.clock.now(),
        new_name,
        place: None,
        placement: None,
    };
    match operator(console).initiate_recovery(LOCAL, &request).await {
        Ok(_) => ledger.recoveries += 1,
        Err(error) => match error.kind() {
            ErrorKind::Conflict(_) => {}
            ErrorKind::Invalid(wrong) => {
                assert!(
                    wrong.iter().all(|one| one.field == "New tenant name"),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        },
    }
}

async fn cancel_newest(console: &Console, ledger: &mut Ledger) {
    let viewer = viewer(console);
    let filter = TaskFilter::default();
    let backup = viewer.backups(LOCAL, &filter).await.unwrap().rows;
    let recovery = viewer.recoveries(LOCAL, &filter).await.unwrap().rows;
    let ids = backup.first().map(|job| job.id).into_iter();
    for id in ids.chain(recovery.first().map(|job| job.id)) {
        match operator(console).cancel(LOCAL, id).await {
            Ok(()) => ledger.cancels += 1,
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}"),
        }
    }
}

async fn all_final(
    stage: &Stage,
    console: &Console,
    seed: u64,
) -> (Vec<BackupJob>, Vec<RecoveryJob>) {
    let mut asked = 0u32;
    eventually(&format!("every task of seed {seed} ends"), async || {
        // Waits between attempts pass quickly, but not so quickly that leases expire under their holders.
        asked += 1;
        stage
            .clock
            .advance_s(if asked.is_multiple_of(50) { 3 } else { 0 });
        let (backups, recoveries) = tasks(console).await;
        let over = backups.iter().all(|job| job.state.is_final())
            && recoveries.iter().all(|job| job.state.is_final());
        over.then_some((backups, recoveries))
    })
    .await
}

/// Every task there is, page by page.
async fn tasks(console: &Console) -> (Vec<BackupJob>, Vec<RecoveryJob>) {
    let viewer = viewer(console);
    let (mut backups, mut recoveries) = (Vec::new(), Vec::new());
    for page in 1.. {
        let filter = TaskFilter {
            page,
            size: PAGE_SIZE_MAX,
            ..TaskFilter::default()
        };
        let more = viewer.backups(LOCAL, &filter).await.unwrap().rows;
        let others = viewer.recoveries(LOCAL, &filter).await.unwrap().rows;
        if more.is_empty() && others.is_empty() {
            break;
        }
        backups.extend(more);
        recoveries.extend(others);
    }
    (backups, recoveries)
}
