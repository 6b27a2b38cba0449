//! Recoveries of 3.x.

use super::legacy::{LegacyRestore, RESTORE_STAGES, Step, option};
use super::tenant::{Role, Status};
use super::{World, dest};
use crate::{SqlError, calendar, error};

/// How old a moment has to be.
const AGE_US: i64 = 10_000_000;

impl World {
    /// `RESTORE dest FROM source AT uri UNTIL time WITH options`.
    pub(crate) fn legacy_restore(
        &mut self,
        name: &str,
        source: &str,
        (uri, until): (&str, &str),
        options: &str,
    ) -> Result<(), SqlError> {
        if self.cluster_parameter("restore_concurrency") == "0" {
            return Err(error::not_allowed(
                "restore tenant when restore_concurrency is 0",
            ));
        }
        for key in ["backup_cluster_name", "backup_cluster_id", "pool_list"] {
            if option(options, key).is_none_or(str::is_empty) {
                return Err(error::missing_argument(key));
            }
        }
        if option(options, "backup_cluster_name") != Some(&self.setup.cluster_name) {
            return Err(error::coded(4666, "cluster name mismatch"));
        }
        if self.tenant_named(name).is_some() {
            return Err(error::not_allowed(
                "restore tenant with existed tenant name is",
            ));
        }
        let until_us =
            calendar::parse(until, 480).ok_or_else(|| error::arguments("until timestamp"))?;
        if self.now_us - until_us < self.shortened(AGE_US) {
            return Err(error::not_allowed(
                "need retry later, the restore timestamp is too new, it is",
            ));
        }
        let source_id = self.tenant_id(source)?;
        let key = dest::parse(uri, self.version())?.key();
        self.storage_ready(&key)?;
        let set = self.legacy_set_for(uri, source_id, until_us)?;
        let names: Vec<String> = option(options, "pool_list")
            .unwrap_or_default()
            .split(',')
            .map(str::to_owned)
            .collect();
        let pools = self.free_pools(&names)?;
        let id = self.ids.job;
        self.ids.job += 1;
        let tenant = self.next_tenant_id();
        self.create_tenant(name, Some(tenant));
        for pool in self.pools.iter_mut().filter(|p| pools.contains(&p.id)) {
            pool.tenant = Some(tenant);
        }
        if let Some(tenant) = self.tenant_mut(tenant) {
            tenant.status = Status::Restore;
            tenant.role = Role::Restore;
        }
        self.legacy.restores.push(LegacyRestore {
            id,
            tenant,
            name: name.to_owned(),
            source_id,
            source: source.to_owned(),
            set,
            until_us,
            start_us: self.now_us,
            end_us: None,
            stage: 0,
            failure: None,
        });
        self.legacy_later(10_000_000, Step::Restore(id));
        Ok(())
    }

    /// The set that a recovery reads: the newest one that began by then, and its round has to reach the moment.
    fn legacy_set_for(&self, uri: &str, tenant: i64, until_us: i64) -> Result<i64, SqlError> {
        let copied = self.copied_sets(uri);
        let set = self
            .legacy
            .sets
            .iter()
            .rev()
            .filter(|s| (s.dest == uri && !s.deleted) || copied.contains(&s.id))
            .find(|s| {
                s.status == "COMPLETED" && s.start_us <= until_us && s.tenants.contains(&tenant)
            })
            .ok_or_else(error::not_enough_log)?;
        let holds = |start: i64, reached: i64| start <= set.start_us && set.start_us <= reached;
        let round = self
            .legacy
            .rounds
            .iter()
            .find(|r| r.start_us > 0 && holds(r.start_us, self.legacy_checkpoint(r)))
            .ok_or_else(error::not_enough_log)?;
        let reached = if set.dest == uri {
            self.legacy_checkpoint(round)
        } else {
            self.copied_reach(uri, round.id, set.start_us)
        };
        if reached >= until_us {
            return Ok(set.id);
        }
        let later = self.legacy.rounds.iter().any(|r| r.id > round.id);
        if later && round.interval_us > 0 {
            return Err(error::coded(
                9048,
                "backup set is isolated by a change of rounds",
            ));
        }
        Err(error::not_enough_log())
    }

    /// How far copied log of a round goes on from a moment.
    fn copied_reach(&self, uri: &str, round: i64, from_us: i64) -> i64 {
        let mut reached = 0;
        let mut next = None;
        for (of, piece) in self.copied_pieces(uri) {
            let begins = next.is_none() && piece.start_us <= from_us;
            let follows = next == Some(piece.id);
            if of == round && (begins || follows) {
                reached = piece.checkpoint_us;
                if from_us < piece.checkpoint_us || follows {
                    next = Some(piece.id + 1);
                }
            }
        }
        reached
    }

    pub(crate) fn legacy_restore_step(&mut self, id: i64) {
        let now = self.now_us;
        let Some(job) = self.legacy.restores.iter().find(|r| r.id == id) else {
            return;
        };
        let name = job.name.clone();
        let fails = |t: &String| t.eq_ignore_ascii_case(&name);
        let fails = self.faults.restore_fails.iter().any(fails);
        let Some(job) = self.legacy.restores.iter_mut().find(|r| r.id == id) else {
            return;
        };
        if job.end_us.is_some() {
            return;
        }
        let tenant = job.tenant;
        if fails {
            job.end_us = Some(now);
            job.failure = Some("restore tenant failed: -4016(internal error)".to_owned());
            return;
        }
        if job.stage + 1 < RESTORE_STAGES.len() {
            job.stage += 1;
            self.legacy_later(10_000_000, Step::Restore(id));
            return;
        }
        job.end_us = Some(now);
        if let Some(tenant) = self.tenant_mut(tenant) {
            tenant.status = Status::Normal;
            tenant.role = Role::Primary;
        }
    }

    /// A tenant that is removed ends the recovery that makes it.
    pub(crate) fn end_legacy_restores_into(&mut self, tenant: i64) {
        let now = self.now_us;
        let running = |r: &&mut LegacyRestore| r.tenant == tenant && r.end_us.is_none();
        for job in self.legacy.restores.iter_mut().filter(running) {
            job.end_us = Some(now);
            job.failure = Some("the tenant was dropped".to_owned());
        }
    }
}
