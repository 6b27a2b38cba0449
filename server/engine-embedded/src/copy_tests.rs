//! Copies under faults: at every call of both destinations, once and for ever, and with a process that dies.

use super::*;
use crate::{EmbeddedEngine, destination::Destination, verify};
use domain::{
    Scn,
    archive::ArchiveState,
    backup::{BackupKind, BackupSet},
    recoverable::LogSpan,
};
use engine::{BackupSpec, Engine, EngineSettings, TenantKey, VerifyReport};
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Dest, Fault, Faults, Step};
use uuid::Uuid;

/// Steps that a destination in memory comes by.
const STEPS: [Step; 8] = [
    Step::Check,
    Step::Create,
    Step::Write,
    Step::Sync,
    Step::Publish,
    Step::Read,
    Step::List,
    Step::Delete,
];
/// A fault that lasts is one that strikes as often as this.
const LASTING: u64 = 3000;

/// Real time.
struct RealClock;

impl Clock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an engine that runs needs time that passes"
    )]
    fn now(&self) -> Scn {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Scn(u64::try_from(since.unwrap().as_nanos()).unwrap())
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(RealClock)
}

/// What a real cluster left at its destination, in memory: a full and an incremental set, and two rounds of
/// log, the first of which ended.
struct Frozen {
    cluster: Uuid,
    tenant: Uuid,
    dest: Dest,
    /// Its newest set.
    set: BackupSetId,
}

impl Frozen {
    async fn make() -> Frozen {
        let dir = tempfile::tempdir().unwrap();
        let settings = EngineSettings {
            kind: domain::capability::EngineKind::Embedded,
            name: "local".to_owned(),
            server: None,
            home: dir.path().join("home"),
            destination: dir.path().join("backup"),
            adopt: None,
        };
        let engine = EmbeddedEngine::open(&settings, clock()).await.unwrap();
        let key = engine.create_tenant("orders").await.unwrap();
        archiving(&engine).await;
        sql(&engine, &key, "CREATE TABLE t (v)").await;
        back_up(&engine, &key, BackupKind::Full).await;
        for _ in 0..2 {
            let rows = "INSERT INTO t SELECT hex(randomblob(99)) FROM (VALUES (1), (2), (3))";
            sql(&engine, &key, rows).await;
        }
        let set = back_up(&engine, &key, BackupKind::Incremental).await;
        engine.stop_archive(&key, "repairs").await.unwrap();
        engine.start_archive(&key).await.unwrap();
        archiving(&engine).await;
        sql(&engine, &key, "INSERT INTO t VALUES (4)").await;
        let cluster = engine.inner.cluster();
        engine.shut_down().await;
        let (from, dest) = (
            Dest::open_existing(&settings.destination).unwrap(),
            Dest::memory(),
        );
        for entry in from.list("").unwrap() {
            let bytes = from.get(&entry.key).unwrap();
            dest.put(&entry.key, &bytes).unwrap();
        }
        let tenant = Uuid::parse_str(&key.0).unwrap();
        Frozen {
            cluster,
            tenant,
            dest,
            set,
        }
    }

    /// A destination as an engine that has just started sees it.
    fn open(&self, dest: &Dest, faults: &Faults) -> Arc<Second> {
        let destination = Destination::of(dest.with_faults(faults), clock());
        let second = Second::new(self.cluster, destination);
        second.take_up(self.tenant, "orders".to_owned());
        second
    }

    /// Copies the newest set, then the log, each as an order of its own.
    fn copy(&self, first: &Second, second: &Second) -> Result<(), CopyError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let source = first.known(self.tenant).unwrap();
        for what in [CopyWhat::Set(self.set), CopyWhat::Log] {
            let spec = CopySpec {
                token: format!("copy-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
                tenant: TenantKey(self.tenant.to_string()),
                what,
                limit_bytes_per_s: None,
            };
            let job = Job::new(clock());
            let (done, _) = copy((&clock(), &|| false), second, &*source, &spec, &job)?;
            assert!(!done.outcome.is_empty());
        }
        Ok(())
    }

    /// Reads all of a destination back as a process that has just started; what is there must be sound.
    fn read_back(&self, dest: &Dest) -> (Claims, Vec<String>) {
        let second = self.open(dest, &Faults::new());
        let copy = second.known(self.tenant).unwrap();
        let mut report = VerifyReport::default();
        verify::verify(&*copy, &mut report).unwrap();
        let history = copy.history();
        ((history.usable_sets(), history.spans()), report.faults)
    }

    /// The same, and nothing is missing either.
    fn verified(&self, dest: &Dest) -> Claims {
        let (claims, faults) = self.read_back(dest);
        assert_eq!(faults, Vec::<String>::new());
        claims
    }

    /// Whether `part` claims nothing that the first copy does not have.
    fn claims_no_more(&self, part: &Dest) {
        let (all_sets, all_spans) = self.verified(&self.dest);
        let ((sets, spans), faults) = self.read_back(part);
        assert!(sets.iter().all(|set| all_sets.contains(set)), "{sets:?}");
        for span in spans {
            let whole = all_spans.iter().find(|whole| whole.round == span.round);
            let whole = whole.expect("a round of the first copy");
            assert!(
                span.start >= whole.start && span.end <= whole.end,
                "{span:?}"
            );
        }
        // Log that was damaged at the first destination is missing at the second, which may be told.
        let is_hole = |fault: &String| fault.contains("in front of it is missing");
        assert!(faults.iter().all(is_hole), "{faults:?}");
    }
}

/// Sets and log as the console would be told of them.
type Claims = (Vec<BackupSet>, Vec<LogSpan>);

async fn archiving(engine: &EmbeddedEngine) {
    crate::testing::wait_until("log backup in progress", || {
        let tenants = engine.inner.tenants();
        tenants[0].status().state == ArchiveState::Doing
    })
    .await;
}

async fn sql(engine: &EmbeddedEngine, key: &TenantKey, text: &str) {
    let results = engine.run_sql(key, text).await.unwrap();
    let committed = results.iter().filter_map(|it| it.committed).max().unwrap();
    crate::testing::wait_until("the log durable", || {
        let tenants = engine.inner.tenants();
        let checkpoint = tenants[0].history().checkpoint_scn();
        checkpoint >= Some(committed)
    })
    .await;
}

async fn back_up(engine: &EmbeddedEngine, key: &TenantKey, kind: BackupKind) -> BackupSetId {
    let spec = BackupSpec {
        token: format!("set-{}", clock().now().0),
        tenant: key.clone(),
        kind,
    };
    let id = engine.start_backup(&spec).await.unwrap();
    let report = || engine.inner.jobs.report(&id).unwrap();
    crate::testing::wait_until("the set", || report().state != EngineJobState::Running).await;
    assert_eq!(report().actual, Some(kind), "{:?}", report().failure);
    report().set.unwrap()
}

/// How often each step is come by in a copy without faults.
fn counts(frozen: &Frozen) -> Vec<(bool, Step, u64)> {
    let (reading, writing) = (Faults::new(), Faults::new());
    let first = frozen.open(&frozen.dest, &reading);
    let to = Dest::memory();
    let second = frozen.open(&to, &writing);
    frozen.copy(&first, &second).unwrap();
    assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
    let of = |is_second: bool, faults: &Faults| {
        let count = |step: &Step| (is_second, *step, faults.count(*step));
        STEPS.iter().map(count).collect::<Vec<_>>()
    };
    [of(false, &reading), of(true, &writing)].concat()
}

fn strike(faults: &Faults, step: Step, at: u64, times: u64) {
    for n in at..at + times {
        faults.fail_nth(step, n, Fault::Io);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_is_told_and_the_next_copy_completes_what_is_there() {
    let frozen = Frozen::make().await;
    let mut runs = 0;
    for (is_second, step, count) in counts(&frozen) {
        for (at, times) in (1..=count).flat_map(|at| [(at, 1), (at, LASTING)]) {
            let (reading, writing) = (Faults::new(), Faults::new());
            let first = frozen.open(&frozen.dest, &reading);
            let to = Dest::memory();
            let second = frozen.open(&to, &writing);
            let struck = if is_second { &writing } else { &reading };
            strike(struck, step, at, times);
            if let Err(error) = frozen.copy(&first, &second) {
                let text = error.to_string();
                let told = if is_second {
                    "second copy"
                } else {
                    "first copy"
                };
                assert!(text.contains(told), "{step:?} {at} x{times}: {text}");
            }
            struck.clear();
            frozen.claims_no_more(&to);
            // The same process goes on, with all that it remembers of the time before.
            frozen.copy(&first, &second).unwrap();
            assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
            runs += 1;
        }
    }
    assert!(runs > 300, "{runs} runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_any_call_leaves_what_the_next_one_completes() {
    let frozen = Frozen::make().await;
    let mut runs = 0;
    for (_, step, count) in counts(&frozen)
        .into_iter()
        .filter(|(is_second, ..)| *is_second)
    {
        for at in 1..=count {
            let to = Dest::memory();
            let dying = Faults::new();
            strike(&dying, step, at, LASTING);
            let first = frozen.open(&frozen.dest, &Faults::new());
            // Nothing is done any more after the first failure, not even tidying up.
            let _ = frozen.copy(&first, &frozen.open(&to, &dying));
            frozen.claims_no_more(&to);
            let (reading, writing) = (Faults::new(), Faults::new());
            let first = frozen.open(&frozen.dest, &reading);
            frozen.copy(&first, &frozen.open(&to, &writing)).unwrap();
            assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
            // What is there and proves right is not copied again.
            let created = writing.count(Step::Create);
            frozen.copy(&first, &frozen.open(&to, &writing)).unwrap();
            let again = writing.count(Step::Create) - created;
            assert!(again <= 2, "{again} objects written though all were there");
            runs += 1;
        }
    }
    assert!(runs > 100, "{runs} runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_second_destination_is_told_and_takes_the_rest_when_there_is_room() {
    let frozen = Frozen::make().await;
    let first = frozen.open(&frozen.dest, &Faults::new());
    let (to, writing) = (Dest::memory(), Faults::new());
    let second = frozen.open(&to, &writing);
    writing.fail_while(Step::Sync, Fault::Full);
    let text = frozen.copy(&first, &second).unwrap_err().to_string();
    assert!(text.contains("the destination is full"), "{text}");
    assert_eq!(frozen.verified(&to), (Vec::new(), Vec::new()));
    writing.clear();
    frozen.copy(&first, &second).unwrap();
    assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_changes_anywhere_in_the_first_copy_never_reaches_the_second() {
    let frozen = Frozen::make().await;
    let objects = frozen.dest.list(&frozen.cluster.to_string()).unwrap();
    let keys: Vec<String> = objects
        .into_iter()
        .map(|entry| entry.key)
        .filter(|key| {
            [".pack", ".seg", ".bin", ".zst", "set.json", "round.json"]
                .iter()
                .any(|end| key.ends_with(end))
        })
        .collect();
    for key in &keys {
        let sound = frozen.dest.get(key).unwrap();
        for at in [0, sound.len() / 3, sound.len() / 2, sound.len() - 2] {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x20;
            frozen.dest.replace(key, &damaged).unwrap();
            let first = frozen.open(&frozen.dest, &Faults::new());
            let to = Dest::memory();
            let second = frozen.open(&to, &Faults::new());
            let copied = frozen.copy(&first, &second);
            let is_white = sound[at].is_ascii_whitespace() && key.ends_with(".json");
            assert!(
                copied.is_err() || key.ends_with("round.json") || is_white,
                "{key} at {at}"
            );
            frozen.dest.replace(key, &sound).unwrap();
            frozen.claims_no_more(&to);
            // Put right, it is copied.
            let first = frozen.open(&frozen.dest, &Faults::new());
            frozen.copy(&first, &second).unwrap();
            assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
        }
    }
    assert!(keys.len() >= 10, "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_the_second_copy_is_written_anew() {
    let frozen = Frozen::make().await;
    let first = frozen.open(&frozen.dest, &Faults::new());
    let to = Dest::memory();
    let second = frozen.open(&to, &Faults::new());
    frozen.copy(&first, &second).unwrap();
    let copy = second.known(frozen.tenant).unwrap();
    for ending in [".pack", ".seg"] {
        let objects = to.list("").unwrap();
        let key = objects
            .into_iter()
            .map(|entry| entry.key)
            .find(|key| key.ends_with(ending));
        let key = key.unwrap();
        let mut bytes = to.get(&key).unwrap();
        bytes[10] ^= 1;
        to.replace(&key, &bytes).unwrap();
        let mut report = VerifyReport::default();
        verify::verify(&*copy, &mut report).unwrap();
        assert!(
            report.faults.iter().any(|fault| fault.contains(&key)),
            "{:?}",
            report.faults
        );
        frozen.copy(&first, &second).unwrap();
        assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_of_the_tenant_is_never_mixed_into_the_copy() {
    let frozen = Frozen::make().await;
    let to = Dest::memory();
    let second = frozen.open(&to, &Faults::new());
    frozen
        .copy(&frozen.open(&frozen.dest, &Faults::new()), &second)
        .unwrap();
    // The same numbers, given again by a home that was set back to an earlier image.
    let mut other = Frozen::make().await;
    let moved = Dest::memory();
    for entry in other.dest.list("").unwrap() {
        let key = entry
            .key
            .replace(&other.cluster.to_string(), &frozen.cluster.to_string())
            .replace(&other.tenant.to_string(), &frozen.tenant.to_string());
        moved
            .put(&key, &other.dest.get(&entry.key).unwrap())
            .unwrap();
    }
    (other.cluster, other.tenant, other.dest) = (frozen.cluster, frozen.tenant, moved);
    let first = other.open(&other.dest, &Faults::new());
    let text = other.copy(&first, &second).unwrap_err().to_string();
    assert!(text.contains("another backup set"), "{text}");
    assert_eq!(frozen.verified(&to), frozen.verified(&frozen.dest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_removed_meanwhile_leaves_nothing_and_is_no_failure() {
    let frozen = Frozen::make().await;
    let to = Dest::memory();
    let second = frozen.open(&to, &Faults::new());
    let first = frozen.open(&frozen.dest, &Faults::new());
    let source = first.known(frozen.tenant).unwrap();
    survey::ensure_known(&*source).unwrap();
    // Known still, but gone at the destination.
    frozen.dest.delete_prefix(&source.keys().data()).unwrap();
    frozen.copy(&first, &second).unwrap();
    let left = to.list(&source.keys().data()).unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert!(!frozen.verified(&to).1.is_empty(), "the log is there");
}

#[test]
fn waiting_for_a_turn_ends_with_the_second_destination() {
    let destination = Destination::of(Dest::memory(), clock());
    let second = Second::new(Uuid::nil(), destination);
    let copy = second.take_up(Uuid::nil(), "orders".to_owned());
    let _busy = copy.try_copying().unwrap();
    let job = Job::new(clock());
    second.end();
    assert!(matches!(turn(&copy, &second, &job), Err(CopyError::Ended)));
}
