//! A past week of rounds, sets and pieces: the cluster simply lives through it before anybody signs in.

use super::World;
use super::backup::{JobState, Request};
use crate::calendar::DAY_US;

/// Days before the start at which a cluster with a history begins.
pub(super) const DAYS: i64 = 8;

const HOUR_US: i64 = DAY_US / 24;

impl World {
    /// Lives through the past up to the start of the setup.
    pub(super) fn live_through_history(&mut self) {
        if !self.setup.history {
            return;
        }
        let tenants: Vec<(i64, String)> = self
            .tenants
            .iter()
            .take(self.tenants.len().saturating_sub(1).max(1))
            .map(|t| (t.id, t.name.clone()))
            .collect();
        for (id, name) in &tenants {
            let archive = format!("LOCATION=file:///backup/{name}/clog");
            let data = format!("file:///backup/{name}/data");
            // Nothing of a new cluster is in the way of these.
            let set = self
                .set_archive_dest(*id, &archive)
                .and_then(|()| self.set_data_dest(*id, &data))
                .and_then(|()| self.switch_archive(*id, true));
            debug_assert!(set.is_ok());
        }
        let begin = self.now_us;
        for day in 0..DAYS {
            self.live_through_day(begin + day * DAY_US, day, &tenants);
        }
        if let Some((first, _)) = tenants.first()
            && let Some(tenant) = self.tenant_mut(*first)
        {
            tenant.window = Some("7d".to_owned());
        }
        self.run_until(self.setup.start_us);
        for (id, _) in &tenants {
            self.add_history_rows(*id);
        }
    }

    fn live_through_day(&mut self, midnight: i64, day: i64, tenants: &[(i64, String)]) {
        for (number, (id, _)) in tenants.iter().enumerate() {
            let number = i64::try_from(number).unwrap_or(0);
            let minute = number % 60 * 60_000_000;
            self.run_until(midnight + 2 * HOUR_US + minute);
            // The first tenant's round was stopped for some hours on the third day, so a full backup follows.
            let full = day % 4 == 0 || (day == 3 && number == 0);
            let started = self.start_backup(&Request {
                initiator: *id,
                tenants: None,
                incremental: !full,
                plus: false,
                description: "daily".to_owned(),
                password: None,
            });
            debug_assert!(started.is_ok());
        }
        if let Some((first, _)) = tenants.first().filter(|_| day == 2) {
            self.run_until(midnight + 12 * HOUR_US);
            let off = self.switch_archive(*first, false);
            self.run_until(midnight + 18 * HOUR_US);
            let on = self.switch_archive(*first, true);
            debug_assert!(off.is_ok() && on.is_ok());
        }
    }

    /// Copies of a tenant's first finished job, to make the history long.
    fn add_history_rows(&mut self, tenant: i64) {
        let Some(job) = self
            .jobs
            .iter()
            .find(|j| j.tenant == tenant && j.state == JobState::Completed)
            .cloned()
        else {
            return;
        };
        for _ in 0..self.setup.history_rows {
            let mut copy = job.clone();
            copy.id = self.ids.job;
            self.ids.job += 1;
            copy.task = copy.task.map(|_| self.ids.task);
            self.ids.task += 1;
            self.jobs.push(copy);
        }
    }
}
