//! The test of a storage: what it tells, and that it leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use domain::{Scn, clock::Clock, storage::ProbeReport};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};
use storage::{Dest, Fault, Faults, Step, probe, probe_with_faults};

/// Two milliseconds pass between any two looks at it.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Scn {
        Scn(4_000_000_000_000_000_000 + self.0.fetch_add(2_000_000, Ordering::Relaxed))
    }
}

fn clock() -> Ticking {
    Ticking(AtomicU64::new(0))
}

fn failure(report: &ProbeReport) -> String {
    assert!(!report.passed());
    let (last, before) = report.steps.split_last().unwrap();
    assert!(
        before.iter().all(|step| step.failure.is_none()),
        "{report:?}"
    );
    last.failure.clone().expect("the last step failed")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_storage_that_works_passes_every_step_and_is_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let report = probe(temp.path(), &clock());
    assert!(report.passed(), "{report:?}");
    let steps: Vec<&str> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        steps,
        [
            "Reach the directory",
            "See that it is a directory",
            "Look at what is in it",
            "Create a directory in it",
            "Write a probe object",
            "Make it durable under its name",
            "Read it back",
            "Compare it",
            "List it",
            "Delete it",
        ]
    );
    assert!(report.steps.iter().all(|step| step.took_ms == 2));
    assert!(report.empty && report.identity.is_none());
    assert!(report.total_bytes.unwrap() >= report.free_bytes.unwrap());
    assert_eq!(names(temp.path()), Vec::<String>::new());

    let new = temp.path().join("new");
    let report = probe(&new, &clock());
    assert!(report.passed() && report.empty, "{report:?}");
    assert!(!new.exists() && names(temp.path()).is_empty());
}

#[test]
fn a_destination_that_is_there_is_told_by_its_identity() {
    let temp = tempfile::tempdir().unwrap();
    let dest = Dest::open_dir(temp.path(), Scn(1)).unwrap();
    let report = probe(temp.path(), &clock());
    assert!(report.passed() && !report.empty, "{report:?}");
    assert_eq!(report.identity, Some(dest.uuid().to_string()));
    assert_eq!(names(temp.path()), ["tidemark.json"]);
}

#[test]
fn what_cannot_be_a_destination_is_refused_with_the_way_forward() {
    let temp = tempfile::tempdir().unwrap();
    let told = |path: &Path| failure(&probe(path, &clock()));
    let missing = told(&temp.path().join("a/b/c"));
    assert!(
        missing.contains("a/b does not exist") && missing.contains("mount the disk"),
        "{missing}"
    );
    fs::write(temp.path().join("file"), b"x").unwrap();
    let file = told(&temp.path().join("file"));
    assert!(file.contains("not a directory"), "{file}");
    let below = told(&temp.path().join("file/below"));
    assert!(below.contains("not a directory"), "{below}");
    let foreign = told(temp.path());
    assert!(
        foreign.contains("\"file\"") && foreign.contains("empty directory"),
        "{foreign}"
    );
    let relative = told(Path::new("backup"));
    assert!(relative.contains("whole path"), "{relative}");
    std::os::unix::fs::symlink("nowhere", temp.path().join("link")).unwrap();
    let link = told(&temp.path().join("link"));
    assert!(link.contains("link to something"), "{link}");
    let newer = temp.path().join("newer");
    fs::create_dir(&newer).unwrap();
    fs::write(newer.join("tidemark.json"), b"{\"format\": 99}").unwrap();
    let newer = told(&newer);
    assert!(newer.contains("format 99"), "{newer}");
}

#[test]
fn every_step_that_fails_says_so_and_nothing_stays() {
    let steps = [
        (Step::Check, 1),
        (Step::Create, 4),
        (Step::Write, 5),
        (Step::Sync, 6),
        (Step::Publish, 6),
        (Step::SyncDirectory, 6),
        (Step::Read, 7),
        (Step::List, 9),
        (Step::Delete, 10),
    ];
    let texts = [
        (Fault::Io, "check the disk or the connection"),
        (Fault::Full, "no space is left"),
        (Fault::ReadOnly, "mounted read-only"),
        (Fault::Denied, "chown or chmod"),
    ];
    for (step, number) in steps {
        for (fault, text) in texts {
            let temp = tempfile::tempdir().unwrap();
            let faults = Faults::new();
            faults.fail_nth(step, 1, fault);
            let report = probe_with_faults(temp.path(), &clock(), &faults);
            let told = failure(&report);
            assert!(told.contains(text), "{step:?} {fault:?}: {told}");
            assert!(told.contains(&temp.path().display().to_string()), "{told}");
            assert_eq!(report.steps.len(), number, "{step:?}");
            assert_eq!(names(temp.path()), Vec::<String>::new(), "{step:?}");
        }
    }
    let temp = tempfile::tempdir().unwrap();
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o750);
    fs::set_permissions(temp.path(), mode).unwrap();
    let faults = Faults::new();
    faults.fail_while(Step::Create, Fault::Denied);
    let told = failure(&probe_with_faults(temp.path(), &clock(), &faults));
    assert!(told.contains("mode 0750, owned by"), "{told}");
}

#[test]
fn what_a_killed_test_left_is_removed_by_the_next_and_a_running_one_is_let_be() {
    let temp = tempfile::tempdir().unwrap();
    let room = |name: &str| {
        let room = temp.path().join(format!(".storage-test.tmp-{name}"));
        fs::create_dir_all(room.join("object")).unwrap();
        room
    };
    let killed = room("killed");
    fs::write(killed.join("running"), b"").unwrap();
    fs::write(killed.join("object/probe.bin"), b"rest").unwrap();
    // Killed before it had its lock; by the clock of this test, long ago.
    let early = room("early");
    let running = room("running");
    let lock = fs::File::create(running.join("running")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();

    let report = probe(temp.path(), &clock());
    assert!(report.passed() && report.empty, "{report:?}");
    assert!(!killed.exists() && !early.exists());
    assert!(running.join("object").exists());
    drop(lock);
    assert!(probe(temp.path(), &clock()).passed());
    assert_eq!(names(temp.path()), Vec::<String>::new());
}
