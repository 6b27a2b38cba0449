//! The place from which a follower goes on: held, hashed, and proven to continue the archived log, or not.

use crate::{
    commit::{Head, LogPosition},
    files::{TenantConnection, TenantFiles},
    follower::{FollowError, frame_offset, in_place, read_wal_header},
    page_map::PageMap,
    snapshot::Snapshot,
    stamp::Stamps,
    wal::{FRAME_HEADER_BYTES, FrameHeader, WordOrder, follows},
    wal_index::Published,
};
use domain::Scn;
use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

/// A place from which a follower can go on.
pub(crate) struct Footing {
    /// Holds the log at the place where it stands.
    pub(crate) reader: TenantConnection,
    pub(crate) other: TenantConnection,
    pub(crate) wal: File,
    pub(crate) order: WordOrder,
    /// Where in the log it stands.
    pub(crate) position: LogPosition,
    pub(crate) map: PageMap,
    /// A moment before it was taken, and the moment it counts as taken.
    pub(crate) begun: Scn,
    pub(crate) taken: Scn,
    /// Frames of the log it holds.
    pub(crate) owed: u32,
    /// Whether the log continues the head that was asked for.
    pub(crate) continues: Result<(), String>,
}

impl Footing {
    /// Takes hold of the log, hashes the whole state, and finds out whether it continues `head`.
    pub(crate) fn find(
        files: &Arc<TenantFiles>,
        stamps: &Stamps,
        head: Option<&Head>,
    ) -> Result<Self, FollowError> {
        in_place(files)?;
        let connection = files.connect()?;
        let begun = stamps.now();
        // The moment is that of the snapshot, not that at which all of it was hashed.
        let (snapshot, taken) = stamps.look_settled(|| Snapshot::begin(connection));
        let snapshot = snapshot?;
        // Again, as what was put there meanwhile is what was opened now.
        in_place(files)?;
        let at = snapshot.at;
        let mut map = snapshot.map()?;
        let wal = File::open(files.wal_path())?;
        let mut position = LogPosition {
            salts: at.salts,
            frame: at.mx_frame,
            s1: at.chain.s1,
            s2: at.chain.s2,
        };
        if at.mx_frame == 0 {
            (position.s1, position.s2) = (0, 0);
        }
        let continues = match head {
            None => Err("log backup has not run here before".to_owned()),
            Some(head) => {
                let earlier = continue_from(files, &wal, head, &at, &map)?;
                earlier.map(|earlier| {
                    map = earlier;
                    position = head.log;
                })
            }
        };
        let other = files.connect()?;
        let order = word_order(&wal)?;
        Ok(Footing {
            reader: snapshot.into_held(),
            other,
            wal,
            order,
            position,
            map,
            begun,
            taken,
            owed: at.mx_frame,
            continues,
        })
    }
}

fn word_order(wal: &File) -> io::Result<WordOrder> {
    Ok(read_wal_header(wal)?.map_or(WordOrder::Little, |header| header.order))
}

/// Whether the log at `at` continues `head`: the page map at `head`, or in words why not.
///
/// The log must hold every frame from its beginning through the head to here, and the state at the
/// head, put together from the data file and the frames up to it, must have the head's digest.
fn continue_from(
    files: &TenantFiles,
    wal: &File,
    head: &Head,
    at: &Published,
    now: &PageMap,
) -> Result<Result<PageMap, String>, FollowError> {
    if head.log.salts != at.salts {
        return Ok(Err(
            "the log was begun anew while log backup did not run".to_owned()
        ));
    }
    if head.log.frame > at.mx_frame {
        return Ok(Err(
            "the log is shorter than what was archived; the data file went back in time".to_owned(),
        ));
    }
    let frame_bytes = FRAME_HEADER_BYTES + now.page_size() as usize;
    let Some(touched) = touched_since(wal, head, at, frame_bytes)? else {
        return Ok(Err("the log is not the one that was archived".to_owned()));
    };
    let mut map = now.clone();
    let beyond = (at.mx_frame > head.log.frame).then_some(now.pages() + 1..=head.db_pages);
    let pages: Vec<u32> = touched
        .pages
        .iter()
        .copied()
        .chain(beyond.into_iter().flatten())
        .collect();
    map.resize(head.db_pages.max(now.pages()));
    for page in pages {
        if page > head.db_pages {
            continue;
        }
        let mut content = vec![0; now.page_size() as usize];
        let read = match touched.earlier.get(&page) {
            Some(frame) => wal.read_exact_at(
                &mut content,
                frame_offset(*frame - 1, frame_bytes) + FRAME_HEADER_BYTES as u64,
            ),
            None => files.data().read_exact_at(
                &mut content,
                u64::from(page - 1) * u64::from(now.page_size()),
            ),
        };
        if read.is_err() {
            return Ok(Err(format!("page {page} as it was archived last is gone")));
        }
        map.set(page, PageMap::hash(now.page_size(), page, &content));
    }
    map.resize(head.db_pages);
    if map.digest() != head.digest {
        return Ok(Err(
            "the data file was changed past the log that was archived".to_owned(),
        ));
    }
    Ok(Ok(map))
}

/// Pages with frames behind the head, and the last frame up to the head of every page.
struct Touched {
    pages: std::collections::BTreeSet<u32>,
    earlier: std::collections::HashMap<u32, u32>,
}

/// Verifies the log from its beginning to `at`; `None` when it is not the log that `head` belongs to.
fn touched_since(
    wal: &File,
    head: &Head,
    at: &Published,
    frame_bytes: usize,
) -> Result<Option<Touched>, FollowError> {
    let mut touched = Touched {
        pages: Default::default(),
        earlier: Default::default(),
    };
    if at.mx_frame == 0 {
        return Ok(Some(touched));
    }
    let Some(header) = read_wal_header(wal)?.filter(|header| header.salts == at.salts) else {
        return Ok(None);
    };
    let mut chain = header.chain;
    let mut frame = vec![0; frame_bytes];
    for number in 1..=at.mx_frame {
        let read = wal.read_exact_at(&mut frame, frame_offset(number - 1, frame_bytes));
        if read.is_err() || !follows(&mut chain, header.order, at.salts, &frame) {
            return Ok(None);
        }
        let page = FrameHeader::parse(&frame).page;
        if number <= head.log.frame {
            touched.earlier.insert(page, number);
        } else {
            touched.pages.insert(page);
        }
        if number == head.log.frame && chain != head.log.chain() {
            return Ok(None);
        }
    }
    Ok((chain == at.chain).then_some(touched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{follower::Follower, testing::Bench};

    fn copy_into_data_file(bench: &Bench) {
        let copied: (i64, i64, i64) = bench
            .guest()
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(copied.1, copied.2);
    }

    fn go_on(bench: &Bench, head: &Head) -> Follower {
        let tenant = &bench.tenant;
        let footing = Footing::find(&tenant.files, &tenant.stamps, Some(head)).unwrap();
        assert_eq!(footing.continues, Ok(()));
        let (files, stamps) = (Arc::clone(&tenant.files), Arc::clone(&tenant.stamps));
        let dir = tenant.staging_dir();
        Follower::start(files, footing, head.clone(), &dir, stamps, head.scn).unwrap()
    }

    #[test]
    fn a_tail_in_the_log_is_copied() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let head = bench.stretch(&mut follower, 1).after;
        drop(follower);
        let guest = bench.guest();
        guest.execute_batch("INSERT INTO t VALUES (7)").unwrap();
        copy_into_data_file(&bench);
        let mut follower = go_on(&bench, &head);
        assert_eq!(follower.step().unwrap().unwrap().commits, 1);
        guest.execute_batch("INSERT INTO t VALUES (8)").unwrap();
        let step = follower.step().unwrap().unwrap();
        assert_eq!(step.commits, 1);
        assert_eq!(step.log_bytes, step.not_backfilled, "the log began anew");
    }

    #[test]
    fn a_tail_that_is_overwritten_before_it_was_copied_is_noticed() {
        let bench = Bench::new();
        let mut follower = bench.follow();
        let head = bench.stretch(&mut follower, 1).after;
        drop(follower);
        let guest = bench.guest();
        guest.execute_batch("INSERT INTO t VALUES (7)").unwrap();
        copy_into_data_file(&bench);
        let mut follower = go_on(&bench, &head);
        // All of the log is in the data file, so a reader does not keep it.
        guest.execute_batch("INSERT INTO t VALUES (8)").unwrap();
        let error = follower.step().unwrap_err();
        assert!(matches!(error, FollowError::Damaged(_)), "{error}");
        assert!(
            error.to_string().contains("before its last 1 frames"),
            "{error}"
        );
        let again = follower.step().unwrap_err();
        assert!(
            matches!(again, FollowError::Damaged(_)),
            "the cause stays known: {again}"
        );
    }

    #[test]
    fn files_that_are_not_the_open_ones_are_noticed() {
        for suffix in ["", "-wal", "-shm"] {
            let bench = Bench::new();
            assert!(in_place(&bench.tenant.files).is_ok());
            let mut path = bench.tenant.files.path().as_os_str().to_owned();
            path.push(suffix);
            std::fs::rename(&path, bench.tenant.dir.join("moved")).unwrap();
            let found = Footing::find(&bench.tenant.files, &bench.tenant.stamps, None);
            let error = found.err().expect("refused");
            assert!(matches!(error, FollowError::Replaced(_)), "{error}");
        }
    }
}
