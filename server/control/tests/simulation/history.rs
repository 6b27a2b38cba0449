//! One history: what people do, what goes wrong, and how time passes.

use crate::{
    dice::Dice,
    judge,
    process::{LOCAL, Process, Site},
    strategies, tally,
};
use control::ErrorKind;
use domain::{
    JobId, TenantId,
    archive::ArchiveState,
    backup::BackupKind,
    cluster::NewCluster,
    job::{JobKind, JobState},
    page::TaskFilter,
    recovery::RecoveryRequest,
    second_backup::Place,
};
use std::time::Duration;

/// Most rounds until everything must have ended once nothing goes wrong any more.
const END_ROUNDS: u32 = 150;
/// Fewest days that any strategy keeps.
const KEEP_DAYS: u64 = 2;

/// A history that goes on.
struct History {
    seed: u64,
    dice: Dice,
    site: Site,
    process: Option<Process>,
    full: bool,
    newest: i64,
}

/// Makes the history of a seed, and judges it.
pub(crate) fn run(seed: u64) {
    let site = Site::new();
    site.world.state().keep_days = KEEP_DAYS;
    let process = site.start().unwrap();
    let mut history = History {
        seed,
        dice: Dice::new(seed),
        site,
        process: Some(process),
        full: false,
        newest: 0,
    };
    history.found();
    let actions = 10 + history.dice.below(8);
    for _ in 0..actions {
        if history.dice.once_in(4) {
            let reads = history.dice.below(80);
            history.site.clock.kill_after(reads);
        }
        history.act();
        history.time_passes();
        history.newest = judge::revision(&history.site, history.newest, seed);
    }
    history.end();
}

impl History {
    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    fn found(&mut self) {
        self.site.world.state().faults.job_s_max = 2;
        let process = self.process();
        let new = NewCluster {
            name: LOCAL.to_owned(),
            destination: None,
            first_tenant: Some("orders".to_owned()),
            ..NewCluster::default()
        };
        process
            .run(async {
                process.global_admin().create_cluster(&new).await.unwrap();
                let operator = process.operator();
                operator.create_tenant(LOCAL, "stock").await.unwrap();
            })
            .unwrap();
        process.pass(8, Duration::from_millis(500)).unwrap();
    }

    /// Starts the process again if it was killed.
    fn alive<T>(&mut self, outcome: Option<T>) {
        if outcome.is_none() {
            self.revive();
        }
    }

    fn revive(&mut self) {
        tally::count("killed", u64::from(self.site.clock.is_killed()));
        self.process = None;
        self.site.clock.let_live();
        loop {
            self.process = self.site.start();
            if let Some(process) = &self.process {
                process.pass(1, Duration::from_millis(50));
                return;
            }
            self.set_full(false);
        }
    }

    fn set_full(&mut self, full: bool) {
        self.full = full;
        self.site.set_full(full);
    }

    fn act(&mut self) {
        match self.dice.below(28) {
            0..=3 => self.back_up(),
            4 | 5 => self.cancel(),
            6 | 7 => self.retry(),
            8 => self.recover(),
            9 | 10 => self.turn_log(),
            11..=15 => self.change_strategy(),
            16..=19 => self.fault(),
            20 => self.site.world.crash(&mut self.dice),
            21 => self.restart(),
            22 => self.revive(),
            23 => {
                // Nobody may be amid a change of the control database when it is told to fail.
                let settled = self.process().pass(0, Duration::ZERO);
                self.alive(settled);
                let full = !self.full;
                self.set_full(full);
            }
            24 => {
                let seconds = self.dice.pick(&[3600, -3600, 300, -300]);
                self.site.clock.step_s(seconds);
                self.site.world.state().stepped_s += seconds.unsigned_abs();
            }
            25 | 26 => self.clean_up(),
            _ => self.site.world.heal(),
        }
    }

    fn fault(&mut self) {
        let dice = &mut self.dice;
        let now = self.site.world.now();
        let mut state = self.site.world.state();
        let faults = &mut state.faults;
        match dice.below(9) {
            0 => faults.lose_replies = 1,
            1 => faults.deaf = 1 + u32::try_from(dice.below(12)).unwrap(),
            2 => {
                let seconds = dice.pick(&[5, 60, 1800]);
                faults.away_until = now.plus_ns(seconds * 1_000_000_000);
            }
            3 => faults.slow_ms = dice.pick(&[30, 400, 3000]),
            4 => faults.fail_jobs = 1 + u32::try_from(dice.below(4)).unwrap(),
            5 => faults.stick_jobs = 1,
            6 | 7 => faults.refuse = 1 + u32::try_from(dice.below(4)).unwrap(),
            _ => faults.job_s_max = dice.pick(&[1, 20, 400]),
        }
    }

    fn tenant(&mut self) -> TenantId {
        TenantId(1 + i64::try_from(self.dice.below(2)).unwrap())
    }

    fn back_up(&mut self) {
        let tenant = self.tenant();
        let tenant = self.dice.once_in(2).then_some(tenant);
        let kind = self.dice.pick(&[BackupKind::Full, BackupKind::Incremental]);
        let process = self.process();
        let done = process.run(async {
            let done = process.operator().back_up_now(LOCAL, tenant, kind).await;
            self.allowed(done.as_ref().err());
        });
        self.alive(done);
    }

    fn recover(&mut self) {
        let tenant = self.tenant();
        let request = RecoveryRequest {
            tenant,
            until: self.site.world.now().minus_ns(1),
            new_name: format!("copy_{}", self.dice.below(3)),
            place: None,
            placement: None,
        };
        let process = self.process();
        let done = process.run(async {
            let done = process.operator().initiate_recovery(LOCAL, &request).await;
            self.allowed(done.as_ref().err());
        });
        self.alive(done);
    }

    fn clean_up(&mut self) {
        let tenant = self.tenant();
        let tenant = self.dice.once_in(2).then_some(tenant);
        let days = u32::try_from(KEEP_DAYS + self.dice.below(3)).unwrap();
        let place = self.dice.pick(&[Place::First, Place::Second]);
        let process = self.process();
        let done = process.run(async {
            let admin = process.admin();
            let done = admin.clean_up_now(LOCAL, tenant, days, place).await;
            self.allowed(done.as_ref().err());
        });
        self.alive(done);
    }

    /// The newest task in one of these states, of `kind` or of whatever kind there is one.
    async fn some_task(process: &Process, kind: JobKind, states: Vec<JobState>) -> Option<JobId> {
        let filter = TaskFilter {
            states,
            ..TaskFilter::default()
        };
        for kind in [kind].into_iter().chain(JobKind::ALL) {
            let page = process.viewer().tasks(LOCAL, kind, &filter).await.unwrap();
            if let Some(task) = page.rows.first() {
                return Some(task.id);
            }
        }
        None
    }

    fn cancel(&mut self) {
        let kind = self.dice.pick(&JobKind::ALL);
        let states = JobState::ALL.into_iter().filter(|state| !state.is_final());
        let process = self.process();
        let done = process.run(async {
            if let Some(id) = Self::some_task(process, kind, states.collect()).await {
                let done = process.operator().cancel(LOCAL, id).await;
                self.allowed(done.as_ref().err());
            }
        });
        self.alive(done);
    }

    fn retry(&mut self) {
        let kind = self.dice.pick(&JobKind::ALL);
        let states = vec![JobState::Failed, JobState::Canceled];
        let process = self.process();
        let done = process.run(async {
            if let Some(id) = Self::some_task(process, kind, states).await {
                let operator = process.operator();
                let (one, two) = (
                    operator.retry(LOCAL, id).await,
                    operator.retry(LOCAL, id).await,
                );
                if let (Ok(one), Ok(two)) = (&one, &two) {
                    assert_eq!(one, two, "seed {}: a double click made two", self.seed);
                }
                self.allowed(one.as_ref().err());
                self.allowed(two.as_ref().err());
            }
        });
        self.alive(done);
    }

    fn turn_log(&mut self) {
        let tenant = self.tenant();
        let process = self.process();
        let done = process.run(async {
            let filter = TaskFilter {
                tenant: Some(tenant),
                ..TaskFilter::default()
            };
            let page = process.viewer().archives(LOCAL, &filter).await.unwrap();
            let runs = page
                .rows
                .first()
                .map(|row| row.state == ArchiveState::Doing);
            let operator = process.operator();
            let done = match runs {
                Some(true) => operator.stop_log_backup(LOCAL, tenant, "tidying").await,
                _ => operator.start_log_backup(LOCAL, tenant).await,
            };
            self.allowed(done.as_ref().err());
        });
        self.alive(done);
    }

    fn change_strategy(&mut self) {
        let process = self.process.take().unwrap();
        let done = process.run(strategies::change(&process, &mut self.dice));
        self.process = Some(process);
        if let Some(done) = &done {
            self.allowed(done.as_ref().err());
        }
        self.alive(done);
    }

    fn restart(&mut self) {
        let process = self.process();
        let done = process.run(async { process.console().shut_down().await });
        _ = done;
        self.revive();
    }

    /// What a person may be told while such things happen; anything else is a defect.
    fn allowed(&self, error: Option<&control::Error>) {
        let Some(error) = error else {
            return;
        };
        let fine = match error.kind() {
            ErrorKind::Conflict(_) | ErrorKind::Unavailable(_) => true,
            ErrorKind::Invalid(_) | ErrorKind::Internal(_) | ErrorKind::NotFound { .. } => {
                self.full || matches!(error.kind(), ErrorKind::Invalid(_))
            }
            ErrorKind::Forbidden => false,
        };
        assert!(fine, "seed {}: {error:?}", self.seed);
    }

    fn time_passes(&mut self) {
        let ms = Duration::from_millis;
        let hours = |hours| Duration::from_secs(hours * 3600);
        let (steps, step) = match self.dice.below(8) {
            0 | 1 => (1 + self.dice.below(6), ms(50)),
            2 | 3 => (1 + self.dice.below(6), ms(500)),
            4 | 5 => (1 + self.dice.below(4), ms(11_000)),
            6 => (1, hours(1 + self.dice.below(7))),
            _ => (1, hours(24)),
        };
        let passed = self.process().pass(u32::try_from(steps).unwrap(), step);
        self.alive(passed);
        let passed = self.process().pass(2, ms(600));
        self.alive(passed);
    }

    /// Nothing goes wrong any more: everything ends, and then it is judged.
    fn end(mut self) {
        self.set_full(false);
        self.site.world.heal();
        self.site.clock.let_live();
        // Whoever waits after failures waits a minute at most.
        let passed = self.process().pass(5, Duration::from_secs(16));
        passed.unwrap();
        for round in 0.. {
            let process = self.process();
            process.pass(4, Duration::from_millis(600)).unwrap();
            process.pass(2, Duration::from_secs(16)).unwrap();
            let open = judge::open(&self.site);
            if open.is_empty() {
                break;
            }
            assert!(
                round < END_ROUNDS,
                "seed {}: it never ends: {open:?}",
                self.seed
            );
        }
        judge::judge(&self.site, self.process(), self.seed);
        tally::database(&self.site);
        let process = self.process();
        process.run(async { process.console().shut_down().await });
    }
}
