//! Recovery: a data file rebuilt from sets and log as of a moment, and proven by its digest.
//!
//! Every page is written once: the log is walked from its end, then the incremental sets from the
//! newest, then the full one, and what a later source wrote is skipped in earlier ones. The digest
//! of what was written must be the one the log recorded for the target commit.

use crate::{
    choice::Choice,
    commit::{Commit, Source, absent_at},
    history::SegmentInfo,
    job::{Canceled, Job},
    keys::TenantKeys,
    output::Output,
    page_map::is_lock_byte_page,
    segment::{Segment, SegmentError},
    set::{Chunk, Pack, SetManifest, Unpacker},
};
use domain::{
    BackupSetId, Scn,
    backup::BackupKind,
    recoverable,
    recovery::{PlannedSet, Precision, RecoveryPlan, RecoveryProof},
    second_backup::Place,
};
use std::{path::Path, sync::mpsc, thread};
use storage::{Dest, StorageError};

/// Threads that decompress and write.
const WORKERS: usize = 2;
/// Why a recovery is refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoveryError {
    #[error("{until} cannot be recovered{}", recoverable::nearest(*.before, *.after))]
    NotRecoverable {
        until: Scn,
        before: Option<Scn>,
        after: Option<Scn>,
    },
    #[error("{source}. The last moment that can be recovered exactly before it is {last}")]
    DamagedLog {
        source: SegmentError,
        key: String,
        last: Scn,
    },
    #[error("{source}. Start the recovery again: it uses an earlier set, if there is one")]
    DamagedSet { source: StorageError, set: i64 },
    #[error(
        "log file {file} does not follow the one before it. The last moment that can be recovered exactly before it is {last}"
    )]
    BrokenLog {
        file: String,
        key: String,
        last: Scn,
    },
    #[error(
        "log file {file} does not pass through the state that backup set {set} holds. Start the recovery again: it uses \
         an earlier set, if there is one"
    )]
    NotOfThisLog { file: String, set: i64 },
    #[error(
        "the pages recovered from backup set {set} do not prove equal to the source: the log recorded digest {expected}, \
         they have {computed}. Nothing was published. Start the recovery again: it uses an earlier set, if there is one"
    )]
    NotProven {
        set: i64,
        expected: String,
        computed: String,
    },
    #[error(
        "page {page} is neither in backup set {set}, nor in those it builds on, nor in the log. Start the recovery again: \
         it uses an earlier set, if there is one"
    )]
    PageMissing { set: i64, page: u32 },
    #[error("SQLite's own check of the recovered file answered: {0}")]
    NotSound(String),
    #[error("no second destination is used; turn second backup on, or recover from the first copy")]
    NoSecond,
    #[error("{first}. The second copy does not do either: {second}")]
    Neither {
        first: Box<RecoveryError>,
        second: Box<RecoveryError>,
    },
    #[error("{0}")]
    Canceled(#[from] Canceled),
    #[error("writing {path}: {source}")]
    Write {
        path: String,
        source: std::io::Error,
    },
    #[error("checking the recovered file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RecoveryError {
    /// Whether it says something about the copy of the backups that was read, so that another may do.
    pub(crate) const fn is_of_backups(&self) -> bool {
        !matches!(
            self,
            RecoveryError::Canceled(_)
                | RecoveryError::Write { .. }
                | RecoveryError::Sqlite(_)
                | RecoveryError::NotSound(_)
        )
    }

    /// Whether the same recovery may succeed later without being changed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            RecoveryError::Storage(error) => error.is_transient(),
            RecoveryError::Neither { first, second } => {
                first.is_transient() || second.is_transient()
            }
            _ => false,
        }
    }
}

/// What is the matter with a log file that did not read. A destination that does not answer says nothing about it.
fn log_error(source: SegmentError, key: &str, last: Scn) -> RecoveryError {
    match source {
        SegmentError::Storage(error) if error.is_transient() => RecoveryError::Storage(error),
        source => RecoveryError::DamagedLog {
            source,
            key: key.to_owned(),
            last,
        },
    }
}

/// A choice with its log opened, checked and found unbroken.
pub(crate) struct Prepared {
    choice: Choice,
    segments: Vec<Segment>,
    /// The state to reach.
    target: Commit,
    /// Where commits are left out: a moment at which the first of them was not committed yet.
    left_out_after: Option<Scn>,
}

/// The log opened so far, and the state it reaches.
struct Opening<'a> {
    dest: &'a Dest,
    tenant: &'a str,
    set: &'a SetManifest,
    txn: u64,
    history: String,
    last_exact: Scn,
}

impl Opening<'_> {
    /// Opens the segment behind the ones before.
    fn next(&mut self, info: &SegmentInfo, is_first: bool) -> Result<Segment, RecoveryError> {
        let segment = Segment::open(self.dest, &info.key)
            .map_err(|source| log_error(source, &info.key, self.last_exact))?;
        let before = &segment.footer.before;
        if segment.footer.tenant != self.tenant || before.round != self.set.head.round {
            return Err(self.broken(info));
        }
        let continues = if is_first && before.txn < self.txn {
            holds_state(&segment, self.set)
        } else {
            before.txn == self.txn && before.history == self.history
        };
        if !continues && is_first && before.txn <= self.txn {
            return Err(RecoveryError::NotOfThisLog {
                file: self.dest.name_of(&info.key),
                set: self.set.set_id,
            });
        }
        if !continues {
            return Err(self.broken(info));
        }
        self.txn = segment.footer.after.txn;
        self.history.clone_from(&segment.footer.after.history);
        self.last_exact = info.name.until;
        Ok(segment)
    }

    fn broken(&self, info: &SegmentInfo) -> RecoveryError {
        RecoveryError::BrokenLog {
            file: self.dest.name_of(&info.key),
            key: info.key.clone(),
            last: self.last_exact,
        }
    }
}

impl Prepared {
    /// Opens and checks the log of `choice`.
    pub(crate) fn open(
        dest: &Dest,
        tenant: &str,
        choice: Choice,
        job: Option<&Job>,
    ) -> Result<Self, RecoveryError> {
        let set = choice.newest();
        let mut opening = Opening {
            dest,
            tenant,
            set,
            txn: set.head.txn,
            history: set.head.history.clone(),
            last_exact: set.min_restore_scn,
        };
        let mut segments: Vec<Segment> = Vec::with_capacity(choice.segments.len());
        for info in &choice.segments {
            if let Some(job) = job {
                job.check()?;
            }
            segments.push(opening.next(info, segments.is_empty())?);
        }
        let target = target(set, &segments, choice.until);
        let left_out_after = left_out_after(dest, &choice, &segments, target.txn)?;
        Ok(Prepared {
            choice,
            segments,
            target,
            left_out_after,
        })
    }

    /// What the recovery reads and reaches, for people.
    pub(crate) fn plan(&self, place: Place) -> RecoveryPlan {
        let set = self.choice.newest();
        RecoveryPlan {
            until: self.choice.until,
            place,
            sets: self.choice.chain.iter().map(planned).collect(),
            round: set.head.round,
            log_from: set.min_restore_scn,
            log_files: self.segments.len() as u32,
            log_bytes: self.segments.iter().map(|segment| segment.bytes).sum(),
            commits: self.target.txn - set.head.txn,
            target_scn: self.target.scn,
            precision: self.precision(),
            result_bytes: u64::from(self.target.db_pages) * u64::from(set.page_size),
            estimate_ms: None,
            steps: Vec::new(),
        }
    }

    /// What another program commits counts from when it was seen, so the first commit that is left out may
    /// have been there before `until`.
    fn precision(&self) -> Precision {
        match self.left_out_after {
            Some(after) if after < self.choice.until => Precision::Within { after },
            _ => Precision::Exact,
        }
    }

    /// Writes the recovered state to `path`, which must not exist, and proves it.
    pub(crate) fn write(
        &self,
        dest: &Dest,
        keys: &TenantKeys,
        path: &Path,
        job: &Job,
    ) -> Result<RecoveryProof, RecoveryError> {
        let page_size = self.choice.newest().page_size;
        let output = Output::create(path, page_size, self.target.db_pages)?;
        let (work_done, waiting) = mpsc::channel();
        let proven = thread::scope(|scope| {
            let syncing = scope.spawn(|| output.sync_while(waiting));
            let proven = self.fill(dest, keys, &output, job);
            drop(work_done);
            let computed_digest = proven?;
            job.phase("Checking", 0);
            let quick_check = output.check(job)?;
            if quick_check != "ok" {
                return Err(RecoveryError::NotSound(quick_check));
            }
            syncing.join().expect("invariant: syncing does not panic")?;
            Ok(RecoveryProof {
                expected_digest: format!("{:032x}", self.target.digest),
                computed_digest,
                target_scn: self.target.scn,
                pages: u64::from(self.target.db_pages),
                quick_check,
            })
        });
        if proven.is_err() {
            // Another copy may be read into the same place; what stays is removed with the whole directory.
            let _ = std::fs::remove_file(path);
        }
        proven
    }

    /// Writes every page and gives their digest, which is the one that the log recorded.
    fn fill(
        &self,
        dest: &Dest,
        keys: &TenantKeys,
        output: &Output,
        job: &Job,
    ) -> Result<String, RecoveryError> {
        let mut claimed = vec![false; self.target.db_pages as usize + 1];
        self.replay(output, &mut claimed, job)?;
        self.restore(dest, keys, output, &mut claimed, job)?;
        let missing = (1..=self.target.db_pages)
            .find(|page| !claimed[*page as usize] && !is_lock_byte_page(output.page_size, *page));
        if let Some(page) = missing {
            return Err(RecoveryError::PageMissing {
                set: self.choice.newest().set_id,
                page,
            });
        }
        let computed = output.digest();
        if computed == self.target.digest {
            return Ok(format!("{computed:032x}"));
        }
        Err(RecoveryError::NotProven {
            set: self.choice.newest().set_id,
            expected: format!("{:032x}", self.target.digest),
            computed: format!("{computed:032x}"),
        })
    }

    /// Writes the last version of every page that the log has.
    fn replay(
        &self,
        output: &Output,
        claimed: &mut [bool],
        job: &Job,
    ) -> Result<(), RecoveryError> {
        let from = self.choice.newest().head.txn;
        let wanted = self.last_versions(from, claimed);
        let pages: u64 = wanted.iter().map(|frames| frames.len() as u64).sum();
        job.phase("Replaying logs", pages * u64::from(output.page_size));
        for (segment, frames) in self.segments.iter().zip(&wanted) {
            job.check()?;
            let written = segment.frames(
                |number| frames.binary_search(&number).is_ok(),
                |_, page, data| {
                    output.write_page(page, data).map_err(Replaying::Output)?;
                    job.advance(data.len() as u64);
                    Ok(())
                },
            );
            written.map_err(|error| match error {
                Replaying::Output(error) => error,
                Replaying::Log(source) => {
                    log_error(source, &segment.key, segment.footer.before.scn)
                }
            })?;
        }
        Ok(())
    }

    /// For each segment, ascending, the frames that hold the final version of a page.
    fn last_versions(&self, from_txn: u64, claimed: &mut [bool]) -> Vec<Vec<usize>> {
        let mut wanted: Vec<Vec<usize>> = Vec::with_capacity(self.segments.len());
        for segment in self.segments.iter().rev() {
            let mut frames = Vec::new();
            let mut end = segment.pages.len();
            for commit in segment.commits.iter().rev() {
                let start = end - commit.frames as usize;
                if commit.txn > from_txn && commit.txn <= self.target.txn {
                    for number in (start..end).rev() {
                        let page = segment.pages[number];
                        if page <= self.target.db_pages
                            && !std::mem::replace(&mut claimed[page as usize], true)
                        {
                            frames.push(number);
                        }
                    }
                }
                end = start;
            }
            frames.reverse();
            wanted.push(frames);
        }
        wanted.reverse();
        wanted
    }

    /// Writes all pages that are not claimed yet from the sets, newest first.
    fn restore(
        &self,
        dest: &Dest,
        keys: &TenantKeys,
        output: &Output,
        claimed: &mut [bool],
        job: &Job,
    ) -> Result<(), RecoveryError> {
        let total = u64::from(self.target.db_pages) * u64::from(output.page_size);
        job.phase("Restoring data", total);
        for set in self.choice.chain.iter().rev() {
            let damaged = |source: StorageError| {
                if source.is_transient() {
                    RecoveryError::Storage(source)
                } else {
                    RecoveryError::DamagedSet {
                        source,
                        set: set.set_id,
                    }
                }
            };
            let prefix = keys.set(&set.directory);
            for file in set.files.iter().filter(|file| file.name.ends_with(".pack")) {
                let pack = Pack::open(dest, format!("{prefix}/{}", file.name), set.page_size)
                    .map_err(damaged)?;
                let chunks = claim(&pack, claimed, self.target.db_pages);
                restore_chunks(&pack, &chunks, output, job, &damaged)?;
            }
        }
        Ok(())
    }
}

/// What ended the replay of a log file: the file itself, or writing what it holds.
enum Replaying {
    Log(SegmentError),
    Output(RecoveryError),
}

impl From<SegmentError> for Replaying {
    fn from(error: SegmentError) -> Self {
        Replaying::Log(error)
    }
}

/// Chunks of `pack` that still have pages to give, each with those pages' places in it.
fn claim<'a>(pack: &'a Pack, claimed: &mut [bool], db_pages: u32) -> Vec<(&'a Chunk, Vec<usize>)> {
    let mut chunks = Vec::new();
    for chunk in &pack.chunks {
        let places: Vec<usize> = (0..chunk.pages.len())
            .filter(|place| {
                let page = chunk.pages[*place];
                page <= db_pages && !std::mem::replace(&mut claimed[page as usize], true)
            })
            .collect();
        if !places.is_empty() {
            chunks.push((chunk, places));
        }
    }
    chunks
}

fn restore_chunks(
    pack: &Pack,
    chunks: &[(&Chunk, Vec<usize>)],
    output: &Output,
    job: &Job,
    damaged: &(impl Fn(StorageError) -> RecoveryError + Sync),
) -> Result<(), RecoveryError> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || -> Result<(), RecoveryError> {
        let mut unpacker = Unpacker::new()?;
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some((chunk, places)) = chunks.get(index) else {
                return Ok(());
            };
            job.check()?;
            let bytes = unpacker.read(pack, chunk).map_err(damaged)?;
            output.write_run(chunk, places, bytes)?;
            job.advance(places.len() as u64 * u64::from(output.page_size));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("invariant: workers do not panic"))
    })
}

fn planned(set: &SetManifest) -> PlannedSet {
    PlannedSet {
        id: BackupSetId(set.set_id),
        kind: if set.base_set_id.is_some() {
            BackupKind::Incremental
        } else {
            BackupKind::Full
        },
        taken: set.min_restore_scn,
        stored_bytes: set.bytes_stored,
    }
}

/// Whether `segment` passes through exactly the state that `set` holds.
fn holds_state(segment: &Segment, set: &SetManifest) -> bool {
    segment
        .commits
        .iter()
        .any(|commit| commit.txn == set.head.txn && commit.digest == set.head.digest)
}

/// The last commit at or before `until`: of the log, or else the state of the set itself.
fn target(set: &SetManifest, segments: &[Segment], until: Scn) -> Commit {
    let own = Commit {
        txn: set.head.txn,
        scn: set.head.scn,
        after: set.head.after,
        source: if set.head.after == set.head.scn {
            Source::Engine
        } else {
            Source::Guest
        },
        frames: 0,
        db_pages: set.head.db_pages,
        digest: set.head.digest,
    };
    let later = segments
        .iter()
        .flat_map(|segment| &segment.commits)
        .filter(|commit| commit.txn > set.head.txn && commit.scn <= until)
        .max_by_key(|commit| commit.txn);
    later.copied().unwrap_or(own)
}

/// A moment at which the first commit behind `target` was not there yet; `None` when nothing was left
/// out that could have been committed by then.
fn left_out_after(
    dest: &Dest,
    choice: &Choice,
    segments: &[Segment],
    target: u64,
) -> Result<Option<Scn>, RecoveryError> {
    let follower = |segment: &Segment| absent_at(&segment.commits, target);
    if let Some(after) = segments.iter().find_map(follower) {
        return Ok(Some(after));
    }
    let known = segments.last().map(|last| last.footer.checkpoint);
    let complete = known.unwrap_or(choice.newest().min_restore_scn);
    let Some(next) = choice.next.as_ref().filter(|_| complete < choice.until) else {
        return Ok(None);
    };
    match Segment::open(dest, &next.key) {
        Ok(segment) => Ok(follower(&segment)),
        Err(SegmentError::Storage(error)) if error.is_transient() => Err(error.into()),
        // Nothing of it is needed, only when it began is not known exactly.
        Err(_) => Ok(Some(complete)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_does_not_answer_says_nothing_about_a_log_file() {
        let error = |kind: std::io::ErrorKind| {
            SegmentError::Storage(StorageError::from_io("read", "a.seg", kind.into()))
        };
        let away = log_error(error(std::io::ErrorKind::TimedOut), "a.seg", Scn(1));
        assert!(matches!(away, RecoveryError::Storage(_)), "{away}");
        let gone = log_error(error(std::io::ErrorKind::NotFound), "a.seg", Scn(1));
        assert!(matches!(gone, RecoveryError::DamagedLog { .. }), "{gone}");
    }
}
