//! The test of a storage: every step that a backup needs, tried on a probe object and told one by one.
//!
//! Everything happens in a hidden directory of its own name, below the directory that is tested or, where
//! that is still to be made, below its parent. It is removed at the end, however the test ends; what a killed
//! test left is removed by the next one, which knows by a lock that nobody works in it any more.

use crate::{
    Faults, Step, StorageError,
    dest::identity_at,
    file::{Directory, Existing, capacity, sync_directory},
    mounts,
};
use domain::{
    Scn,
    clock::Clock,
    scn::NS_PER_SECOND,
    size,
    storage::{ProbeReport, ProbeStep},
};
use rustix::fs::{Advice, FlockOperation, fadvise, flock};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use uuid::Uuid;

/// Bytes of the probe object.
const OBJECT_BYTES: usize = 256 << 10;
/// Key of the probe object.
const OBJECT: &str = "object/probe.bin";
/// Begin of the name of a test's directory.
const ROOM: &str = ".storage-test.tmp-";
/// File in it that a running test holds locked.
const LOCK: &str = "running";
/// Most remains that one test removes.
const REMAINS_MAX: usize = 100;

/// Tests whether `dir` can be a destination, or can go on being one. Leaves nothing behind.
pub fn probe(dir: &Path, clock: &dyn Clock) -> ProbeReport {
    probe_with_faults(dir, clock, &Faults::new())
}

/// [`probe`] with faults on order, for tests.
pub fn probe_with_faults(dir: &Path, clock: &dyn Clock, faults: &Faults) -> ProbeReport {
    let mut probe = Probe {
        dir,
        clock,
        faults,
        report: ProbeReport::default(),
    };
    // A failed step is in the report already.
    let _ = probe.run();
    probe.report
}

/// A step failed and the report says so.
struct Failed;

struct Probe<'a> {
    dir: &'a Path,
    clock: &'a dyn Clock,
    faults: &'a Faults,
    report: ProbeReport,
}

impl Probe<'_> {
    fn run(&mut self) -> Result<(), Failed> {
        let dir = self.dir;
        let faults = self.faults;
        let now = self.clock.now();
        let base = self.step("Reach the directory", || {
            faults.pass(Step::Check).map_err(|e| explain(dir, &e))?;
            reach(dir)
        })?;
        if base == dir {
            self.step("See that it is a directory", || is_directory(dir))?;
            let identity = self.step("Look at what is in it", || contents(dir))?;
            self.report.empty = identity.is_none();
            self.report.identity = identity.map(|uuid| uuid.to_string());
        } else {
            self.step("See that it can be made", || is_directory(&base))?;
            self.report.empty = true;
        }
        let room = self.step("Create a directory in it", || {
            faults.pass(Step::Create).map_err(|e| explain(&base, &e))?;
            Room::make(&base, now).map_err(|e| explain(&base, &e))
        })?;
        self.object(&base, room)?;
        if let Ok(space) = capacity(&base) {
            self.report.total_bytes = Some(space.total_bytes);
            self.report.free_bytes = Some(space.free_bytes);
        }
        Ok(())
    }

    fn object(&mut self, base: &Path, room: Room) -> Result<(), Failed> {
        let faults = self.faults;
        let failed = |error: io::Error| explain(base, &error);
        let directory = Directory {
            root: room.path.clone(),
        };
        let content = content();
        let (file, temp) = self.step("Write a probe object", || {
            let (mut file, temp) = directory.create_temp(OBJECT).map_err(failed)?;
            faults.pass(Step::Write).map_err(failed)?;
            file.write_all(&content).map_err(failed)?;
            Ok((file, temp))
        })?;
        self.step("Make it durable under its name", || {
            faults.pass(Step::Sync).map_err(failed)?;
            file.sync_data().map_err(failed)?;
            faults.pass(Step::Publish).map_err(failed)?;
            directory
                .publish(&temp, OBJECT, Existing::Keep)
                .map_err(failed)?;
            faults.pass(Step::SyncDirectory).map_err(failed)?;
            directory.sync_parent(OBJECT).map_err(failed)
        })?;
        // The answer should come from the storage and not from memory, where that can be asked for.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        drop(file);
        let read = self.step("Read it back", || {
            faults.pass(Step::Read).map_err(failed)?;
            fs::read(directory.path(OBJECT)).map_err(failed)
        })?;
        self.step("Compare it", || match read == content {
            true => Ok(()),
            false => Err(format!(
                "{}: what was read back is not what was written; the storage is not reliable, do \
                 not use it before its disk, memory and connection were checked",
                base.display()
            )),
        })?;
        self.step("List it", || {
            faults.pass(Step::List).map_err(failed)?;
            let listed = directory.list("object").map_err(failed)?;
            match listed.as_slice() {
                [(key, size)] if key == OBJECT && *size == OBJECT_BYTES as u64 => Ok(()),
                other => Err(format!(
                    "{}: the probe object is listed as {other:?} after it was written; a storage \
                     that shows its files late or wrongly cannot hold backups",
                    base.display()
                )),
            }
        })?;
        self.step("Delete it", || {
            faults.pass(Step::Delete).map_err(failed)?;
            directory.delete(OBJECT).map_err(failed)?;
            match directory.list("object").map_err(failed)?.is_empty() {
                true => room.remove().map_err(failed),
                false => Err(format!(
                    "{}: the probe object is still listed after it was deleted; a storage that \
                     shows its files wrongly cannot hold backups",
                    base.display()
                )),
            }
        })
    }

    fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, Failed> {
        let began = self.clock.now();
        let done = work();
        let took_ms = self.clock.now().since_ns(began) / 1_000_000;
        let (done, failure) = match done {
            Ok(value) => (Ok(value), None),
            Err(failure) => (Err(Failed), Some(failure)),
        };
        self.report.steps.push(ProbeStep {
            name: name.to_owned(),
            failure,
            took_ms,
        });
        done
    }
}

/// Bytes that no file system folds into nothing, the same at every test.
fn content() -> Vec<u8> {
    let mut content = vec![0; OBJECT_BYTES];
    blake3::Hasher::new_derive_key("tidemark storage test")
        .finalize_xof()
        .fill(&mut content);
    content
}

/// The directory to work in: `dir`, or its parent where it is still to be made.
fn reach(dir: &Path) -> Result<PathBuf, String> {
    let shown = dir.display();
    if !dir.is_absolute() {
        return Err(format!(
            "{shown}: give the directory with its whole path, beginning with /"
        ));
    }
    let error = match fs::metadata(dir) {
        Ok(_) => return not_without_mount(dir).map(|()| dir.to_owned()),
        Err(error) => error,
    };
    let parent = dir.parent().unwrap_or(dir);
    if error.kind() != io::ErrorKind::NotFound {
        return Err(explain(dir, &error));
    }
    if fs::symlink_metadata(dir).is_ok() {
        return Err(format!(
            "{shown}: it is a link to something that does not exist; make what it leads to, or \
             give another directory"
        ));
    }
    not_without_mount(dir)?;
    match fs::metadata(parent) {
        Ok(_) => Ok(parent.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let existing = dir.ancestors().find(|path| path.exists());
            let existing = existing.unwrap_or(Path::new("/")).display();
            Err(format!(
                "{shown}: {} does not exist (the way there ends at {existing}); create it, or \
                 mount the disk it is on",
                parent.display()
            ))
        }
        Err(error) => Err(explain(parent, &error)),
    }
}

/// Without its mount a directory would be written on another disk.
fn not_without_mount(dir: &Path) -> Result<(), String> {
    match mounts::missing_mount(dir) {
        None => Ok(()),
        Some(point) => Err(format!(
            "{}: nothing is mounted at {} although /etc/fstab names it; mount it first",
            dir.display(),
            point.display()
        )),
    }
}

fn is_directory(dir: &Path) -> Result<(), String> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(format!(
            "{}: it is not a directory; give the path of a directory",
            dir.display()
        )),
        Err(error) => Err(explain(dir, &error)),
    }
}

/// The destination that is there; `None` for an empty directory, and a failure for anything else.
fn contents(dir: &Path) -> Result<Option<Uuid>, String> {
    const OPERATION: &str = "look at";
    match identity_at(dir) {
        Ok(Some(found)) => return Ok(Some(found)),
        Ok(None) => {}
        Err(StorageError::Io { cause, .. }) => return Err(explain(dir, &cause)),
        Err(error) => return Err(error.to_string()),
    }
    let directory = Directory {
        root: dir.to_owned(),
    };
    match directory.anything().map_err(|e| explain(dir, &e))? {
        None => Ok(None),
        Some(found) => Err(StorageError::ForeignContents {
            operation: OPERATION,
            what: dir.display().to_string(),
            found,
        }
        .to_string()),
    }
}

/// What the system's answer means for whoever sets the storage up, and what to do.
fn explain(path: &Path, error: &io::Error) -> String {
    use rustix::io::Errno;
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let (place, rights) = barrier(path);
            format!(
                "{shown}: the account {} that runs Tidemark has no right to do this in {} ({rights}); \
                 let it read, write and enter that directory, for example with chown or chmod",
                mounts::own_account(),
                place.display()
            )
        }
        io::ErrorKind::ReadOnlyFilesystem => format!(
            "{shown}: its file system is mounted read-only; remount it writable, or look into the \
             system's log whether its disk has failed"
        ),
        io::ErrorKind::StorageFull => format!(
            "{shown}: no space is left{}; free some space there, or give another directory",
            capacity(path).map_or_else(
                |_| String::new(),
                |space| format!(
                    " ({} of {} free)",
                    size::bytes(space.free_bytes),
                    size::bytes(space.total_bytes)
                )
            )
        ),
        io::ErrorKind::QuotaExceeded => format!(
            "{shown}: the quota of the account {} is used up; raise it, or give another directory",
            mounts::own_account()
        ),
        io::ErrorKind::NotADirectory => format!(
            "{shown}: something on the way there is not a directory; give the path of a directory"
        ),
        io::ErrorKind::NotFound => {
            format!("{shown}: it went away during the test; see whether its disk is mounted")
        }
        _ if [
            Some(Errno::STALE),
            Some(Errno::NOTCONN),
            Some(Errno::TIMEDOUT),
        ]
        .contains(&Errno::from_io_error(error)) =>
        {
            format!(
                "{shown}: its file server does not answer ({error}); check the connection, then mount it again"
            )
        }
        _ => format!("{shown}: {error}; check the disk or the connection to it"),
    }
}

/// The first directory on the way whose inside cannot be seen, else the last one, with its rights.
fn barrier(path: &Path) -> (PathBuf, String) {
    let mut way: Vec<&Path> = path.ancestors().collect();
    way.reverse();
    let closed = |at: &&&Path| fs::metadata(at).is_err();
    let before = way.iter().position(|at| closed(&at)).unwrap_or(way.len());
    let place = way.get(before.saturating_sub(1)).copied().unwrap_or(path);
    let rights = mounts::rights(place).unwrap_or_else(|| "its rights cannot be seen".to_owned());
    (place.to_owned(), rights)
}

/// The directory of one test, gone when dropped.
struct Room {
    path: PathBuf,
    /// Held locked as long as the test runs.
    _lock: File,
}

impl Room {
    fn make(base: &Path, now: Scn) -> io::Result<Room> {
        clear_remains(base, now);
        let path = base.join(format!("{ROOM}{}", Uuid::new_v4()));
        fs::create_dir(&path)?;
        // From here on nothing of it stays, whatever fails.
        let made = File::create(path.join(LOCK)).inspect_err(|_| {
            let _ = fs::remove_dir_all(&path);
        })?;
        // Where locks do not exist, remains stay hidden and harmless.
        let _ = flock(&made, FlockOperation::NonBlockingLockExclusive);
        Ok(Room { path, _lock: made })
    }

    fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)?;
        sync_directory(self.path.parent().unwrap_or(&self.path))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what tests that were killed left in `base`; best effort, as the test itself tells what is wrong.
fn clear_remains(base: &Path, now: Scn) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    let is_room = |name: &OsStr| name.to_string_lossy().starts_with(ROOM);
    let rooms = entries.flatten().filter(|it| is_room(&it.file_name()));
    for room in rooms.take(REMAINS_MAX) {
        let path = room.path();
        let abandoned = match File::options().write(true).open(path.join(LOCK)) {
            Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
            // One that is just being made has no lock yet.
            Err(_) => is_old(&room, now),
        };
        if abandoned {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Whether a directory is older than any that is just being made.
fn is_old(room: &fs::DirEntry, now: Scn) -> bool {
    const OLD_NS: u64 = 600 * NS_PER_SECOND;
    let made = room.metadata().and_then(|found| found.modified()).ok();
    let made = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    made.is_some_and(|made| now.since_ns(Scn(made.as_secs() * NS_PER_SECOND)) > OLD_NS)
}
