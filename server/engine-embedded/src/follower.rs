//! The follower: copies every commit out of a tenant's write-ahead log, and none that never was.
//!
//! Three rules make it complete and truthful while any program writes to the tenant:
//! 1. two readers walk, and their transactions overlap, so the log is never restarted between two
//!    looks at it (but for `aside`, which proves that none was missed);
//! 2. hold the new place, copy the log, then let the old place go, in that order;
//! 3. only frames published in the wal-index are copied, never "whatever verifies in the file".

use crate::{
    aside::{Aside, wait_for_checkpoint},
    commit::{Commit, Head, LogPosition, Source, extend_history},
    files::{TenantConnection, TenantFiles},
    footing::Footing,
    page_map::PageMap,
    snapshot::{Snapshot, SnapshotError, begin_read, end_read},
    staging::Staging,
    stamp::{Stamps, assign},
    wal::{FRAME_HEADER_BYTES, FrameHeader, WAL_HEADER_BYTES, WalHeader, WordOrder, follows},
    wal_index::{self, Published},
};
use domain::Scn;
use rusqlite::ErrorCode;
use std::{fs::File, io, os::unix::fs::FileExt, path::Path, sync::Arc};

/// Frames read at once: 1 MiB with pages of 4 KiB.
const FRAMES_AT_ONCE: usize = 256;
/// Tries to meet a moment without commits before a snapshot asks writers to wait.
const SNAPSHOT_TRIES_MAX: u32 = 20;
/// How long a snapshot waits for the write lock when writers never pause; longer would be felt by them.
const BARRIER_WAIT: std::time::Duration = std::time::Duration::from_millis(25);

/// Why the log cannot be followed further.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum FollowError {
    /// The log is not what SQLite published: its continuity is lost.
    #[error("{0}")]
    Damaged(String),
    /// The data file is another one now.
    #[error("{0}")]
    Replaced(String),
    /// Something else failed; the log itself may be sound.
    #[error("{0}")]
    Failed(String),
}

impl From<rusqlite::Error> for FollowError {
    fn from(error: rusqlite::Error) -> Self {
        FollowError::Failed(format!("reading the tenant: {error}"))
    }
}

impl From<io::Error> for FollowError {
    fn from(error: io::Error) -> Self {
        FollowError::Failed(format!("copying the log: {error}"))
    }
}

impl From<SnapshotError> for FollowError {
    fn from(error: SnapshotError) -> Self {
        FollowError::Failed(error.to_string())
    }
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSnapshot {
    /// Writers left no moment for it; the next may be one.
    #[error(
        "the tenant is written to without any pause; try again when fewer programs write to it"
    )]
    Busy,
    /// It failed by itself; the log can be followed as before.
    #[error("{0}")]
    Failed(String),
    /// The log cannot be followed further.
    #[error("{0}")]
    Broken(#[from] FollowError),
}

impl From<SnapshotError> for NoSnapshot {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Busy => NoSnapshot::Busy,
            SnapshotError::Sqlite(error) => error.into(),
            error => NoSnapshot::Failed(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for NoSnapshot {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => NoSnapshot::Busy,
            _ => NoSnapshot::Failed(format!("reading the tenant: {error}")),
        }
    }
}

/// What one step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Everything committed at or before it has been copied.
    pub(crate) complete_until: Scn,
    /// Commits copied in this step.
    pub(crate) commits: usize,
    /// Bytes of the log that are not yet in the data file.
    pub(crate) not_backfilled: u64,
    /// Bytes of the log.
    pub(crate) log_bytes: u64,
}

/// Follows the log of one tenant.
pub(crate) struct Follower {
    files: Arc<TenantFiles>,
    readers: [TenantConnection; 2],
    /// Which reader holds the log.
    holding: usize,
    wal: File,
    order: WordOrder,
    position: LogPosition,
    map: PageMap,
    staging: Staging,
    stamps: Arc<Stamps>,
    /// Start of the last step: what it did not see was not committed then.
    unseen: Scn,
    /// Frames that the log we hold had when we took hold of it; it may not begin anew before they are copied.
    owed: u32,
    /// Checkpoints of other programs that we may be keeping waiting.
    aside: Aside,
    /// The first error; the page map cannot be trusted after one.
    broken: Option<FollowError>,
}

impl Follower {
    /// Goes on from `footing`, staging what it copies in `dir` after `head`.
    pub(crate) fn start(
        files: Arc<TenantFiles>,
        footing: Footing,
        head: Head,
        dir: &Path,
        stamps: Arc<Stamps>,
        unseen: Scn,
    ) -> Result<Self, FollowError> {
        let staging = Staging::begin(dir, head, footing.map.page_size())?;
        Ok(Follower {
            files,
            readers: [footing.reader, footing.other],
            holding: 0,
            wal: footing.wal,
            order: footing.order,
            position: footing.position,
            map: footing.map,
            staging,
            stamps,
            unseen,
            owed: footing.owed,
            aside: Aside::default(),
            broken: None,
        })
    }

    pub(crate) fn staging(&mut self) -> &mut Staging {
        &mut self.staging
    }

    pub(crate) fn head(&self) -> &Head {
        self.staging.head()
    }

    /// Copies what was published since the last step; `None` when the wal-index was changing all the time.
    /// After an error every later step fails too.
    pub(crate) fn step(&mut self) -> Result<Option<Step>, FollowError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let stepped = self.walk().and_then(|step| {
            if let Some(step) = &step {
                self.make_way(step)?;
            }
            Ok(step)
        });
        self.broken = stepped.as_ref().err().cloned();
        stepped
    }

    fn walk(&mut self) -> Result<Option<Step>, FollowError> {
        let started = self.stamps.now();
        let next = 1 - self.holding;
        begin_read(&self.readers[next])?;
        let copied = self.copy_published(started);
        if let Ok(Some(_)) = copied {
            end_read(&self.readers[self.holding]);
            self.holding = next;
            self.unseen = started;
        } else {
            end_read(&self.readers[next]);
        }
        copied
    }

    /// Lets a checkpoint of another program through that has been waiting for the place of our readers.
    fn make_way(&mut self, step: &Step) -> Result<(), FollowError> {
        if self.aside.is_due(self.files.shm(), step)? {
            self.let_go();
            wait_for_checkpoint(self.files.shm())?;
            self.take_hold()?;
        }
        Ok(())
    }

    /// Holds the log no more.
    pub(crate) fn let_go(&mut self) {
        end_read(&self.readers[self.holding]);
        self.aside.let_go();
    }

    /// Holds it again; the next step proves that nothing was lost.
    pub(crate) fn take_hold(&mut self) -> Result<(), FollowError> {
        Ok(begin_read(&self.readers[self.holding])?)
    }

    /// Ends, and gives the reader that holds the log where it was copied last.
    pub(crate) fn into_reader(self) -> TenantConnection {
        let [first, second] = self.readers;
        if self.holding == 0 { first } else { second }
    }

    fn copy_published(&mut self, started: Scn) -> Result<Option<Step>, FollowError> {
        let (look, seen) = self.stamps.look(|| wal_index::published(self.files.shm()));
        let Some(published) = look? else {
            return Ok(None);
        };
        if published.salts != self.position.salts {
            // The log began anew. Rule 1 says that all of the old one was copied while we held it, except for
            // what was in the data file already when we took hold of it: a reader cannot keep that.
            if self.position.frame < self.owed {
                return Err(FollowError::Damaged(format!(
                    "the log began anew before its last {} frames, written while log backup did not run, were copied",
                    self.owed - self.position.frame
                )));
            }
            self.position = LogPosition {
                salts: published.salts,
                frame: 0,
                s1: 0,
                s2: 0,
            };
            if published.mx_frame == 0 {
                self.aside.prove(&published, 0)?;
            }
            self.staging.move_log(self.position);
        }
        let mut commits = 0;
        if published.mx_frame > self.position.frame {
            commits = self.copy_frames(&published, seen)?;
        } else if published.mx_frame < self.position.frame {
            let message = format!(
                "the log went back from frame {} to {} without beginning anew",
                self.position.frame, published.mx_frame
            );
            return Err(FollowError::Damaged(message));
        }
        self.owed = published.mx_frame;
        self.aside.looked(&published);
        Ok(Some(Step {
            complete_until: started,
            commits,
            not_backfilled: published.bytes() - published.backfilled_bytes(),
            log_bytes: published.bytes(),
        }))
    }

    fn copy_frames(&mut self, published: &Published, seen: Scn) -> Result<usize, FollowError> {
        let begins = self.position.frame == 0;
        if begins {
            self.begin_log(published)?;
        }
        let drafts = self.read_commits(published)?;
        if begins {
            self.aside.prove(published, drafts.len())?;
        }
        let ends: Vec<u32> = drafts.iter().map(|draft| draft.end.frame).collect();
        let stamps = self.stamps.take(published.salts, &ends);
        let times = assign(&stamps, self.head().scn, self.unseen, seen);
        let mut head = self.head().clone();
        let mut commits = Vec::with_capacity(drafts.len());
        for (draft, time) in drafts.into_iter().zip(times) {
            let commit = Commit {
                txn: head.txn + 1,
                scn: time.at,
                after: time.after,
                source: if time.exact {
                    Source::Engine
                } else {
                    Source::Guest
                },
                frames: draft.content.len() as u32,
                db_pages: draft.db_pages,
                digest: draft.digest,
            };
            head = Head {
                round: head.round,
                txn: commit.txn,
                scn: commit.scn,
                after: commit.after,
                digest: commit.digest,
                db_pages: commit.db_pages,
                history: extend_history(&head.history, &commit, &draft.content),
                log: draft.end,
            };
            commits.push((commit, head.clone()));
        }
        self.staging.append_commits(&commits)?;
        self.stamps.raise(head.scn);
        self.position = head.log;
        Ok(commits.len())
    }

    fn begin_log(&mut self, published: &Published) -> Result<(), FollowError> {
        self.wal = File::open(self.files.wal_path())?;
        let header = read_wal_header(&self.wal)?
            .filter(|header| {
                header.salts == published.salts && header.page_size == published.page_size
            })
            .ok_or_else(|| {
                FollowError::Damaged("the header of the log is not the published one".to_owned())
            })?;
        self.order = header.order;
        (self.position.s1, self.position.s2) = (header.chain.s1, header.chain.s2);
        Ok(())
    }

    /// Reads the published frames behind our position into staging, and what each commit did to the map.
    fn read_commits(&mut self, published: &Published) -> Result<Vec<Draft>, FollowError> {
        let page_size = self.map.page_size();
        if published.page_size != page_size {
            return Err(FollowError::Replaced(format!(
                "the page size changed from {page_size} to {}",
                published.page_size
            )));
        }
        let frame_bytes = FRAME_HEADER_BYTES + page_size as usize;
        let mut chain = self.position.chain();
        let mut at = self.position.frame;
        let mut drafts = Vec::new();
        let mut content: Vec<(u32, u128)> = Vec::new();
        let mut buffer = Vec::new();
        while at < published.mx_frame {
            let count = ((published.mx_frame - at) as usize).min(FRAMES_AT_ONCE);
            buffer.resize(count * frame_bytes, 0);
            self.wal
                .read_exact_at(&mut buffer, frame_offset(at, frame_bytes))
                .map_err(|error| {
                    FollowError::Damaged(format!(
                        "the log ends before its published frame {}: {error}",
                        published.mx_frame
                    ))
                })?;
            let mut pages = Vec::with_capacity(count);
            for frame in buffer.chunks_exact(frame_bytes) {
                at += 1;
                if !follows(&mut chain, self.order, published.salts, frame) {
                    return Err(FollowError::Damaged(format!(
                        "frame {at} of the log does not follow the one before it"
                    )));
                }
                let header = FrameHeader::parse(frame);
                pages.push(header.page);
                content.push((
                    header.page,
                    PageMap::hash(page_size, header.page, &frame[FRAME_HEADER_BYTES..]),
                ));
                if header.db_pages != 0 {
                    let end = LogPosition {
                        salts: published.salts,
                        frame: at,
                        s1: chain.s1,
                        s2: chain.s2,
                    };
                    drafts.push(self.finish_commit(
                        std::mem::take(&mut content),
                        header.db_pages,
                        end,
                    ));
                }
            }
            self.staging.append_frames(&buffer, &pages)?;
        }
        if !content.is_empty() || chain != published.chain {
            return Err(FollowError::Damaged(format!(
                "the log up to frame {} is not what was published",
                published.mx_frame
            )));
        }
        Ok(drafts)
    }

    fn finish_commit(
        &mut self,
        content: Vec<(u32, u128)>,
        db_pages: u32,
        end: LogPosition,
    ) -> Draft {
        for (page, hash) in &content {
            self.map.set(*page, *hash);
        }
        self.map.resize(db_pages);
        Draft {
            content,
            db_pages,
            digest: self.map.digest(),
            end,
        }
    }

    /// A snapshot that stands exactly where the follower does, with the head and the page map there.
    pub(crate) fn snapshot(&mut self) -> Result<(Snapshot, Head, PageMap), NoSnapshot> {
        let mut connection = self.files.connect()?;
        for _ in 0..SNAPSHOT_TRIES_MAX {
            match self.try_snapshot(connection)? {
                Ok(snapshot) => return Ok((snapshot, self.head().clone(), self.map.clone())),
                Err(back) => connection = back,
            }
        }
        let snapshot = self.snapshot_behind_barrier(connection)?;
        Ok((snapshot, self.head().clone(), self.map.clone()))
    }

    /// The same while no writer may commit; whoever writes now keeps us from it only for this time.
    fn snapshot_behind_barrier(
        &mut self,
        connection: TenantConnection,
    ) -> Result<Snapshot, NoSnapshot> {
        let barrier = self.files.connect()?;
        barrier.busy_timeout(BARRIER_WAIT)?;
        barrier.execute_batch("BEGIN IMMEDIATE")?;
        let snapshot = self.try_snapshot(connection);
        barrier.execute_batch("ROLLBACK")?;
        snapshot?.map_err(|_| NoSnapshot::Busy)
    }

    fn try_snapshot(
        &mut self,
        connection: TenantConnection,
    ) -> Result<Result<Snapshot, TenantConnection>, NoSnapshot> {
        self.step()?;
        let snapshot = Snapshot::begin(connection)?;
        let here = (snapshot.at.salts, snapshot.at.mx_frame);
        if here == (self.position.salts, self.position.frame) {
            return Ok(Ok(snapshot));
        }
        Ok(Err(snapshot.end()))
    }
}

/// Fails when the tenant's files are not the ones that are open.
pub(crate) fn in_place(files: &TenantFiles) -> Result<(), FollowError> {
    files.out_of_place().map_or(Ok(()), |path| {
        Err(FollowError::Replaced(format!(
            "{} was moved away, deleted or replaced while it was in use; put it back, or restart Tidemark to go on \
             with what is there now",
            path.display()
        )))
    })
}

/// A commit read from the log that has no time yet.
struct Draft {
    content: Vec<(u32, u128)>,
    db_pages: u32,
    digest: u128,
    end: LogPosition,
}

pub(crate) fn frame_offset(frames_before: u32, frame_bytes: usize) -> u64 {
    WAL_HEADER_BYTES as u64 + u64::from(frames_before) * frame_bytes as u64
}

pub(crate) fn read_wal_header(wal: &File) -> io::Result<Option<WalHeader>> {
    let mut bytes = [0; WAL_HEADER_BYTES];
    match wal.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(WalHeader::parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn writers_that_never_pause_keep_nobody_from_following() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        bench.stretch(&mut follower, 1);
        let guest = bench.guest();
        guest
            .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
            .unwrap();
        let connection = bench.tenant.files.connect().unwrap();
        let refused = follower.snapshot_behind_barrier(connection);
        assert!(matches!(refused, Err(NoSnapshot::Busy)));
        guest.execute_batch("COMMIT").unwrap();
        let (snapshot, head, map) = follower.snapshot().unwrap();
        assert_eq!(head.txn, 3);
        assert_eq!(snapshot.map().unwrap().digest(), map.digest());
        assert_eq!(follower.step().unwrap().unwrap().commits, 0);
    }
}
