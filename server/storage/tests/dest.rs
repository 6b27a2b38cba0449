//! What a destination promises, shown on a real directory and, where it applies, in memory.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use domain::Scn;
use std::{
    fs,
    io::{Read, Write},
    path::Path,
};
use storage::{Dest, Entry, Fault, Faults, Step, StorageError, checksum::blake3_hex};
use tempfile::TempDir;

const NOW: Scn = Scn(1_795_348_800_000_000_000);

fn on_disk() -> (TempDir, Dest) {
    let home = TempDir::new().unwrap();
    let dest = Dest::open_dir(&home.path().join("backups"), NOW).unwrap();
    (home, dest)
}

fn keys(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key.as_str()).collect()
}

/// Every file below, unfinished ones too.
fn files_below(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn both_kinds_keep_the_same_promises() {
    let (_home, directory) = on_disk();
    for dest in [directory, Dest::memory()] {
        dest.put("c/t/data/0001/set.json", b"one").unwrap();
        dest.put("c/t/clog/a.seg", b"log").unwrap();
        dest.put("c/t/trash/old.seg", b"gone").unwrap();
        dest.put("c/tt/b", b"").unwrap();

        let taken = dest.put("c/t/clog/a.seg", b"other").unwrap_err();
        assert!(
            matches!(taken, StorageError::AlreadyExists { .. }),
            "{taken}"
        );
        assert!(!taken.is_transient());
        assert_eq!(dest.get("c/t/clog/a.seg").unwrap(), b"log");
        dest.replace("c/t/clog/a.seg", b"newer").unwrap();
        assert_eq!(dest.get("c/t/clog/a.seg").unwrap(), b"newer");
        assert_eq!(dest.size("c/t/clog/a.seg").unwrap(), 5);
        assert!(dest.exists("c/tt/b").unwrap());
        assert!(!dest.exists("c/tt").unwrap());

        let all = dest.list("").unwrap();
        assert_eq!(
            keys(&all),
            ["c/t/clog/a.seg", "c/t/data/0001/set.json", "c/tt/b"]
        );
        assert_eq!(
            keys(&dest.list("c/t/").unwrap()),
            ["c/t/clog/a.seg", "c/t/data/0001/set.json"]
        );
        assert_eq!(dest.list("c/none").unwrap(), []);
        assert_eq!(dest.list_dirs("c/t").unwrap(), ["clog", "data"]);
        assert_eq!(dest.list_dirs("").unwrap(), ["c"]);

        let mut part = [0; 3];
        dest.read_at("c/t/clog/a.seg", 2, &mut part).unwrap();
        assert_eq!(&part, b"wer");
        let short = dest.read_at("c/t/clog/a.seg", 3, &mut part).unwrap_err();
        assert!(matches!(short, StorageError::Corrupt { .. }), "{short}");
        let mut text = String::new();
        dest.reader("c/t/clog/a.seg")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "newer");

        dest.delete("c/t/clog/a.seg").unwrap();
        assert!(dest.delete("c/t/clog/a.seg").unwrap_err().is_not_found());
        assert!(dest.get("c/t/clog/a.seg").unwrap_err().is_not_found());
        dest.delete_prefix("c/t/data").unwrap();
        dest.delete_prefix("c/t/data").unwrap();
        assert_eq!(keys(&dest.list("").unwrap()), ["c/tt/b"]);
        assert!(dest.delete_prefix("").is_err());
        dest.check().unwrap();
    }
}

#[test]
fn a_streamed_object_appears_when_finished_or_never() {
    let (home, directory) = on_disk();
    for dest in [directory, Dest::memory()] {
        let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let mut writer = dest.create("set/pages-0001.pack").unwrap();
        for (index, piece) in content.chunks(70_001).enumerate() {
            if index % 2 == 0 {
                writer.append(piece).unwrap();
            } else {
                writer.write_all(piece).unwrap();
            }
        }
        writer.append(&content).unwrap();
        assert_eq!(dest.list("").unwrap(), []);
        let stored = writer.finish().unwrap();
        let whole = [content.clone(), content].concat();
        assert_eq!(stored.bytes, whole.len() as u64);
        assert_eq!(stored.blake3.to_hex().as_str(), blake3_hex(&whole));
        assert_eq!(dest.get("set/pages-0001.pack").unwrap(), whole);

        let mut dropped = dest.create("set/pages-0002.pack").unwrap();
        dropped.append(&whole).unwrap();
        drop(dropped);
        assert_eq!(keys(&dest.list("set").unwrap()), ["set/pages-0001.pack"]);
    }
    assert_eq!(
        files_below(home.path()),
        ["pages-0001.pack", "tidemark.json"]
    );
}

#[test]
fn two_writers_of_one_name_get_one_winner() {
    let (_home, dest) = on_disk();
    let winners: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8_u8)
            .map(|racer| {
                scope.spawn({
                    let dest = dest.clone();
                    move || usize::from(dest.put("new/dir/object", &[racer]).is_ok())
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(winners, 1);
    assert_eq!(dest.list("").unwrap().len(), 1);
}

#[test]
fn every_failing_step_leaves_nothing_behind() {
    let (home, clean) = on_disk();
    let faults = Faults::new();
    let dest = clean.with_faults(&faults);
    let steps = [
        Step::Check,
        Step::Create,
        Step::Write,
        Step::Sync,
        Step::Publish,
        Step::SyncDirectory,
    ];
    for step in steps {
        for fault in [Fault::Io, Fault::Full, Fault::ReadOnly, Fault::Denied] {
            faults.fail_nth(step, 1, fault);
            let error = dest.put("a/b/object", b"bytes").unwrap_err();
            let fits = match fault {
                Fault::Io => matches!(error, StorageError::Io { .. }),
                Fault::ReadOnly | Fault::Denied => {
                    matches!(error, StorageError::ReadOnly { .. })
                }
                Fault::Full => {
                    matches!(error, StorageError::Full { free: Some(_), .. }) || step == Step::Check
                }
            };
            assert!(fits && error.is_transient(), "{step:?} {fault:?}: {error}");
            assert_eq!(
                files_below(home.path()),
                ["tidemark.json"],
                "{step:?} {fault:?}"
            );
            dest.put("a/b/object", b"bytes").unwrap();
            dest.delete("a/b/object").unwrap();
        }
    }
    faults.fail_while(Step::Write, Fault::Full);
    let mut writer = dest.create("a/stream").unwrap();
    let error = writer.write_all(&[1; 1000]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let error = StorageError::from_io("write", "a/stream", error);
    assert!(
        matches!(
            error,
            StorageError::Full {
                needed: Some(1000),
                ..
            }
        ),
        "{error}"
    );
    assert!(
        writer.finish().is_err(),
        "a writer that failed once publishes nothing"
    );
    faults.clear();
    assert_eq!(files_below(home.path()), ["tidemark.json"]);
    assert!(faults.count(Step::Write) > 18);
}

#[test]
fn a_failed_replacement_keeps_the_earlier_object() {
    let (_home, clean) = on_disk();
    let faults = Faults::new();
    let dest = clean.with_faults(&faults);
    dest.put("checkpoint.json", b"earlier").unwrap();
    for step in [Step::Write, Step::Sync, Step::Publish] {
        faults.fail_nth(step, 1, Fault::Io);
        dest.replace("checkpoint.json", b"later").unwrap_err();
        assert_eq!(dest.get("checkpoint.json").unwrap(), b"earlier");
    }
}

#[test]
fn a_destination_is_prepared_once_and_known_again() {
    let (home, dest) = on_disk();
    let path = home.path().join("backups");
    let again = Dest::open_dir(&path, Scn(NOW.0 + 1)).unwrap();
    assert_eq!(again.uuid(), dest.uuid());
    assert_eq!(again.display(), path.display().to_string());
    let identity: serde_json::Value =
        serde_json::from_slice(&fs::read(path.join("tidemark.json")).unwrap()).unwrap();
    assert_eq!(identity["format"], 1);
    assert_eq!(identity["uuid"], dest.uuid().to_string());

    let fresh_disk = home.path().join("disk");
    fs::create_dir_all(fresh_disk.join("lost+found")).unwrap();
    let on_disk = Dest::open_dir(&fresh_disk, NOW).unwrap();
    assert_eq!(on_disk.list("").unwrap(), []);
    assert_eq!(on_disk.list_dirs("").unwrap(), Vec::<String>::new());
    assert!(on_disk.free_bytes().unwrap().is_some_and(|free| free > 0));
}

#[test]
fn what_is_no_destination_is_refused_and_left_alone() {
    let home = TempDir::new().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("photos")).unwrap();
    fs::write(path("photos").join("cat.jpg"), b"cat").unwrap();
    fs::write(path("file"), b"").unwrap();
    fs::create_dir(path("newer")).unwrap();
    fs::write(
        path("newer").join("tidemark.json"),
        br#"{"format": 2, "id": 7}"#,
    )
    .unwrap();
    fs::create_dir(path("torn")).unwrap();
    fs::write(path("torn").join("tidemark.json"), b"{\"form").unwrap();

    let refusals = [
        (
            "photos",
            "not empty and not made by Tidemark (it holds \"cat.jpg\")",
        ),
        ("file", "not a directory"),
        ("newer", "format 2"),
        ("torn", "damaged"),
        ("no/such", "does not exist"),
        ("file/below", "not a directory"),
    ];
    for (name, text) in refusals {
        let error = Dest::open_dir(&path(name), NOW).unwrap_err().to_string();
        assert!(
            error.contains(text) && error.contains(&*path("").to_string_lossy()),
            "{name}: {error}"
        );
    }
    assert_eq!(files_below(&path("photos")), ["cat.jpg"]);
    assert!(!path("no").exists());
}

#[test]
fn a_destination_that_went_away_is_never_written_or_believed_empty() {
    let (home, dest) = on_disk();
    let path = home.path().join("backups");
    let aside = home.path().join("aside");
    dest.put("t/a", b"1").unwrap();
    fs::rename(&path, &aside).unwrap();

    let missing = |error: StorageError| {
        assert!(
            matches!(error, StorageError::Missing { .. }) && error.is_transient(),
            "{error}"
        );
    };
    missing(dest.check().unwrap_err());
    missing(dest.put("t/b", b"2").unwrap_err());
    missing(dest.get("t/a").unwrap_err());
    missing(dest.list("t").unwrap_err());
    assert!(!path.exists(), "a missing destination is not made anew");

    let swapped = |error: StorageError| {
        assert!(
            matches!(error, StorageError::Swapped { .. }) && error.is_transient(),
            "{error}"
        );
    };
    fs::create_dir(&path).unwrap();
    swapped(dest.check().unwrap_err());
    swapped(dest.put("t/b", b"2").unwrap_err());
    swapped(dest.get("t/a").unwrap_err());
    swapped(dest.list("t").unwrap_err());
    swapped(dest.delete_prefix("t").unwrap_err());
    assert_eq!(files_below(&path), Vec::<String>::new());
    Dest::open_dir(&path, NOW).unwrap();
    swapped(dest.put("t/b", b"2").unwrap_err());
    assert_eq!(files_below(&path), ["tidemark.json"]);

    fs::remove_dir_all(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    dest.put("t/b", b"2").unwrap();
    assert_eq!(keys(&dest.list("").unwrap()), ["t/a", "t/b"]);
}

#[test]
fn unfinished_work_of_a_dead_process_is_invisible_and_swept() {
    let (home, dest) = on_disk();
    let path = home.path().join("backups");
    dest.put("t/data/1/pages", b"p").unwrap();
    dest.put("u/x", b"x").unwrap();
    let dead = "0b0e7d3e-3f0a-4a9b-8a43-08a2a9a6f3a1";
    fs::write(path.join(format!("t/data/1/.set.json.tmp-{dead}")), b"half").unwrap();
    fs::create_dir(path.join(format!("t/data/.2.tmp-{dead}"))).unwrap();
    fs::write(path.join(format!("t/data/.2.tmp-{dead}/pages")), b"half").unwrap();
    fs::write(path.join(format!("u/.y.tmp-{dead}")), b"half").unwrap();

    assert_eq!(keys(&dest.list("").unwrap()), ["t/data/1/pages", "u/x"]);
    assert_eq!(dest.list_dirs("t/data").unwrap(), ["1"]);
    assert_eq!(dest.remove_stale_temps("t").unwrap(), 2);
    assert_eq!(dest.remove_stale_temps("t").unwrap(), 0);
    assert_eq!(dest.remove_stale_temps("none").unwrap(), 0);
    assert_eq!(
        files_below(&path),
        [&format!(".y.tmp-{dead}"), "pages", "tidemark.json", "x"]
    );
}

#[test]
fn a_full_disk_is_told_with_what_is_needed() {
    let error = StorageError::Full {
        operation: "write",
        what: "/backups/set".to_owned(),
        needed: Some(2_000_000_000),
        free: Some(412_000),
    };
    let text = error.to_string().replace('\u{a0}', " ");
    assert_eq!(
        text,
        "write /backups/set: the destination is full (2.00 GB needed, 412 KB free); free some space there"
    );
}

#[test]
fn opening_what_is_prepared_writes_nothing_and_never_prepares() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("backups");
    let missing = Dest::open_existing(&path).unwrap_err();
    assert!(matches!(missing, StorageError::Missing { .. }), "{missing}");
    fs::create_dir(&path).unwrap();
    let empty = Dest::open_existing(&path).unwrap_err();
    assert!(matches!(empty, StorageError::Swapped { .. }), "{empty}");
    assert!(files_below(&path).is_empty());

    let prepared = Dest::open_dir(&path, NOW).unwrap();
    prepared.put("c/t/a", b"one").unwrap();
    // A medium that is read-only has to be good enough to read from: the directory is not touched.
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    let directory = fs::File::open(&path).unwrap();
    directory.set_modified(long_ago).unwrap();
    for again in [
        Dest::open_dir(&path, NOW).unwrap(),
        Dest::open_existing(&path).unwrap(),
    ] {
        assert_eq!(again.uuid(), prepared.uuid());
        assert_eq!(again.get("c/t/a").unwrap(), b"one");
    }
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);
}

#[test]
fn whether_a_destination_can_be_written_is_told_on_request() {
    let (home, dest) = on_disk();
    dest.check_writable().unwrap();
    let faults = Faults::new();
    faults.fail_while(Step::Create, Fault::ReadOnly);
    let error = dest.with_faults(&faults).check_writable().unwrap_err();
    assert!(matches!(error, StorageError::ReadOnly { .. }), "{error}");
    assert_eq!(files_below(&home.path().join("backups")), ["tidemark.json"]);
}
