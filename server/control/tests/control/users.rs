//! Managing users: links, roles, and the administrator who stays.

use crate::stage::{LOCAL, Stage, global_admin};
use control::{Attempt, Browser, Console, ErrorKind};
use domain::{
    UserId,
    access::{Origin, Role},
    user::{ClusterRole, NewUser, OneTimeLink},
};

const PASSWORD: &str = "vier Möwen am Kai";

fn new(name: &str, everywhere: Option<Role>, clusters: &[(&str, Role)]) -> NewUser {
    NewUser {
        name: name.to_owned(),
        everywhere,
        clusters: clusters
            .iter()
            .map(|(cluster, role)| ClusterRole {
                cluster: (*cluster).to_owned(),
                role: *role,
            })
            .collect(),
    }
}

fn token(link: &OneTimeLink) -> &str {
    link.path.split_once('=').unwrap().1
}

/// Adds a user who has chosen a password; their token.
async fn add(console: &Console, user: NewUser) -> (UserId, String) {
    let admin = global_admin(console);
    let link = admin.add_user(&user).await.unwrap();
    let began = console
        .choose_password(token(&link), PASSWORD, &Browser::default())
        .await
        .unwrap();
    (admin.user_named(&user.name).await.unwrap(), began.token)
}

async fn is_in(console: &Console, token: &str) -> bool {
    console
        .session(token, &Origin::default())
        .await
        .unwrap()
        .is_some()
}

fn is_conflict<T: std::fmt::Debug>(refused: Result<T, control::Error>, word: &str) {
    let error = refused.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    assert!(error.to_string().contains(word), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_chooses_a_password_by_a_link_that_works_once() {
    let (_stage, console, _) = Stage::with_tenant().await;
    let admin = global_admin(&console);
    let user = new("jon", None, &[(LOCAL, Role::Operator)]);
    let link = admin.add_user(&user).await.unwrap();
    assert!(!format!("{link:?}").contains(token(&link)));
    assert!(admin.add_user(&new("JON", None, &[])).await.is_err());
    assert!(
        admin
            .add_user(&new("kim", None, &[("nowhere", Role::Viewer)]))
            .await
            .is_err()
    );
    assert_eq!(console.link_user(token(&link)).await.unwrap(), "jon");
    let browser = Browser::default();
    let weak = console
        .choose_password(token(&link), "jon", &browser)
        .await
        .unwrap_err();
    assert!(matches!(weak.kind(), ErrorKind::Invalid(_)), "{weak}");
    let began = console
        .choose_password(token(&link), PASSWORD, &browser)
        .await
        .unwrap();
    assert!(is_in(&console, &began.token).await);
    is_conflict(
        console
            .choose_password(token(&link), PASSWORD, &browser)
            .await,
        "does not work",
    );
    let attempt = console.sign_in("jon", PASSWORD, &browser).await.unwrap();
    assert!(matches!(attempt, Attempt::Began(_)));
    let rows = admin.users().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].has_password && !rows[0].has_link && rows[0].signed_in.is_some());
    assert_eq!(rows[0].clusters[0].cluster, LOCAL);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_end_after_a_day_and_with_a_newer_one() {
    let stage = Stage::new();
    let console = stage.console().await;
    let admin = global_admin(&console);
    let first = admin.add_user(&new("jon", None, &[])).await.unwrap();
    let id = admin.user_named("jon").await.unwrap();
    let second = admin.reset_user(id).await.unwrap();
    is_conflict(console.link_user(token(&first)).await, "newer");
    stage.clock.advance_s(86_400);
    is_conflict(console.link_user(token(&second)).await, "older than a day");
    let third = admin.reset_user(id).await.unwrap();
    admin.set_disabled(id, true).await.unwrap();
    is_conflict(console.link_user(token(&third)).await, "does not work");
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_and_disabled_users_are_out_at_once() {
    let stage = Stage::new();
    let console = stage.console().await;
    let admin = global_admin(&console);
    let (jon, session) = add(&console, new("jon", Some(Role::Viewer), &[])).await;
    assert!(is_in(&console, &session).await);
    admin.set_disabled(jon, true).await.unwrap();
    assert!(!is_in(&console, &session).await);
    let attempt = console
        .sign_in("jon", PASSWORD, &Browser::default())
        .await
        .unwrap();
    assert_eq!(attempt, Attempt::Disabled);
    let attempt = console
        .sign_in("jon", "something else", &Browser::default())
        .await
        .unwrap();
    assert_eq!(
        attempt,
        Attempt::Wrong,
        "only who knows the password is told"
    );
    admin.set_disabled(jon, false).await.unwrap();
    let Attempt::Began(began) = console
        .sign_in("jon", PASSWORD, &Browser::default())
        .await
        .unwrap()
    else {
        panic!("refused");
    };
    admin.reset_user(jon).await.unwrap();
    assert!(!is_in(&console, &began.token).await);
    let attempt = console
        .sign_in("jon", PASSWORD, &Browser::default())
        .await
        .unwrap();
    assert_eq!(attempt, Attempt::Wrong);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_given_or_taken_counts_with_the_next_call() {
    let (stage, console, _) = Stage::with_tenant().await;
    let admin = global_admin(&console);
    let (jon, session) = add(&console, new("jon", None, &[])).await;
    let sees = async || {
        let found = console
            .session(&session, &Origin::default())
            .await
            .unwrap()
            .unwrap();
        match console.viewer(&found.actor) {
            Ok(viewer) => viewer.clusters().await.unwrap().len(),
            Err(_) => 0,
        }
    };
    assert_eq!(sees().await, 0);
    admin
        .grant(jon, Some(LOCAL), Some(Role::Viewer))
        .await
        .unwrap();
    assert_eq!(sees().await, 1);
    admin.grant(jon, Some(LOCAL), None).await.unwrap();
    assert_eq!(sees().await, 0);
    admin.grant(jon, None, Some(Role::Operator)).await.unwrap();
    assert_eq!(sees().await, 1);
    assert!(
        admin
            .grant(jon, Some("nowhere"), Some(Role::Viewer))
            .await
            .is_err()
    );
    let audits = stage.store().await.audits().await.unwrap();
    let change = &audits[0];
    assert_eq!(
        (change.operation.as_str(), change.subject.as_str()),
        ("change roles", "jon")
    );
    assert!(
        change
            .before
            .as_ref()
            .unwrap()
            .contains("\"everywhere\":null"),
        "{change:?}"
    );
    assert!(
        change
            .after
            .as_ref()
            .unwrap()
            .contains("\"everywhere\":\"operator\""),
        "{change:?}"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_removes_the_last_administrator() {
    let stage = Stage::new();
    let console = stage.console().await;
    let admin = global_admin(&console);
    let (maria, session) = add(&console, new("maria", Some(Role::Admin), &[])).await;
    // One who has not chosen a password could not take over.
    admin
        .add_user(&new("pending", Some(Role::Admin), &[]))
        .await
        .unwrap();
    let only = "only administrator";
    is_conflict(admin.delete_user(maria).await, only);
    is_conflict(admin.set_disabled(maria, true).await, only);
    is_conflict(admin.grant(maria, None, Some(Role::Operator)).await, only);
    is_conflict(admin.grant(maria, None, None).await, only);
    admin.grant(maria, None, Some(Role::Admin)).await.unwrap();
    let found = console
        .session(&session, &Origin::default())
        .await
        .unwrap()
        .unwrap();
    let herself = console.global_admin(&found.actor).unwrap();
    is_conflict(herself.reset_user(maria).await, "their own password");

    let (jon, _) = add(&console, new("jon", Some(Role::Admin), &[])).await;
    herself.delete_user(maria).await.unwrap();
    assert!(!is_in(&console, &session).await);
    is_conflict(admin.delete_user(jon).await, only);
    let kept = stage.store().await.audits().await.unwrap();
    assert!(
        kept.iter()
            .any(|one| one.operation == "delete user" && one.subject == "maria")
    );
    assert!(!format!("{kept:?}").contains("argon2"));
    console.shut_down().await;
}
