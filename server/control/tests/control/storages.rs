//! Destinations and sizes: what is written down, when, and where there is a gap.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator, viewer};
use control::Console;
use domain::{
    Scn,
    backup::BackupKind,
    job::{JobKind, JobState},
    scn::NS_PER_DAY,
    second_backup::Place,
    storage::StorageState,
    trend::{Forecast, StorageTrend, TrendEventKind},
};

const HALF_HOUR_S: u64 = 1800;

fn state(free: Option<u64>, fault: Option<&str>) -> StorageState {
    StorageState {
        place: Place::First,
        location: "/mnt/backup".to_owned(),
        total_bytes: free.map(|_| 1_000_000),
        free_bytes: free,
        fault: fault.map(str::to_owned),
        identity_changed: false,
    }
}

async fn trend(console: &Console) -> StorageTrend {
    let time = (Scn::ZERO, Scn(u64::MAX));
    viewer(console)
        .storage_trend(LOCAL, None, time)
        .await
        .unwrap()
}

async fn storages_are(console: &Console, expected: &[StorageState]) {
    eventually("the destinations are told", async || {
        let told = viewer(console).storages(LOCAL).await.unwrap();
        (told == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_at_once_and_room_now_and_then() {
    let (stage, console, _) = Stage::with_tenant().await;
    let tell = |states: Vec<StorageState>| stage.fake.world().storages = states;
    tell(vec![state(Some(500_000), None)]);
    storages_are(&console, &[state(Some(500_000), None)]).await;
    tell(vec![state(Some(499_000), None)]);
    let looks = stage.fake.world().looks;
    eventually("it is looked at", async || {
        (stage.fake.world().looks > looks + 1).then_some(())
    })
    .await;
    let told = viewer(&console).storages(LOCAL).await.unwrap();
    assert_eq!(
        told,
        [state(Some(500_000), None)],
        "a little is not told at once"
    );
    stage.clock.advance_s(60);
    storages_are(&console, &[state(Some(499_000), None)]).await;
    let away = StorageState {
        identity_changed: true,
        ..state(None, Some("another one is there"))
    };
    tell(vec![away.clone()]);
    storages_are(&console, std::slice::from_ref(&away)).await;
    let second = StorageState {
        place: Place::Second,
        ..state(Some(7), None)
    };
    tell(vec![state(Some(400_000), None), second.clone()]);
    storages_are(&console, &[state(Some(400_000), None), second]).await;
    tell(vec![state(Some(400_000), None)]);
    storages_are(&console, &[state(Some(400_000), None)]).await;

    stage.fake.world().clock_back_ns = 77;
    eventually("the step of the clock is told", async || {
        let known = stage.store().await.cluster(LOCAL).await.unwrap().unwrap();
        (known.clock_back_ns == 77).then_some(())
    })
    .await;
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_sampled_each_half_hour_and_after_tasks_and_missing_time_is_a_gap() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().storages = vec![state(Some(500_000), None)];
    storages_are(&console, &[state(Some(500_000), None)]).await;
    let count = async || trend(&console).await.points.len();
    let reaches = async |wanted: usize| {
        eventually(&format!("{wanted} samples"), async || {
            (count().await >= wanted).then_some(())
        })
        .await;
    };
    reaches(1).await;
    let begun = count().await;
    stage.clock.advance_s(HALF_HOUR_S);
    reaches(begun + 1).await;

    let backup = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, backup, JobState::Completed).await;
    // What is written down of a look that changes nothing waits for ten seconds.
    stage.clock.advance_s(11);
    reaches(begun + 2).await;
    let seen = trend(&console).await;
    assert_eq!(seen.gaps, []);
    let done = TrendEventKind::Completed(JobKind::DataBackup);
    assert!(
        seen.events
            .iter()
            .any(|event| event.kind == done && event.tenant == "orders")
    );
    assert_eq!(
        seen.points.last().unwrap().storage_free_bytes,
        Some(500_000)
    );
    assert!(matches!(
        seen.forecast,
        Forecast::NotEnoughHistory { days: 1, .. }
    ));
    assert_eq!(seen.storages.len(), 1);

    // The destination is away for two hours: no sample, and no zero.
    stage.fake.world().storages = vec![state(None, Some("it is away"))];
    storages_are(&console, &[state(None, Some("it is away"))]).await;
    let before = count().await;
    stage.clock.advance_s(4 * HALF_HOUR_S);
    let looks = stage.fake.world().looks;
    eventually("it is looked at", async || {
        (stage.fake.world().looks > looks + 5).then_some(())
    })
    .await;
    assert_eq!(count().await, before);
    stage.fake.world().storages = vec![state(Some(400_000), None)];
    reaches(before + 1).await;
    let seen = trend(&console).await;
    assert_eq!(seen.gaps.len(), 1, "{:?}", seen.points);
    assert_eq!(seen.gaps[0].until, seen.points[before].at);
    assert!(seen.gaps[0].until.since_ns(seen.gaps[0].since) >= 2 * 3_600_000_000_000);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_samples_are_thinned_out_and_those_of_before_a_restart_go_on() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    eventually("a sample", async || {
        (!trend(&console).await.points.is_empty()).then_some(())
    })
    .await;
    let first = trend(&console).await.points[0];
    console.shut_down().await;
    // Twelve samples of the same three hours, eight days ago, the fifth of them the greatest.
    let begin = first.at.minus_ns(8 * NS_PER_DAY);
    let begin = begin.0 - begin.0 % (3 * 3_600_000_000_000);
    for number in 0..12_u64 {
        let at = begin + number * 900_000_000_000;
        let log = if number == 4 { 99 } else { number };
        stage.tamper(&format!(
            "INSERT INTO size_sample (cluster_id, tenant_id, at, data_bytes, log_bytes) \
             SELECT id, 0, {at}, 5, {log} FROM cluster"
        ));
    }
    let console = stage.console().await;
    stage.clock.advance_s(HALF_HOUR_S);
    eventually("old samples go", async || {
        (trend(&console).await.points.len() <= 5).then_some(())
    })
    .await;
    let logs: Vec<u64> = trend(&console)
        .await
        .points
        .iter()
        .map(|point| point.log_bytes)
        .collect();
    assert_eq!(logs[..3], [0, 99, 11]);
    let one = (Scn::ZERO, Scn(u64::MAX));
    let of_tenant = viewer(&console)
        .storage_trend(LOCAL, Some(tenant), one)
        .await
        .unwrap();
    assert!(of_tenant.points.len() >= 2 && of_tenant.tenant == Some(tenant));
    let wrong = viewer(&console)
        .storage_trend(LOCAL, None, (Scn(2), Scn(2)))
        .await;
    assert!(wrong.unwrap_err().to_string().contains("Time range"));
    let nobody = viewer(&console)
        .storage_trend(LOCAL, Some(domain::TenantId(99)), one)
        .await;
    assert!(nobody.unwrap_err().to_string().contains("99"));
    console.shut_down().await;
}
