//! Signing in: the first administrator, passwords, locks and sessions.

use crate::stage::Stage;
use control::{Attempt, Began, Browser, Console, ErrorKind};
use domain::{
    access::{Origin, Role},
    audit::AuditResult,
};
use store::Audit;

const PASSWORD: &str = "vier Möwen am Kai";
const DAY_S: u64 = 86_400;

fn browser(address: &str) -> Browser {
    Browser {
        origin: Origin {
            address: Some(address.to_owned()),
            request: None,
        },
        agent: "a browser".to_owned(),
        token: None,
    }
}

fn here() -> Browser {
    browser("192.0.2.1")
}

async fn token_of_link(console: &Console) -> String {
    let link = console.first_link().await.unwrap().unwrap();
    link.path.split_once('=').unwrap().1.to_owned()
}

/// A console whose administrator is `maria`, and her session.
async fn with_maria(stage: &Stage) -> (Console, Began) {
    let console = stage.console().await;
    let link = token_of_link(&console).await;
    let began = console
        .set_up(&link, "maria", PASSWORD, &here())
        .await
        .unwrap();
    (console, began)
}

async fn name_of(console: &Console, token: &str) -> Option<String> {
    let found = console.session(token, &Origin::default()).await.unwrap();
    found.map(|one| one.actor.name)
}

async fn entries(stage: &Stage, operation: &str) -> Vec<Audit> {
    let all = stage.store().await.audits().await.unwrap();
    all.into_iter()
        .filter(|one| one.operation == operation)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_makes_one_administrator_and_ends() {
    let stage = Stage::new();
    let console = stage.console().await;
    assert!(console.needs_set_up().await.unwrap());
    let replaced = token_of_link(&console).await;
    let link = token_of_link(&console).await;
    for wrong in [replaced.as_str(), "", "0000"] {
        let refused = console
            .set_up(wrong, "maria", PASSWORD, &here())
            .await
            .unwrap_err();
        assert!(
            matches!(refused.kind(), ErrorKind::Conflict(_)),
            "{refused}"
        );
    }
    let weak = console
        .set_up(&link, "maria", "maria-maria-1", &here())
        .await
        .unwrap_err();
    let ErrorKind::Invalid(found) = weak.kind() else {
        panic!("{weak}")
    };
    assert_eq!(found[0].field, "Password");
    let bad = console
        .set_up(&link, "scheduler", PASSWORD, &here())
        .await
        .unwrap_err();
    assert!(matches!(bad.kind(), ErrorKind::Invalid(_)), "{bad}");

    let began = console
        .set_up(&link, "maria", PASSWORD, &here())
        .await
        .unwrap();
    let found = console
        .session(&began.token, &here().origin)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.actor.grants.everywhere, Some(Role::Admin));
    assert!(!console.needs_set_up().await.unwrap());
    assert!(console.first_link().await.unwrap().is_none());
    let again = console
        .set_up(&link, "jon", PASSWORD, &here())
        .await
        .unwrap_err();
    assert!(again.to_string().contains("does not work"), "{again}");
    let set_up = entries(&stage, "set up").await;
    assert_eq!(set_up.len(), 1);
    assert_eq!(set_up[0].address.as_deref(), Some("192.0.2.1"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_works_for_a_day() {
    let stage = Stage::new();
    let console = stage.console().await;
    let link = token_of_link(&console).await;
    stage.clock.advance_s(DAY_S);
    let late = console
        .set_up(&link, "maria", PASSWORD, &here())
        .await
        .unwrap_err();
    assert!(late.to_string().contains("older than a day"), "{late}");
    let link = token_of_link(&console).await;
    stage.clock.advance_s(DAY_S - 60);
    assert!(
        console
            .set_up(&link, "maria", PASSWORD, &here())
            .await
            .is_ok()
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_use_the_first_link_at_once_one_becomes_administrator() {
    let stage = Stage::new();
    let console = stage.console().await;
    let link = token_of_link(&console).await;
    let tries = ["maria", "jon", "kim"].map(|name| {
        let (console, link) = (console.clone(), link.clone());
        tokio::spawn(async move { console.set_up(&link, name, PASSWORD, &here()).await.is_ok() })
    });
    let mut made = 0;
    for one in tries {
        made += u32::from(one.await.unwrap());
    }
    assert_eq!(made, 1);
    assert_eq!(stage.store().await.user_count().await.unwrap(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_begins_a_session_and_ends_the_one_before_it() {
    let stage = Stage::new();
    let (console, first) = with_maria(&stage).await;
    let again = Browser {
        token: Some(first.token.clone()),
        ..here()
    };
    let Attempt::Began(second) = console.sign_in("MARIA", PASSWORD, &again).await.unwrap() else {
        panic!("refused");
    };
    assert_ne!(first.token, second.token);
    assert_eq!(
        name_of(&console, &first.token).await,
        None,
        "the old token is worth nothing"
    );
    assert_eq!(
        name_of(&console, &second.token).await.as_deref(),
        Some("maria")
    );
    for wrong in ["", "x", &second.token[1..], &"0".repeat(500)] {
        assert_eq!(name_of(&console, wrong).await, None);
    }
    let kept = format!(
        "{:?}",
        stage
            .store()
            .await
            .sessions_of(domain::UserId(1))
            .await
            .unwrap()
    );
    assert!(!kept.contains(&second.token), "only a digest is stored");
    console
        .sign_out(&second.token, &Origin::default())
        .await
        .unwrap();
    assert_eq!(name_of(&console, &second.token).await, None);
    assert_eq!(entries(&stage, "sign in").await[0].result, AuditResult::Ok);
    assert_eq!(entries(&stage, "sign out").await.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_lock_a_name_alike_whether_a_user_has_it_or_not_also_after_a_restart() {
    let stage = Stage::new();
    let (console, _) = with_maria(&stage).await;
    for name in ["maria", "nobody-here"] {
        for number in 1..=5 {
            let from = browser(&format!("192.0.2.{number}"));
            let attempt = console
                .sign_in(name, "not the password", &from)
                .await
                .unwrap();
            let expected = if number < 5 {
                Attempt::Wrong
            } else {
                Attempt::Wait(30)
            };
            assert_eq!(attempt, expected, "{name} {number}");
        }
        let attempt = console
            .sign_in(name, PASSWORD, &browser("192.0.2.9"))
            .await
            .unwrap();
        assert!(
            matches!(attempt, Attempt::Wait(1..=30)),
            "{name}: {attempt:?}"
        );
    }
    console.shut_down().await;

    let console = stage.console().await;
    let attempt = console.sign_in("maria", PASSWORD, &here()).await.unwrap();
    assert!(
        matches!(attempt, Attempt::Wait(_)),
        "a restart does not unlock: {attempt:?}"
    );
    stage.clock.advance_s(31);
    let attempt = console
        .sign_in("maria", "still wrong", &here())
        .await
        .unwrap();
    assert!(
        matches!(attempt, Attempt::Wait(60)),
        "and it gets longer: {attempt:?}"
    );
    stage.clock.advance_s(61);
    let attempt = console.sign_in("maria", PASSWORD, &here()).await.unwrap();
    assert!(matches!(attempt, Attempt::Began(_)), "{attempt:?}");
    let attempt = console
        .sign_in("maria", "wrong once", &here())
        .await
        .unwrap();
    assert_eq!(attempt, Attempt::Wrong, "a success begins anew");

    let told = entries(&stage, "sign in").await;
    let refused: Vec<_> = told
        .iter()
        .filter(|one| one.result == AuditResult::Refused)
        .collect();
    assert_eq!(
        refused.len(),
        5 + 5 + 2,
        "each failure, but no try while locked"
    );
    assert!(refused.iter().any(|one| one.actor == "unknown"));
    assert!(
        !format!("{told:?}").contains("nobody-here"),
        "it may be a password"
    );
    assert!(!format!("{told:?}").contains("not the password"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tries_at_once_are_no_way_around_the_lock() {
    let stage = Stage::new();
    let (console, _) = with_maria(&stage).await;
    let tries: Vec<_> = (0..40)
        .map(|number| {
            let console = console.clone();
            tokio::spawn(async move {
                let from = browser(&format!("198.51.100.{number}"));
                console
                    .sign_in("maria", "a wrong password", &from)
                    .await
                    .unwrap()
            })
        })
        .collect();
    for one in tries {
        one.await.unwrap();
    }
    let checked = entries(&stage, "sign in").await.len();
    assert!(
        (5..=6).contains(&checked),
        "{checked} passwords were checked"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_many_names_is_locked_out() {
    let stage = Stage::new();
    let (console, _) = with_maria(&stage).await;
    let from = browser("203.0.113.5");
    for number in 0..20 {
        let attempt = console
            .sign_in(&format!("guess{number}"), "x", &from)
            .await
            .unwrap();
        assert_eq!(attempt, Attempt::Wrong, "{number}");
    }
    let attempt = console.sign_in("maria", PASSWORD, &from).await.unwrap();
    assert!(matches!(attempt, Attempt::Wait(1..=30)), "{attempt:?}");
    let attempt = console.sign_in("maria", PASSWORD, &here()).await.unwrap();
    assert!(
        matches!(attempt, Attempt::Began(_)),
        "others are not: {attempt:?}"
    );
    stage.clock.advance_s(31);
    let attempt = console.sign_in("maria", PASSWORD, &from).await.unwrap();
    assert!(matches!(attempt, Attempt::Began(_)), "{attempt:?}");
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_when_they_are_idle_and_when_they_are_old() {
    let stage = Stage::new();
    let (console, idle) = with_maria(&stage).await;
    stage.clock.advance_s(12 * 3600 - 60);
    assert!(name_of(&console, &idle.token).await.is_some());
    stage.clock.advance_s(12 * 3600 - 60);
    assert!(
        name_of(&console, &idle.token).await.is_some(),
        "its use was noted"
    );
    stage.clock.advance_s(12 * 3600 + 60);
    assert_eq!(name_of(&console, &idle.token).await, None);

    let Attempt::Began(old) = console.sign_in("maria", PASSWORD, &here()).await.unwrap() else {
        panic!("refused");
    };
    assert_eq!(old.seconds, 7 * DAY_S);
    for _ in 0..27 {
        stage.clock.advance_s(6 * 3600);
        assert!(name_of(&console, &old.token).await.is_some());
    }
    stage.clock.advance_s(6 * 3600);
    assert_eq!(name_of(&console, &old.token).await, None, "used or not");
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_shows_its_sessions_and_ends_them() {
    let stage = Stage::new();
    let (console, first) = with_maria(&stage).await;
    let Attempt::Began(second) = console
        .sign_in("maria", PASSWORD, &browser("192.0.2.77"))
        .await
        .unwrap()
    else {
        panic!("refused");
    };
    let Attempt::Began(third) = console.sign_in("maria", PASSWORD, &here()).await.unwrap() else {
        panic!("refused");
    };
    let account = async |token: &str| {
        let found = console
            .session(token, &here().origin)
            .await
            .unwrap()
            .unwrap();
        console.account(&found.actor).unwrap()
    };
    let mine = account(&first.token).await;
    assert_eq!(mine.me().name, "maria");
    let sessions = mine.sessions().await.unwrap();
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|one| one.current).count(), 1);
    let other = sessions
        .iter()
        .find(|one| one.address == "192.0.2.77")
        .unwrap();
    mine.end_session(other.id).await.unwrap();
    assert!(mine.end_session(other.id).await.is_err());
    assert_eq!(name_of(&console, &second.token).await, None);
    assert!(name_of(&console, &third.token).await.is_some());
    assert_eq!(mine.sign_out_everywhere().await.unwrap(), 2);
    assert_eq!(name_of(&console, &first.token).await, None);
    assert_eq!(name_of(&console, &third.token).await, None);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_with_the_present_one_and_ends_the_other_sessions() {
    let stage = Stage::new();
    let (console, first) = with_maria(&stage).await;
    let Attempt::Began(other) = console.sign_in("maria", PASSWORD, &here()).await.unwrap() else {
        panic!("refused");
    };
    let found = console
        .session(&first.token, &here().origin)
        .await
        .unwrap()
        .unwrap();
    let account = console.account(&found.actor).unwrap();
    let new = "ledger-harbour-91-moss";
    let field = async |present: &str, new: &str| {
        let refused = account.change_password(present, new).await.unwrap_err();
        let ErrorKind::Invalid(found) = refused.kind() else {
            panic!("{refused}")
        };
        assert!(!refused.to_string().contains(new), "{refused}");
        found[0].field.clone()
    };
    assert_eq!(field("not it", new).await, "Present password");
    assert_eq!(field(PASSWORD, "password1234").await, "New password");
    assert_eq!(field(PASSWORD, PASSWORD).await, "New password");
    account.change_password(PASSWORD, new).await.unwrap();
    assert!(name_of(&console, &first.token).await.is_some());
    assert_eq!(name_of(&console, &other.token).await, None);
    assert_eq!(
        console.sign_in("maria", PASSWORD, &here()).await.unwrap(),
        Attempt::Wrong
    );
    let attempt = console.sign_in("maria", new, &here()).await.unwrap();
    assert!(matches!(attempt, Attempt::Began(_)));
    let kept = entries(&stage, "change password").await;
    assert_eq!(kept.len(), 2, "the failure and the change");
    console.shut_down().await;
}

/// A guess at an unknown name must not be told apart by its time.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_takes_as_long_as_a_known_one() {
    let stage = Stage::new();
    let (console, _) = with_maria(&stage).await;
    console
        .sign_in("warm-up", "x", &browser("192.0.2.50"))
        .await
        .unwrap();
    // In turns, and the quickest of each: what else the machine does prolongs some of them, and shortens none.
    let mut took = [f64::INFINITY; 2];
    for number in 0..4 {
        for (name, took) in ["maria", "nobody-here"].into_iter().zip(&mut took) {
            let from = browser(&format!("192.0.2.6{number}"));
            let began = tokio::time::Instant::now();
            console
                .sign_in(name, "a wrong password", &from)
                .await
                .unwrap();
            *took = took.min(began.elapsed().as_secs_f64());
        }
    }
    let ratio = took[0] / took[1];
    assert!((0.3..3.0).contains(&ratio), "{took:?}");
    console.shut_down().await;
}
