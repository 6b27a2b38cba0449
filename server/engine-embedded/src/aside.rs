//! Steps aside for a checkpoint of another program that waits for the place of a reader.
//!
//! A checkpoint in a blocking mode keeps all writers out and waits until the place it wants is free. Both readers of
//! the follower can come to share that very place, and while nobody commits they would never leave it. So the
//! follower lets the log go until such a checkpoint is done. What was committed meanwhile is in the log that is there
//! afterwards, and that nothing else was is proven: the wal-index counts commits, also across logs.

use crate::{
    follower::{FollowError, Step},
    wal_index::{self, Published},
};
use std::{fs::File, io, thread, time::Duration};
use tokio::time::Instant;

/// How long a checkpoint may be seen at work before it is taken for one that waits.
const PATIENCE: Duration = Duration::from_millis(20);
/// Longest time without holding the log.
const ASIDE_MAX: Duration = Duration::from_millis(250);
/// Pauses between two looks whether the checkpoint is done.
const ASIDE_PAUSE: Duration = Duration::from_millis(1);

/// What a follower knows about checkpoints that it may be keeping waiting.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    /// Since when one has been seen while nothing else happened.
    waiting: Option<Instant>,
    /// The wal-index's count of commits at the last look.
    counted: u32,
    /// Whether the log was let go since then.
    let_go: bool,
}

impl Aside {
    /// Whether it is time to step aside, after `step`.
    pub(crate) fn is_due(&mut self, shm: &File, step: &Step) -> io::Result<bool> {
        let may_wait = step.commits == 0 && step.not_backfilled > 0;
        if !may_wait || !wal_index::is_checkpoint_waiting(shm)? {
            self.waiting = None;
            return Ok(false);
        }
        let since = *self.waiting.get_or_insert_with(Instant::now);
        Ok(since.elapsed() >= PATIENCE)
    }

    /// Notes that the log is not held from here on until the next look.
    pub(crate) fn let_go(&mut self) {
        self.let_go = true;
        self.waiting = None;
    }

    /// Fails unless the log that `published` tells of, with `commits` commits in it, is the very next one.
    pub(crate) fn prove(&self, published: &Published, commits: usize) -> Result<(), FollowError> {
        let counted = published.change.wrapping_sub(self.counted);
        if !self.let_go || usize::try_from(counted) == Ok(commits) {
            return Ok(());
        }
        Err(FollowError::Damaged(format!(
            "the log began anew more than once while a checkpoint of another program was let through; \
             {counted} commits were made and {commits} of them can be read"
        )))
    }

    /// Notes that everything up to `published` was copied.
    pub(crate) fn looked(&mut self, published: &Published) {
        self.counted = published.change;
        self.let_go = false;
    }
}

/// Waits until no checkpoint of another program waits any more, or long enough.
pub(crate) fn wait_for_checkpoint(shm: &File) -> io::Result<()> {
    let until = Instant::now() + ASIDE_MAX;
    while Instant::now() < until && wal_index::is_checkpoint_waiting(shm)? {
        thread::sleep(ASIDE_PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use std::{
        io::{BufRead, BufReader, Write},
        process::{Child, ChildStdin, Command, Stdio},
        sync::mpsc::{Receiver, channel},
    };

    /// How long anything here may take that should take a moment.
    const LIMIT: Duration = Duration::from_secs(3);

    /// The stock shell on a tenant's file: another process, whose locks are not ours.
    struct Shell {
        child: Child,
        input: ChildStdin,
        lines: Receiver<String>,
    }

    impl Shell {
        fn open(bench: &Bench) -> Self {
            let mut child = Command::new("sqlite3")
                .arg(bench.tenant.files.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let (sender, lines) = channel();
            thread::spawn(move || {
                let all = BufReader::new(output).lines();
                all.map_while(Result::ok)
                    .try_for_each(|line| sender.send(line))
            });
            let mut shell = Shell {
                child,
                input,
                lines,
            };
            shell.say("PRAGMA wal_autocheckpoint=0;");
            shell.hear();
            shell
        }

        fn say(&mut self, sql: &str) {
            writeln!(self.input, "{sql}").unwrap();
        }

        fn hear(&self) -> String {
            self.lines.recv_timeout(LIMIT).unwrap()
        }

        fn run(&mut self, sql: &str) {
            self.say(&format!("{sql} SELECT 'done';"));
            while self.hear() != "done" {}
        }
    }

    impl Drop for Shell {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// A checkpoint that waits for the place that the follower's readers have come to share.
    fn stuck(bench: &Bench, mode: &str) -> (crate::follower::Follower, Shell) {
        let mut follower = bench.follow();
        let mut writer = Shell::open(bench);
        writer.run("CREATE TABLE t (v);");
        follower.step().unwrap();
        let mut reader = Shell::open(bench);
        reader.run("BEGIN; SELECT count(*) FROM t;");
        // Now each of the follower's readers moves once more, to a place behind that of the other program.
        for _ in 0..2 {
            writer.run("INSERT INTO t VALUES (1);");
            follower.step().unwrap();
        }
        writer.run("INSERT INTO t VALUES (2);");
        writer.say(&format!(".timeout 30000\nPRAGMA wal_checkpoint({mode});"));
        let began = Instant::now();
        while !wal_index::is_checkpoint_waiting(bench.tenant.files.shm()).unwrap() {
            assert!(began.elapsed() < LIMIT, "the checkpoint does not begin");
        }
        reader.run("COMMIT;");
        follower.step().unwrap();
        (follower, writer)
    }

    #[test]
    fn a_checkpoint_that_waits_for_our_place_is_let_through() {
        for mode in ["FULL", "RESTART", "TRUNCATE"] {
            let bench = Bench::new();
            let (mut follower, mut writer) = stuck(&bench, mode);
            let began = Instant::now();
            let answer = loop {
                follower.step().unwrap();
                if let Ok(line) = writer.lines.recv_timeout(Duration::from_millis(2)) {
                    break line;
                }
                assert!(began.elapsed() < LIMIT, "{mode} waits for the follower");
            };
            assert!(answer.starts_with("0|"), "{mode}: {answer}");
            writer.run("INSERT INTO t VALUES (3);");
            let commits = follower.step().unwrap().unwrap().commits;
            assert_eq!((commits, follower.head().txn), (1, 5), "{mode}");
        }
    }

    #[test]
    fn a_log_that_began_anew_unseen_is_never_taken_for_the_next_one() {
        for (times, is_proven) in [(1, true), (2, false)] {
            let bench = Bench::new();
            let mut follower = bench.follow();
            let mut writer = Shell::open(&bench);
            writer.run("CREATE TABLE t (v);");
            follower.step().unwrap();
            follower.let_go();
            for _ in 0..times {
                writer.run("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES (1);");
            }
            follower.take_hold().unwrap();
            match follower.step() {
                Ok(step) => assert_eq!((is_proven, step.unwrap().commits), (true, 1)),
                Err(error) => assert!(!is_proven && error.to_string().contains("2 commits")),
            }
            let staged = follower.staging().since().is_some();
            assert_eq!(follower.head().txn, 1 + u64::from(is_proven));
            assert!(staged, "what was copied before stays");
        }
    }
}
