//! Many small histories of orders, faults and restarts; what must hold after each of them.

use crate::stage::{LOCAL, Stage, eventually, operator, viewer};
use control::{Console, ErrorKind};
use domain::{
    TenantId,
    backup::{BackupJob, BackupKind},
    page::TaskFilter,
};
use std::collections::{HashMap, HashSet};

/// Actions of one history.
const ACTIONS: u64 = 14;

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

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_tasks_end_once_and_never_overlap() {
    for seed in 1..=6 {
        history(seed * 7919).await;
    }
}

async fn history(seed: u64) {
    let mut dice = Dice(seed);
    let (stage, mut console, tenant) = Stage::with_tenant().await;
    let other = operator(&console)
        .create_tenant(LOCAL, "payments")
        .await
        .unwrap();
    let mut lost = false;
    for _ in 0..ACTIONS {
        match dice.below(8) {
            0 => {
                stage.fake.world().lose_replies = 1;
            }
            1 => {
                stage.fake.world().deaf = 2;
            }
            2 => {
                stage.fake.world().forget_jobs();
                lost = true;
            }
            3 => {
                console.shut_down().await;
                console = stage.console().await;
            }
            4 => cancel_newest(&console).await,
            _ => {
                order(
                    &console,
                    [Some(tenant), Some(other), None][dice.below(3) as usize],
                )
                .await;
            }
        }
        stage.fake.world().hold = dice.below(2) == 0;
        // Time that passes between two actions; the rest of the world goes on meanwhile.
        tokio::time::sleep(std::time::Duration::from_millis(dice.below(400))).await;
    }
    stage.fake.world().hold = false;
    let jobs = all_final(&stage, &console, seed).await;
    check(&stage, &jobs, lost, seed);
    console.shut_down().await;
}

/// What holds after every history.
fn check(stage: &Stage, jobs: &[BackupJob], lost: bool, seed: u64) {
    let world = stage.fake.world();
    assert_eq!(
        world.overlaps, 0,
        "seed {seed}: two backups of a tenant at once"
    );
    let mut starts: HashMap<&String, u32> = HashMap::new();
    for token in &world.accepted {
        *starts.entry(token).or_default() += 1;
    }
    assert!(
        lost || starts.values().all(|count| *count == 1),
        "seed {seed}: {starts:?}"
    );
    assert!(
        starts.len() <= jobs.len(),
        "seed {seed}: an order nobody gave"
    );
    let sets: Vec<_> = jobs.iter().filter_map(|job| job.set).collect();
    let distinct: HashSet<_> = sets.iter().collect();
    assert_eq!(
        sets.len(),
        distinct.len(),
        "seed {seed}: a set of two tasks"
    );
}

async fn order(console: &Console, tenant: Option<TenantId>) {
    let done = operator(console)
        .back_up_now(LOCAL, tenant, BackupKind::Full)
        .await;
    if let Err(error) = done {
        assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    }
}

async fn cancel_newest(console: &Console) {
    let page = viewer(console)
        .backups(LOCAL, &TaskFilter::default())
        .await
        .unwrap();
    let Some(job) = page.rows.first() else {
        return;
    };
    if let Err(error) = operator(console).cancel(LOCAL, job.id).await {
        assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    }
}

async fn all_final(stage: &Stage, console: &Console, seed: u64) -> Vec<BackupJob> {
    let viewer = viewer(console);
    let filter = TaskFilter {
        size: 50,
        ..TaskFilter::default()
    };
    let mut asked = 0u32;
    eventually(&format!("every task of seed {seed} ends"), async || {
        // Waits between attempts pass quickly, but not so quickly that leases expire under their holders.
        asked += 1;
        stage
            .clock
            .advance_s(if asked.is_multiple_of(50) { 3 } else { 0 });
        let rows = viewer.backups(LOCAL, &filter).await.unwrap().rows;
        rows.iter().all(|job| job.state.is_final()).then_some(rows)
    })
    .await
}
