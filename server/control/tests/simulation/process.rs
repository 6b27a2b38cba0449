//! A process with a console on the virtual clock, and how it is driven, killed and started again.

use crate::{world::World, world_engine::Opener};
use control::{
    Admin, Answer, Console, ConsoleParts, GlobalAdmin, Operator, Outbound, Outgoing, Viewer,
    secret::KeyPlace,
};
use domain::{
    Scn,
    access::{Actor, Role},
    clock::Clock,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use store::Store;
use tokio::runtime::{Builder, Runtime};

/// Name of the cluster.
pub(crate) const LOCAL: &str = "local";
/// Rounds in a row in which nobody uses the control database before time may move.
const QUIET_ROUNDS: u32 = 3;
/// Most steps that one piece of work may take.
const STEPS_MAX: u32 = 20_000;

/// A clock that moves only when it is told to, and counts how often it is read.
pub(crate) struct VirtualClock {
    /// Time that really passed, in ns.
    passed: AtomicU64,
    /// How far the clock is wrong, in ns.
    wrong: AtomicI64,
    reads: AtomicU64,
    kill_at: AtomicU64,
    killed: AtomicBool,
}

impl VirtualClock {
    fn new() -> Self {
        let base = Scn::parse_rfc3339("2027-11-29T22:30:00Z").unwrap();
        VirtualClock {
            passed: AtomicU64::new(base.0),
            wrong: AtomicI64::new(0),
            reads: AtomicU64::new(0),
            kill_at: AtomicU64::new(u64::MAX),
            killed: AtomicBool::new(false),
        }
    }

    /// Sets it forward or back.
    pub(crate) fn step_s(&self, seconds: i64) {
        self.wrong
            .fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }

    /// Kills the process when the clock has been read so often from now on.
    pub(crate) fn kill_after(&self, reads: u64) {
        let at = self.reads.load(Ordering::Relaxed) + reads;
        self.kill_at.store(at, Ordering::Relaxed);
    }

    pub(crate) fn let_live(&self) {
        self.kill_at.store(u64::MAX, Ordering::Relaxed);
        self.killed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    fn pass(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap();
        self.passed.fetch_add(ns, Ordering::Relaxed);
    }

    /// What it shows, without counting as a reading.
    pub(crate) fn shown(&self) -> Scn {
        let passed = self.passed.load(Ordering::Relaxed);
        Scn(passed.saturating_add_signed(self.wrong.load(Ordering::Relaxed)))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Scn {
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        if read >= self.kill_at.load(Ordering::Relaxed) {
            self.killed.store(true, Ordering::Relaxed);
        }
        self.shown()
    }
}

/// What outlives a process: its directory, the clock, and the cluster.
pub(crate) struct Site {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) world: Arc<World>,
    dir: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Site {
        let shm = Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        std::fs::write(dir.path().join("control.db"), template()).unwrap();
        let clock = Arc::new(VirtualClock::new());
        Site {
            world: Arc::new(World::new(Arc::clone(&clock))),
            clock,
            dir,
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("control.db")
    }

    /// The control database, behind the console's back.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let database = rusqlite::Connection::open(self.file()).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        database
    }

    /// Makes every change of the control database fail, or work again.
    pub(crate) fn set_full(&self, full: bool) {
        let sql = format!("UPDATE fault SET full = {}", u8::from(full));
        self.database().execute_batch(&sql).unwrap();
    }

    /// Starts a process; `None` when it was killed meanwhile.
    pub(crate) fn start(&self) -> Option<Process> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        // While somebody works beside it, the runtime does not move its clock by itself.
        let (stop, stopped) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || stopped.recv());
        let url = format!("sqlite://{}", self.file().display());
        let store = runtime.block_on(Store::connect(&url)).unwrap();
        let mut process = Process {
            runtime: Some(runtime),
            clock: Arc::clone(&self.clock),
            store: store.clone(),
            console: None,
            _stop: stop,
        };
        let parts = ConsoleParts {
            store,
            opener: Arc::new(Opener(Arc::clone(&self.world))),
            clock: Arc::<VirtualClock>::clone(&self.clock),
            home: self.dir.path().to_owned(),
            alone: true,
            key: KeyPlace::File(self.dir.path().join("secret.key")),
            outbound: Arc::new(Nobody),
        };
        let console = process.run(Console::start(parts))?;
        process.console = Some(console.ok()?);
        Some(process)
    }
}

/// A receiver of messages that there is none of.
struct Nobody;

impl Outbound for Nobody {
    fn send(&self, _: &Outgoing) -> Result<Answer, String> {
        Err("nobody is there".to_owned())
    }
}

/// An empty control database with the newest schema, and a switch that makes changes fail.
fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("control.db");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite://{}", file.display());
            let store = Store::connect(&url).await.unwrap();
            migration::up(store.connection()).await.unwrap();
            store.close().await.unwrap();
        });
        rusqlite::Connection::open(&file)
            .unwrap()
            .execute_batch(
                "CREATE TABLE fault (full INTEGER NOT NULL); INSERT INTO fault VALUES (0);
                 CREATE TRIGGER fails BEFORE UPDATE ON revision WHEN (SELECT full FROM fault) > 0
                 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END;",
            )
            .unwrap();
        std::fs::read(&file).unwrap()
    })
}

/// A process. Dropped, everything in it stops where it is, as by `kill -9`.
pub(crate) struct Process {
    runtime: Option<Runtime>,
    clock: Arc<VirtualClock>,
    pub(crate) store: Store,
    console: Option<Console>,
    _stop: mpsc::Sender<()>,
}

impl Process {
    /// Does `work` while time goes on by small steps; `None` when the process was killed before its end.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(async {
            tokio::pin!(work);
            for _ in 0..STEPS_MAX {
                let step = async {
                    self.settle().await?;
                    self.advance(Duration::from_millis(50)).await;
                    Some(())
                };
                tokio::select! {
                    biased;
                    done = &mut work => return Some(done),
                    alive = step => alive?,
                }
            }
            panic!("it takes for ever");
        })
    }

    /// Lets time pass in steps; `None` when the process was killed meanwhile.
    pub(crate) fn pass(&self, steps: u32, step: Duration) -> Option<()> {
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(async {
            for _ in 0..steps {
                self.settle().await?;
                self.advance(step).await;
            }
            self.settle().await
        })
    }

    async fn advance(&self, time: Duration) {
        self.clock.pass(time);
        tokio::time::advance(time).await;
    }

    /// Waits until nobody uses the control database.
    async fn settle(&self) -> Option<()> {
        let mut quiet = 0;
        while quiet < QUIET_ROUNDS {
            tokio::task::yield_now().await;
            if self.clock.is_killed() {
                return None;
            }
            if self.store.is_idle() {
                quiet += 1;
            } else {
                quiet = 0;
                std::thread::yield_now();
            }
        }
        Some(())
    }

    pub(crate) fn console(&self) -> &Console {
        self.console.as_ref().unwrap()
    }

    pub(crate) fn viewer(&self) -> Viewer {
        self.console().viewer(&actor()).unwrap()
    }

    pub(crate) fn operator(&self) -> Operator {
        self.console().operator(&actor()).unwrap()
    }

    pub(crate) fn admin(&self) -> Admin {
        self.console().admin(&actor()).unwrap()
    }

    pub(crate) fn global_admin(&self) -> GlobalAdmin {
        self.console().global_admin(&actor()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.console = None;
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn actor() -> Actor {
    Actor::new("tester", Role::Admin)
}
