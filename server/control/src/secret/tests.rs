//! Secrets through the life of keys: made, changed, interrupted, lost, and given from outside.

use super::{Key, KeyPlace, Secrets, rotate::Closed};
use crate::error::Error;
use domain::{Scn, clock::Clock};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{SecretRef, Store};

struct Still;

impl Clock for Still {
    fn now(&self) -> Scn {
        Scn(1_000)
    }
}

/// A home with a control database and perhaps a key file.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn store(&self) -> Store {
        let url = format!("sqlite://{}", self.path("control.db").display());
        let store = Store::connect(&url).await.unwrap();
        migration::up(store.connection()).await.unwrap();
        store
    }

    /// As after a start of the process.
    async fn secrets(&self) -> Secrets {
        self.secrets_with(KeyPlace::File(self.path("secret.key")))
            .await
    }

    async fn secrets_with(&self, place: KeyPlace) -> Secrets {
        Secrets::start(self.store().await, Arc::new(Still), place)
            .await
            .unwrap()
    }
}

async fn seal(secrets: &Secrets, owner: &str, text: &str) -> Result<SecretRef, Error> {
    secrets
        .store
        .change(async |change| secrets.seal(change, "channel", owner, text).await)
        .await
}

async fn open(secrets: &Secrets, owner: &str, id: SecretRef) -> Result<String, String> {
    let opened = secrets.open("channel", owner, id).await;
    opened
        .map(|secret| secret.expose().to_owned())
        .map_err(|error| error.to_string())
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

#[tokio::test]
async fn a_secret_survives_a_restart_and_tells_itself_to_nobody_else() {
    let home = Home::new();
    let secrets = home.secrets().await;
    let id = seal(&secrets, "1", "https://hook/hunter2").await.unwrap();
    let opened = secrets.open("channel", "1", id).await.unwrap();
    assert!(!format!("{opened:?}").contains("hunter2"));
    let again = home.secrets().await;
    assert_eq!(open(&again, "1", id).await.unwrap(), "https://hook/hunter2");
    let told = open(&again, "2", id).await.unwrap_err();
    assert!(
        told.contains("channel 2") && told.contains("enter it again"),
        "{told}"
    );
    let rows = again.store.secrets().await.unwrap();
    assert!(!format!("{rows:?}").contains("hunter2"));
    let long = seal(&again, "3", &"x".repeat(super::SECRET_BYTES_MAX + 1)).await;
    assert!(!long.unwrap_err().to_string().contains("xxx"));
}

#[tokio::test]
async fn keys_are_changed_and_the_former_one_opens_nothing_any_more() {
    let home = Home::new();
    let secrets = home.secrets().await;
    let ids = [
        seal(&secrets, "1", "one").await.unwrap(),
        seal(&secrets, "2", "two").await.unwrap(),
    ];
    copy(&home.path("secret.key"), &home.path("old"));
    let rotated = secrets.rotate("tester", Closed::Refuse).await.unwrap();
    assert_eq!((rotated.resealed, rotated.forgotten), (2, 0));
    assert_eq!(open(&secrets, "1", ids[0]).await.unwrap(), "one");
    let audit = secrets.store.audits().await.unwrap();
    assert_eq!(audit[0].operation, "change secret key");
    let again = home.secrets().await;
    assert_eq!(open(&again, "2", ids[1]).await.unwrap(), "two");
    assert!(!home.path("secret.key.next").exists() && !home.path("secret.key.former").exists());
    copy(&home.path("old"), &home.path("secret.key"));
    let told = open(&home.secrets().await, "1", ids[0]).await.unwrap_err();
    assert!(
        told.contains(&rotated.key_id) && told.contains("put the former key file back"),
        "{told}"
    );
}

#[tokio::test]
async fn a_change_of_keys_that_is_killed_anywhere_is_finished_or_taken_back() {
    let home = Home::new();
    let secrets = home.secrets().await;
    let id = seal(&secrets, "1", "one").await.unwrap();
    // Killed before the transaction was saved: the next key lies there and nothing is sealed with it.
    super::key::write_file(&home.path("secret.key.next"), &Key::fresh().unwrap()).unwrap();
    let secrets = home.secrets().await;
    assert_eq!(open(&secrets, "1", id).await.unwrap(), "one");
    assert!(!home.path("secret.key.next").exists());
    // Killed after it was saved: the database has the next key and the files do not.
    copy(&home.path("secret.key"), &home.path("old"));
    let rotated = secrets.rotate("tester", Closed::Refuse).await.unwrap();
    copy(&home.path("secret.key"), &home.path("secret.key.next"));
    copy(&home.path("old"), &home.path("secret.key"));
    let secrets = home.secrets().await;
    assert_eq!(open(&secrets, "1", id).await.unwrap(), "one");
    // Killed between the two renames.
    std::fs::rename(home.path("secret.key"), home.path("secret.key.next")).unwrap();
    copy(&home.path("old"), &home.path("secret.key.former"));
    let secrets = home.secrets().await;
    assert_eq!(open(&secrets, "1", id).await.unwrap(), "one");
    assert_eq!(
        secrets.keys().current.as_ref().unwrap().id(),
        rotated.key_id
    );
}

#[tokio::test]
async fn a_secret_sealed_with_the_former_key_in_the_last_moment_still_opens() {
    let home = Home::new();
    let secrets = home.secrets().await;
    seal(&secrets, "1", "one").await.unwrap();
    let former = secrets.keys().current.clone().unwrap();
    secrets.rotate("tester", Closed::Refuse).await.unwrap();
    let next = secrets.keys().current.replace(former);
    let late = seal(&secrets, "2", "late").await.unwrap();
    secrets.keys().current = next;
    assert_eq!(open(&secrets, "2", late).await.unwrap(), "late");
    let again = home.secrets().await;
    assert_eq!(open(&again, "2", late).await.unwrap(), "late");
    again.rotate("tester", Closed::Refuse).await.unwrap();
    assert_eq!(
        open(&home.secrets().await, "2", late).await.unwrap(),
        "late"
    );
    assert!(!home.path("secret.key.former").exists());
}

#[tokio::test]
async fn a_lost_key_is_told_and_never_made_anew_over_what_needs_it() {
    let home = Home::new();
    let secrets = home.secrets().await;
    let id = seal(&secrets, "1", "one").await.unwrap();
    std::fs::rename(home.path("secret.key"), home.path("aside")).unwrap();
    let secrets = home.secrets().await;
    assert!(!home.path("secret.key").exists());
    for told in [
        open(&secrets, "1", id).await.unwrap_err(),
        seal(&secrets, "2", "two").await.unwrap_err().to_string(),
        secrets
            .rotate("tester", Closed::Refuse)
            .await
            .unwrap_err()
            .to_string(),
    ] {
        assert!(
            told.contains("channel 1") && told.contains("secret.key"),
            "{told}"
        );
    }
    assert!(!home.path("secret.key.next").exists(), "taken back");
    std::fs::rename(home.path("aside"), home.path("secret.key")).unwrap();
    assert_eq!(open(&home.secrets().await, "1", id).await.unwrap(), "one");
    std::fs::remove_file(home.path("secret.key")).unwrap();
    let secrets = home.secrets().await;
    let rotated = secrets.rotate("tester", Closed::Forget).await.unwrap();
    assert_eq!((rotated.resealed, rotated.forgotten), (0, 1));
    assert!(
        open(&secrets, "1", id)
            .await
            .unwrap_err()
            .contains("not there any more")
    );
    let id = seal(&secrets, "1", "anew").await.unwrap();
    assert_eq!(open(&home.secrets().await, "1", id).await.unwrap(), "anew");
}

#[tokio::test]
async fn a_key_from_outside_is_changed_by_giving_both() {
    let home = Home::new();
    let key = |digit: &str| Key::read(&digit.repeat(64), "here").unwrap();
    let given = |key, former| KeyPlace::Given { key, former };
    let secrets = home.secrets_with(given(key("1"), None)).await;
    let id = seal(&secrets, "1", "one").await.unwrap();
    let told = secrets.rotate("tester", Closed::Refuse).await.unwrap_err();
    assert!(told.to_string().contains("TIDEMARK_KEY_OLD"), "{told}");
    let secrets = home.secrets_with(given(key("2"), None)).await;
    assert!(
        open(&secrets, "1", id)
            .await
            .unwrap_err()
            .contains("TIDEMARK_KEY")
    );
    let secrets = home.secrets_with(given(key("2"), Some(key("1")))).await;
    assert_eq!(open(&secrets, "1", id).await.unwrap(), "one");
    assert_eq!(
        secrets
            .rotate("tester", Closed::Refuse)
            .await
            .unwrap()
            .resealed,
        1
    );
    let secrets = home.secrets_with(given(key("2"), None)).await;
    assert_eq!(open(&secrets, "1", id).await.unwrap(), "one");
    assert!(
        !home.path("secret.key").exists(),
        "nothing is written to the disk"
    );
}
