//! The staging area: log copied out of the write-ahead log but not yet at the destination.
//!
//! It lies beside the tenant, so that the follower may let the write-ahead log go at once and a
//! killed engine finds everything again. Two files make one staged stretch: `<txn>.frames` holds raw
//! frames, `<txn>.commits` one checked record for each commit whose frames are complete.

use crate::{
    commit::{COMMIT_BYTES, Commit, Head, LogPosition, array, extend_history},
    page_map::PageMap,
    wal::{FRAME_HEADER_BYTES, FrameHeader},
};
use domain::Scn;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// Commit, log position (20), history (64), frames so far (8), check (8).
const RECORD_BYTES: usize = COMMIT_BYTES + 20 + 64 + 8 + 8;
const HEADER_MAGIC: &[u8; 8] = b"tdmstg01";

/// A stretch of log being collected.
pub(crate) struct Staging {
    frames_path: PathBuf,
    commits_path: PathBuf,
    frames: File,
    commits_file: File,
    before: Head,
    after: Head,
    commits: Vec<Commit>,
    /// Page number of each frame.
    pages: Vec<u32>,
    /// When its first commit was staged, by a clock that nobody can set back.
    since: Option<Instant>,
    frame_bytes: u64,
    page_size: u32,
}

/// A finished stretch, ready to become a segment.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) before: Head,
    pub(crate) after: Head,
    pub(crate) commits: Vec<Commit>,
    pub(crate) pages: Vec<u32>,
    /// Bytes of a page.
    pub(crate) page_size: u32,
    pub(crate) frames_path: PathBuf,
    commits_path: PathBuf,
    /// Bytes of its frames; kept here because the file is gone once the stretch is durable.
    pub(crate) bytes: u64,
    /// Everything committed at or before it is in this stretch or an earlier one.
    pub(crate) checkpoint: Scn,
}

impl Staging {
    /// Begins a stretch after `head` in `dir`, of frames with pages of `page_size` bytes.
    pub(crate) fn begin(dir: &Path, head: Head, page_size: u32) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let path = |kind: &str| dir.join(format!("{:06}-{:016x}.{kind}", head.round, head.txn + 1));
        let (frames_path, commits_path) = (path("frames"), path("commits"));
        let frames = File::create(&frames_path)?;
        let mut commits_file = File::create(&commits_path)?;
        commits_file.write_all(&header(&head))?;
        Ok(Staging {
            frames_path,
            commits_path,
            frames,
            commits_file,
            before: head.clone(),
            after: head,
            commits: Vec::new(),
            pages: Vec::new(),
            since: None,
            frame_bytes: 0,
            page_size,
        })
    }

    /// Adds raw frames; they count only once a commit record covers them.
    pub(crate) fn append_frames(&mut self, frames: &[u8], pages: &[u32]) -> io::Result<()> {
        self.frames.write_all(frames)?;
        self.frame_bytes += frames.len() as u64;
        self.pages.extend_from_slice(pages);
        Ok(())
    }

    /// Adds the commits that the frames appended so far end with, each with the head after it.
    pub(crate) fn append_commits(&mut self, commits: &[(Commit, Head)]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(commits.len() * RECORD_BYTES);
        let mut frames = self
            .commits
            .iter()
            .map(|commit| u64::from(commit.frames))
            .sum::<u64>();
        for (commit, head) in commits {
            frames += u64::from(commit.frames);
            bytes.extend_from_slice(&record(commit, head, frames));
        }
        self.commits_file.write_all(&bytes)?;
        if let Some((_, head)) = commits.last() {
            self.since.get_or_insert_with(Instant::now);
            self.after = head.clone();
        }
        self.commits
            .extend(commits.iter().map(|(commit, _)| *commit));
        Ok(())
    }

    pub(crate) fn head(&self) -> &Head {
        &self.after
    }

    /// When the first commit was staged; `None` while there is none.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    pub(crate) fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// Notes that the write-ahead log began anew without any commit.
    pub(crate) fn move_log(&mut self, log: LogPosition) {
        self.after.log = log;
    }

    /// Ends this stretch and begins the next one after it.
    pub(crate) fn rotate(&mut self, dir: &Path, checkpoint: Scn) -> io::Result<Stretch> {
        let next = Staging::begin(dir, self.after.clone(), self.page_size)?;
        let done = std::mem::replace(self, next);
        Ok(Stretch {
            before: done.before,
            after: done.after,
            commits: done.commits,
            pages: done.pages,
            page_size: done.page_size,
            frames_path: done.frames_path,
            commits_path: done.commits_path,
            bytes: done.frame_bytes,
            checkpoint,
        })
    }
}

impl Stretch {
    /// Removes the files, once the stretch is durable at the destination. The commits go first: frames
    /// without commits are no stretch, and whoever dies in between leaves nothing that looks like one.
    pub(crate) fn discard(&self) {
        remove(&self.commits_path);
        remove(&self.frames_path);
    }
}

/// Staged files are only a copy of what is durable elsewhere by now; a left-over is cleared at the next start.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "staged file not removed");
    }
}

fn header(head: &Head) -> Vec<u8> {
    let json = serde_json::to_vec(head).expect("invariant: a head is plain data");
    let mut bytes = HEADER_MAGIC.to_vec();
    bytes.extend_from_slice(&(json.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&json).to_le_bytes());
    bytes.extend_from_slice(&json);
    bytes
}

fn record(commit: &Commit, head: &Head, frames: u64) -> Vec<u8> {
    let mut bytes = commit.to_bytes().to_vec();
    bytes.extend_from_slice(&head.log.salts);
    bytes.extend_from_slice(&head.log.frame.to_le_bytes());
    bytes.extend_from_slice(&head.log.s1.to_le_bytes());
    bytes.extend_from_slice(&head.log.s2.to_le_bytes());
    bytes.extend_from_slice(head.history.as_bytes());
    bytes.extend_from_slice(&frames.to_le_bytes());
    let check = xxh3_64(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes
}

/// Removes every staged file in `dir`.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Finds the stretches that continue `head`, oldest first: what a killed engine had copied but not published.
///
/// Stops at the first record that is torn or does not continue; nothing after it can be trusted.
pub(crate) fn found_after(dir: &Path, head: &Head, page_size: u32) -> io::Result<Vec<Stretch>> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(dir) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "commits"));
    paths.sort();
    let mut stretches = Vec::new();
    let mut head = head.clone();
    for path in paths {
        let Some(stretch) = read(&path, page_size)? else {
            continue;
        };
        let follows = stretch.before.round == head.round
            && stretch.before.txn == head.txn
            && stretch.before.history == head.history;
        if follows && !stretch.commits.is_empty() {
            head = stretch.after.clone();
            stretches.push(stretch);
        }
    }
    Ok(stretches)
}

fn read(commits_path: &Path, page_size: u32) -> io::Result<Option<Stretch>> {
    let bytes = fs::read(commits_path)?;
    if bytes.len() < 20 || &bytes[..8] != HEADER_MAGIC {
        return Ok(None);
    }
    let length = u32::from_le_bytes(array(&bytes[8..12])) as usize;
    let Some(json) = bytes.get(20..20 + length) else {
        return Ok(None);
    };
    if xxh3_64(json) != u64::from_le_bytes(array(&bytes[12..20])) {
        return Ok(None);
    }
    let Ok(before) = serde_json::from_slice::<Head>(json) else {
        return Ok(None);
    };
    let frames_path = commits_path.with_extension("frames");
    let frame_bytes = u64::from(page_size) + FRAME_HEADER_BYTES as u64;
    let frames_there = match fs::metadata(&frames_path) {
        Ok(meta) => meta.len() / frame_bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut after = before.clone();
    let mut commits = Vec::new();
    let mut pages = Vec::new();
    let mut frames = FrameReader::open(&frames_path, page_size)?;
    for record in bytes[20 + length..].chunks_exact(RECORD_BYTES) {
        let (body, check) = record.split_at(RECORD_BYTES - 8);
        let total = u64::from_le_bytes(array(&body[body.len() - 8..]));
        if xxh3_64(body) != u64::from_le_bytes(array(check)) || total > frames_there {
            break;
        }
        let commit = Commit::from_bytes(&array(body));
        let content = frames.next(commit.frames)?;
        let next = head_after(&before, &commit, &body[COMMIT_BYTES..]);
        // After a power cut the record may have survived without its frames.
        if extend_history(&after.history, &commit, &content) != next.history {
            break;
        }
        pages.extend(content.iter().map(|(page, _)| *page));
        after = next;
        commits.push(commit);
    }
    let checkpoint = after.scn;
    let bytes = pages.len() as u64 * frame_bytes;
    let commits_path = commits_path.to_owned();
    Ok(Some(Stretch {
        before,
        after,
        commits,
        pages,
        page_size,
        frames_path,
        commits_path,
        bytes,
        checkpoint,
    }))
}

fn head_after(before: &Head, commit: &Commit, rest: &[u8]) -> Head {
    let u32_at = |at: usize| u32::from_le_bytes(array(&rest[at..at + 4]));
    Head {
        round: before.round,
        txn: commit.txn,
        scn: commit.scn,
        after: commit.after,
        digest: commit.digest,
        db_pages: commit.db_pages,
        history: String::from_utf8_lossy(&rest[20..84]).into_owned(),
        log: LogPosition {
            salts: array(&rest[..8]),
            frame: u32_at(8),
            s1: u32_at(12),
            s2: u32_at(16),
        },
    }
}

/// Reads staged frames in order, as page numbers and page hashes.
struct FrameReader {
    reader: io::BufReader<File>,
    frame: Vec<u8>,
    page_size: u32,
}

impl FrameReader {
    fn open(path: &Path, page_size: u32) -> io::Result<Self> {
        let frame = vec![0; FRAME_HEADER_BYTES + page_size as usize];
        Ok(FrameReader {
            reader: io::BufReader::with_capacity(1 << 20, File::open(path)?),
            frame,
            page_size,
        })
    }

    fn next(&mut self, count: u32) -> io::Result<Vec<(u32, u128)>> {
        let mut content = Vec::with_capacity(count as usize);
        for _ in 0..count {
            self.reader.read_exact(&mut self.frame)?;
            let page = FrameHeader::parse(&self.frame).page;
            content.push((
                page,
                PageMap::hash(self.page_size, page, &self.frame[FRAME_HEADER_BYTES..]),
            ));
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn what_was_copied_and_not_published_is_found_again() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let base = follower.head().clone();
        let stretch = bench.stretch(&mut follower, 2);
        let found = found_after(&bench.tenant.staging_dir(), &base, stretch.page_size).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].commits, stretch.commits);
        assert_eq!(found[0].bytes, stretch.bytes);
    }

    #[test]
    fn a_stretch_of_which_half_is_removed_already_is_none() {
        for half in ["frames", "commits"] {
            let bench = Bench::new();
            let mut follower = bench.follow();
            let base = follower.head().clone();
            let stretch = bench.stretch(&mut follower, 2);
            fs::remove_file(stretch.frames_path.with_extension(half)).unwrap();
            let found = found_after(&bench.tenant.staging_dir(), &base, stretch.page_size).unwrap();
            assert!(found.is_empty(), "without its {half}");
        }
    }
}
