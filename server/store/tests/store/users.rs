//! Users, their roles and their sessions.

use crate::fixture::{Fixture, fresh};
use domain::{ClusterId, Scn, UserId, access::Role};
use store::{NewSession, SESSIONS_MAX, StoreError, UserPatch};

async fn add(fixture: &Fixture, name: &str, role: Option<Role>) -> UserId {
    let added = fixture
        .store
        .change(async |change| change.add_user(name, role, Scn(5)).await);
    added.await.unwrap()
}

async fn patch(fixture: &Fixture, id: UserId, patch: UserPatch) {
    let done = fixture
        .store
        .change(async |change| change.patch_user(id, &patch).await);
    done.await.unwrap();
}

fn session(user: UserId, digest: &str, at: u64) -> NewSession {
    NewSession {
        digest: digest.to_owned(),
        user,
        created: Scn(at),
        address: "192.0.2.1".to_owned(),
        agent: "a browser".to_owned(),
    }
}

#[tokio::test]
async fn a_user_is_found_by_name_whatever_its_case_and_no_two_have_one() {
    let fixture = fresh().await;
    let id = add(&fixture, "Maria", Some(Role::Admin)).await;
    for name in ["Maria", "maria", "MARIA"] {
        let found = fixture.store.user_named(name).await.unwrap().unwrap();
        assert_eq!((found.id, found.name.as_str()), (id, "Maria"));
        assert_eq!(found.grants.everywhere, Some(Role::Admin));
    }
    let twice: Result<UserId, StoreError> = fixture
        .store
        .change(async |change| change.add_user("mARIA", None, Scn(6)).await)
        .await;
    assert!(twice.is_err());
    assert_eq!(fixture.store.user_count().await.unwrap(), 1);
    assert!(fixture.store.user_named("jon").await.unwrap().is_none());
}

#[tokio::test]
async fn what_changes_in_a_user_is_read_back_and_the_rest_stays() {
    let fixture = fresh().await;
    let id = add(&fixture, "maria", None).await;
    let link = ("digest".to_owned(), Scn(77));
    let change = UserPatch {
        password: Some(Some("$argon2id$hidden".to_owned())),
        everywhere: Some(Some(Role::Operator)),
        failures: Some((3, Some(Scn(9)))),
        link: Some(Some(link.clone())),
        ..UserPatch::default()
    };
    patch(&fixture, id, change).await;
    let disabled = UserPatch {
        disabled: Some(true),
        signed_in: Some(Scn(8)),
        ..UserPatch::default()
    };
    patch(&fixture, id, disabled).await;
    let user = fixture.store.user(id).await.unwrap().unwrap();
    assert_eq!(user.password.as_deref(), Some("$argon2id$hidden"));
    assert_eq!(user.grants.everywhere, Some(Role::Operator));
    assert_eq!((user.failures, user.locked_until), (3, Some(Scn(9))));
    assert_eq!(
        (user.link.clone(), user.disabled, user.signed_in),
        (Some(link), true, Some(Scn(8)))
    );
    assert!(!format!("{user:?}").contains("hidden") && !format!("{user:?}").contains("digest"));
    let by_link = async |digest: &str| {
        let found = fixture
            .store
            .change(async |change| change.user_by_link(digest).await);
        found.await.unwrap().map(|user| user.id)
    };
    assert_eq!(by_link("digest").await, Some(id));
    assert_eq!(by_link("other").await, None);
    let clear = UserPatch {
        link: Some(None),
        failures: Some((0, None)),
        ..UserPatch::default()
    };
    patch(&fixture, id, clear).await;
    let user = fixture.store.user(id).await.unwrap().unwrap();
    assert_eq!(
        (user.link, user.failures, user.locked_until),
        (None, 0, None)
    );
}

#[tokio::test]
async fn roles_in_clusters_come_and_go_with_their_user() {
    let fixture = fresh().await;
    let (one, two) = (fixture.cluster("one").await, fixture.cluster("two").await);
    let maria = add(&fixture, "maria", None).await;
    let jon = add(&fixture, "jon", None).await;
    let grant = async |user, cluster: ClusterId, role| {
        let done = fixture
            .store
            .change(async |change| change.grant(user, cluster, role).await);
        done.await.unwrap();
    };
    grant(maria, one, Some(Role::Viewer)).await;
    grant(maria, one, Some(Role::Admin)).await;
    grant(maria, two, Some(Role::Viewer)).await;
    grant(jon, two, Some(Role::Operator)).await;
    grant(maria, two, None).await;
    let users = fixture.store.users().await.unwrap();
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["jon", "maria"]);
    assert_eq!(users[0].grants.in_cluster(two), Some(Role::Operator));
    assert_eq!(users[1].grants.in_cluster(one), Some(Role::Admin));
    assert_eq!(users[1].grants.in_cluster(two), None);
    fixture
        .store
        .change(async |change| change.delete_user(maria).await)
        .await
        .unwrap();
    let again = add(&fixture, "maria", None).await;
    let user = fixture.store.user(again).await.unwrap().unwrap();
    assert!(user.grants.clusters.is_empty());
    assert_eq!(fixture.store.users().await.unwrap().len(), 2);
}

#[tokio::test]
async fn only_administrators_who_can_sign_in_count() {
    let fixture = fresh().await;
    let maria = add(&fixture, "maria", Some(Role::Admin)).await;
    let jon = add(&fixture, "jon", Some(Role::Admin)).await;
    let others = async || {
        let count = fixture
            .store
            .change(async |change| change.other_administrators(maria).await);
        count.await.unwrap()
    };
    assert_eq!(others().await, 0, "without a password nobody signs in");
    let with_password = UserPatch {
        password: Some(Some("x".to_owned())),
        ..UserPatch::default()
    };
    patch(&fixture, jon, with_password).await;
    assert_eq!(others().await, 1);
    patch(
        &fixture,
        jon,
        UserPatch {
            disabled: Some(true),
            ..UserPatch::default()
        },
    )
    .await;
    assert_eq!(others().await, 0);
}

#[tokio::test]
async fn sessions_are_found_by_digest_and_end_alone_together_or_with_age() {
    let fixture = fresh().await;
    let maria = add(&fixture, "maria", None).await;
    let jon = add(&fixture, "jon", None).await;
    let begin = async |new: NewSession| {
        let done = fixture
            .store
            .change(async |change| change.add_session(&new).await);
        done.await.unwrap()
    };
    let first = begin(session(maria, "a", 10)).await;
    let second = begin(session(maria, "b", 20)).await;
    begin(session(jon, "c", 30)).await;
    let (found, user) = fixture.store.session("a").await.unwrap().unwrap();
    assert_eq!(
        (found.id, user.id, found.address.as_str()),
        (first, maria, "192.0.2.1")
    );
    assert!(fixture.store.session("z").await.unwrap().is_none());
    fixture
        .store
        .session_seen(first, Scn(50), "192.0.2.9")
        .await
        .unwrap();
    let listed = fixture.store.sessions_of(maria).await.unwrap();
    let seen: Vec<(i64, u64, &str)> = listed
        .iter()
        .map(|one| (one.id, one.seen.0, one.address.as_str()))
        .collect();
    assert_eq!(seen, [(first, 50, "192.0.2.9"), (second, 20, "192.0.2.1")]);

    let end = async |user, id| {
        let done = fixture
            .store
            .change(async |change| change.end_session(user, id).await);
        done.await.unwrap()
    };
    assert!(!end(jon, second).await, "nobody ends another's session");
    assert!(end(maria, second).await && !end(maria, second).await);
    begin(session(maria, "d", 60)).await;
    let but = fixture
        .store
        .change(async |change| change.end_sessions(maria, Some(first)).await);
    assert_eq!(but.await.unwrap(), 1);
    assert!(fixture.store.session("a").await.unwrap().is_some());
    assert_eq!(
        fixture
            .store
            .end_old_sessions(Scn(25), Scn(0))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        fixture
            .store
            .end_old_sessions(Scn(0), Scn(31))
            .await
            .unwrap(),
        1
    );
    assert!(fixture.store.session("c").await.unwrap().is_none());

    for number in 0..SESSIONS_MAX as u64 + 3 {
        begin(session(jon, &format!("n{number}"), 100 + number)).await;
    }
    assert_eq!(
        fixture.store.sessions_of(jon).await.unwrap().len(),
        SESSIONS_MAX
    );
    assert!(fixture.store.session("n0").await.unwrap().is_none());
    let last = format!("n{}", SESSIONS_MAX + 2);
    assert!(fixture.store.session(&last).await.unwrap().is_some());
}
