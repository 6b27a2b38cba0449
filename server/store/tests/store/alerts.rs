//! Alerts, verifications, channels and messages: what goes in comes out, in order, and bounded.

use crate::fixture::{Fixture, backup, fresh};
use domain::{
    AlertId, ChannelId, ClusterId, Revision, Scn,
    alert::{AlertChange, AlertCounts, AlertFilter, AlertStatus, Hit, Level, RuleId, Verified},
    channel::{Channel, ChannelKind},
    job::{JobKind, JobState},
};
use store::{JobPatch, SealedChannel, SecretRef, StoreError, Verification};

fn hit(summary: &str) -> Box<Hit> {
    Box::new(Hit {
        level: None,
        summary: summary.to_owned(),
        value: Some("2 h".to_owned()),
        threshold: Some("1 h".to_owned()),
        labels: vec![("Tenant".to_owned(), "orders".to_owned())],
    })
}

fn raise(rule: RuleId, cluster: Option<ClusterId>, key: &str, summary: &str) -> AlertChange {
    AlertChange::Raise {
        rule,
        cluster,
        key: key.to_owned(),
        object: format!("cluster=local:{key}"),
        level: rule.rule().level,
        hit: hit(summary),
        masked_until: None,
    }
}

async fn change(fixture: &Fixture, what: AlertChange, now: u64) -> AlertId {
    fixture
        .store
        .change(async |change| change.alert_change(&what, Scn(now)).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_row_lives_from_its_first_time_to_its_end_and_is_found_by_every_filter() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let here = Some(cluster);
    let late = change(
        &fixture,
        raise(RuleId::LogDelay, here, "tenant=1", "The log is 100% late"),
        100,
    )
    .await;
    let failed = raise(RuleId::DataBackupFailed, here, "tenant=1", "It failed");
    let failed = change(&fixture, failed, 200).await;
    let down = raise(RuleId::ConsoleWasDown, None, "console", "It was away");
    let down = change(&fixture, down, 300).await;
    let there = raise(RuleId::LogDelay, Some(other), "tenant=2", "Elsewhere");
    change(&fixture, there, 400).await;
    let before = fixture.store.revision().await.unwrap();
    let again = AlertChange::Again {
        id: late,
        at: Scn(500),
        object: "cluster=local:tenant=1".to_owned(),
        level: Level::Stopped,
        worsened: true,
        hit: hit("The log is 200% late"),
    };
    change(&fixture, again, 500).await;
    let changed = |cluster| fixture.store.alerts_changed(cluster, before);
    assert!(changed(cluster).await.unwrap());
    assert!(!changed(other).await.unwrap());
    let over = AlertChange::Recover {
        id: failed,
        at: Scn(600),
        because: "The opposite was seen.".to_owned(),
        told: true,
    };
    change(&fixture, over, 600).await;

    let ids = async |ask: AlertFilter| -> Vec<i64> {
        let page = fixture
            .store
            .alerts(here.as_ref().map(std::slice::from_ref), &ask)
            .await
            .unwrap();
        assert_eq!(page.total_unfiltered, 3);
        assert_eq!(page.total, u64::try_from(page.rows.len()).unwrap());
        page.rows.iter().map(|alert| alert.id.0).collect()
    };
    let all = AlertFilter::default();
    assert_eq!(ids(all.clone()).await, [down.0, failed.0, late.0]);
    let ask = |change: fn(&mut AlertFilter)| {
        let mut ask = AlertFilter::default();
        change(&mut ask);
        ask
    };
    assert_eq!(
        ids(ask(|a| a.ascending = true)).await,
        [late.0, failed.0, down.0]
    );
    assert_eq!(
        ids(ask(|a| a.statuses = vec![AlertStatus::Recovered])).await,
        [failed.0]
    );
    assert_eq!(
        ids(ask(|a| a.levels = vec![Level::Stopped])).await,
        [late.0]
    );
    assert_eq!(
        ids(ask(|a| a.rule = Some("console_was_down".to_owned()))).await,
        [down.0]
    );
    assert_eq!(
        ids(ask(|a| a.text = Some("200% LATE".to_owned()))).await,
        [late.0]
    );
    assert_eq!(
        ids(ask(|a| a.text = Some("_".to_owned()))).await,
        Vec::<i64>::new()
    );
    assert_eq!(
        ids(ask(|a| a.text = Some("TENANT=1".to_owned()))).await,
        [failed.0, late.0]
    );
    assert_eq!(
        ids(ask(|a| a.since = Some(Scn(300)))).await,
        [down.0, late.0]
    );
    assert_eq!(ids(ask(|a| a.until = Some(Scn(200)))).await, [late.0]);
    let page = ask(|a| (a.page, a.size) = (2, 2));
    let page = fixture
        .store
        .alerts(here.as_ref().map(std::slice::from_ref), &page)
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.total), (1, 3));

    let shown = fixture.store.alert(late).await.unwrap().unwrap();
    assert_eq!(shown.alert.generated, Scn(100));
    assert_eq!(shown.alert.last_generated, Scn(500));
    assert_eq!(shown.alert.name, "Log backup is late");
    assert_eq!(shown.labels, [("Tenant".to_owned(), "orders".to_owned())]);
    let counts = fixture.store.alert_counts(here).await.unwrap();
    assert_eq!(counts, AlertCounts([1, 0, 0, 1, 0]));
    assert_eq!(fixture.store.alert_counts(None).await.unwrap().total(), 3);
}

#[tokio::test]
async fn a_mask_is_the_only_one_of_its_fault_and_old_rows_go() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let raise = || {
        raise(
            RuleId::DataBackupFailed,
            Some(cluster),
            "tenant=1",
            "It failed",
        )
    };
    let mask = async |id: AlertId, until: Option<u64>| {
        fixture
            .store
            .change(async |change| {
                let alert = change.alert(id).await?.unwrap();
                change
                    .mask_alert(&alert, until.map(Scn), "tester: known")
                    .await
            })
            .await
            .unwrap();
    };
    let open = async |now: u64| {
        fixture
            .store
            .change(async |change| change.open_alerts(Scn(now)).await)
            .await
            .unwrap()
    };
    let first = change(&fixture, raise(), 100).await;
    mask(first, Some(1_000)).await;
    let over = AlertChange::Recover {
        id: first,
        at: Scn(200),
        because: String::new(),
        told: true,
    };
    change(&fixture, over, 200).await;
    assert_eq!(open(999).await.len(), 1, "its mask still matters");
    assert_eq!(open(1_000).await.len(), 0);
    let second = change(&fixture, raise(), 300).await;
    mask(second, Some(500)).await;
    let known = open(400).await;
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].id, known[0].masked_until),
        (second, Some(Scn(500)))
    );
    let shown = fixture.store.alert(second).await.unwrap().unwrap();
    assert_eq!(shown.alert.status, AlertStatus::Masked);
    assert_eq!(shown.masked_by.as_deref(), Some("tester: known"));
    let history = fixture.store.alert_history(&shown).await.unwrap();
    assert_eq!(
        history.iter().map(|one| one.id).collect::<Vec<_>>(),
        [first]
    );
    mask(second, None).await;
    let shown = fixture.store.alert(second).await.unwrap().unwrap();
    assert_eq!(
        (shown.alert.status, shown.masked_by),
        (AlertStatus::Active, None)
    );

    let remove = async |before: u64| {
        fixture
            .store
            .change(async |change| change.remove_old_alerts(Scn(before)).await)
            .await
            .unwrap()
    };
    assert_eq!(remove(200).await, 0);
    assert_eq!(remove(201).await, 1);
    assert_eq!(fixture.store.alert(first).await.unwrap(), None);
    assert!(fixture.store.alert(second).await.unwrap().is_some());
    assert_eq!(fixture.store.alerts_evaluated().await.unwrap(), None);
    for at in [5, 5, 9] {
        fixture
            .store
            .change(async |change| change.alerts_evaluated(Scn(at)).await)
            .await
            .unwrap();
        assert_eq!(
            fixture.store.alerts_evaluated().await.unwrap(),
            Some(Scn(at))
        );
    }
}

#[tokio::test]
async fn the_newest_verification_counts_and_not_all_are_kept() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    for at in 0..120 {
        let new = Verification {
            cluster,
            tenant,
            at: Scn(at),
            actor: "tester".to_owned(),
            sets: 1,
            log_files: 2,
            bytes: 3,
            faults: at % 2,
            first_fault: (at % 2 == 1).then(|| "segment 7".to_owned()),
        };
        fixture
            .store
            .change(async |change| change.verified(&new).await)
            .await
            .unwrap();
    }
    let newest = Verified {
        at: Scn(119),
        faults: 1,
        first_fault: Some("segment 7".to_owned()),
    };
    let found = fixture.store.verifications(cluster).await.unwrap();
    assert_eq!(found, [(tenant, newest)]);
}

#[tokio::test]
async fn tasks_that_ended_well_or_failed_are_told_and_others_are_not() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let end = async |created: u64, state: JobState, failure: Option<&str>| {
        let id = fixture.enqueue(&backup(cluster, tenant, created)).await;
        let patch = JobPatch {
            state: Some(state),
            ended: Some(Scn(created + 1)),
            failure: failure.map(str::to_owned),
            ..JobPatch::default()
        };
        fixture
            .store
            .change(async |change| change.patch_job(id, JobState::Queued, None, &patch).await)
            .await
            .unwrap();
        id
    };
    let failed = end(10, JobState::Failed, Some("the disk is full")).await;
    let rev = fixture.store.revision().await.unwrap();
    end(20, JobState::Canceled, None).await;
    let kind = JobKind::DataBackup;
    let last = fixture
        .store
        .last_ended(tenant, kind)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((last.id, last.at), (failed, Scn(11)));
    assert_eq!(last.failure.as_deref(), Some("the disk is full"));
    let since = async |rev| fixture.store.ended_since(cluster, kind, rev).await.unwrap();
    assert_eq!(since(Revision(0)).await.len(), 1);
    assert!(since(rev).await.is_empty());
    end(30, JobState::Completed, None).await;
    let ended = since(rev).await;
    assert_eq!((ended.len(), ended[0].2.failure.clone()), (1, None));
    assert!(
        fixture
            .store
            .running_tasks(cluster)
            .await
            .unwrap()
            .is_empty()
    );
}

fn channel(name: &str) -> SealedChannel {
    SealedChannel {
        channel: Channel {
            id: ChannelId(0),
            name: name.to_owned(),
            kind: ChannelKind::DingTalk,
            host: "https://host".to_owned(),
            signed: true,
            levels: vec![Level::Stopped, Level::Critical],
            clusters: Some(vec![ClusterId(3)]),
            every_min: None,
            enabled: true,
            created: Scn(7),
            last_sent: None,
            failing_since: None,
            fault: None,
            rev: Revision(0),
        },
        url: SecretRef(5),
        secret: Some(SecretRef(6)),
    }
}

#[tokio::test]
async fn a_channel_comes_back_as_it_was_added() {
    let fixture = fresh().await;
    let add = async |new: SealedChannel| {
        let added = fixture
            .store
            .change(async |change| change.add_channel(&new).await);
        added.await
    };
    let id = add(channel("ops")).await.unwrap();
    assert!(add(channel("ops")).await.is_err(), "names are unique");
    let mut found = fixture.store.channel("ops").await.unwrap().unwrap();
    assert_eq!(found.channel.id, id);
    (found.channel.id, found.channel.rev) = (ChannelId(0), Revision(0));
    assert_eq!(found, channel("ops"));
    fixture
        .store
        .change(async |change| {
            change.channel_failed(id, Scn(9), "no answer").await?;
            change.deliver(id, "hello", Scn(9), 5).await
        })
        .await
        .unwrap();
    let all = fixture.store.channels().await.unwrap();
    assert_eq!(all[0].channel.fault.as_deref(), Some("no answer"));
    fixture
        .store
        .change(async |change| change.channel_reached(id, Scn(10)).await)
        .await
        .unwrap();
    let reached = &fixture.store.channels().await.unwrap()[0].channel;
    assert_eq!(
        (reached.last_sent, reached.failing_since),
        (Some(Scn(10)), None)
    );
    fixture
        .store
        .change(async |change| change.remove_channel(id).await)
        .await
        .unwrap();
    assert!(fixture.store.channels().await.unwrap().is_empty());
}

#[tokio::test]
async fn messages_of_a_channel_keep_their_order_wait_and_are_bounded() {
    let fixture = fresh().await;
    let store = &fixture.store;
    let add = async |name: &str| {
        let new = channel(name);
        let added = store.change(async |change| change.add_channel(&new).await);
        added.await.unwrap()
    };
    let (one, two) = (add("one").await, add("two").await);
    let deliver = async |channel: ChannelId, text: &str| {
        let put = store.change(async |change| change.deliver(channel, text, Scn(10), 3).await);
        put.await.unwrap()
    };
    for text in ["a", "b", "c"] {
        assert_eq!(deliver(one, text).await, 0);
    }
    deliver(two, "x").await;
    let due = async |now: u64| -> Vec<String> {
        let due = store.due_deliveries(Scn(now)).await.unwrap();
        due.into_iter().map(|one| one.message).collect()
    };
    assert_eq!(due(10).await, ["a", "x"]);
    let first = store.due_deliveries(Scn(10)).await.unwrap()[0].clone();
    let claim = async |now: u64, until: u64| {
        let claimed = store
            .change(async |change| change.claim_delivery(first.id, Scn(now), Scn(until)).await);
        claimed.await.unwrap()
    };
    assert!(claim(10, 20).await);
    assert!(!claim(11, 21).await, "somebody has it");
    assert_eq!(due(11).await, ["x"], "nothing overtakes it");
    let fail = async |not_before: Option<u64>| {
        let failed = store.change(async |change| {
            let again = not_before.map(Scn);
            change
                .not_delivered(first.id, 1, "no answer", Scn(12), again)
                .await
        });
        failed.await.unwrap();
    };
    fail(Some(100)).await;
    assert_eq!(due(99).await, ["x"]);
    assert_eq!(due(100).await, ["a", "x"]);
    assert_eq!(deliver(one, "d").await, 1, "the oldest is given up");
    assert_eq!(due(100).await, ["b", "x"]);
    fail(None).await;
    assert_eq!(store.waiting_deliveries(one).await.unwrap(), 3);
    let second = store.due_deliveries(Scn(100)).await.unwrap()[0].clone();
    store
        .change(async |change| {
            change.claim_delivery(second.id, Scn(100), Scn(200)).await?;
            change.delivered(second.id, Scn(101)).await?;
            change.free_deliveries().await
        })
        .await
        .unwrap();
    assert_eq!(due(101).await, ["c", "x"]);
    let removed = store.change(async |change| change.remove_old_deliveries(Scn(102)).await);
    assert_eq!(
        removed.await.map_err(|error: StoreError| error.to_string()),
        Ok(2)
    );
}
