//! Data backups: requests, jobs and sets.

use super::archive::Stage;
use super::dest::{self, Uri};
use super::tenant::Status;
use super::{Event, World};
use crate::SqlError;
use crate::error;
use crate::version::AfterUpgrade;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Init,
    Doing,
    Canceling,
    Completed,
    Failed,
    Canceled,
}

impl JobState {
    pub(crate) fn text(self) -> &'static str {
        match self {
            JobState::Init => "INIT",
            JobState::Doing => "DOING",
            JobState::Canceling => "CANCELING",
            JobState::Completed => "COMPLETED",
            JobState::Failed => "FAILED",
            JobState::Canceled => "CANCELED",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(
            self,
            JobState::Completed | JobState::Failed | JobState::Canceled
        )
    }
}

/// A backup job of a tenant, or the parent of several (tenant 1).
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) set: i64,
    pub(crate) initiator_tenant: i64,
    pub(crate) initiator_job: i64,
    pub(crate) executors: String,
    pub(crate) plus: bool,
    pub(crate) incremental: bool,
    pub(crate) password: Option<String>,
    pub(crate) started_us: i64,
    pub(crate) ended_us: Option<i64>,
    pub(crate) state: JobState,
    pub(crate) result: i64,
    pub(crate) comment: String,
    pub(crate) description: String,
    pub(crate) path: String,
    /// The task, once the job has one.
    pub(crate) task: Option<i64>,
    /// Number of the phase in the version's list.
    pub(crate) phase: usize,
    pub(crate) start_scn: i64,
    pub(crate) end_scn: i64,
}

impl Job {
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_over()
    }
}

/// A backup set.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) tenant: i64,
    pub(crate) id: i64,
    pub(crate) dest: i64,
    pub(crate) incremental: bool,
    pub(crate) prev_full: i64,
    pub(crate) prev_inc: i64,
    pub(crate) started_us: i64,
    pub(crate) ended_us: Option<i64>,
    pub(crate) status: &'static str,
    pub(crate) file_status: &'static str,
    pub(crate) plus: bool,
    pub(crate) replay_scn: i64,
    pub(crate) min_restore_scn: i64,
    pub(crate) consistent_scn: i64,
    pub(crate) bytes: i64,
    pub(crate) tablets: i64,
    pub(crate) blocks: i64,
    pub(crate) result: i64,
    pub(crate) comment: String,
    pub(crate) password: Option<String>,
    pub(crate) compatible: String,
    /// Key of the data destination.
    pub(crate) root: String,
    /// Name of the tenant when the set was made.
    pub(crate) tenant_name: String,
    /// How much of it is there, 0 to 10 000.
    pub(crate) done: i64,
}

impl Set {
    /// Where the set is.
    pub(crate) fn path(&self) -> String {
        let kind = if self.incremental { "inc" } else { "full" };
        Uri::below(&self.root, &format!("backup_set_{}_{kind}", self.id))
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.status == "SUCCESS" && self.file_status == "AVAILABLE"
    }
}

/// What a BACKUP asks for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The tenant that asks; 1 is sys.
    pub(crate) initiator: i64,
    /// Tenants named one by one, or `None` for all or the own one.
    pub(crate) tenants: Option<Vec<String>>,
    pub(crate) incremental: bool,
    pub(crate) plus: bool,
    pub(crate) description: String,
    pub(crate) password: Option<String>,
}

/// The full and the incremental predecessor of an incremental backup.
type Predecessor = (i64, i64);

impl World {
    /// Starts a backup or tells why not.
    pub(crate) fn start_backup(&mut self, request: &Request) -> Result<(), SqlError> {
        let busy = self.jobs.iter().any(|j| {
            !j.is_over() && j.initiator_tenant == request.initiator && j.initiator_job == 0
        });
        if busy {
            return Err(error::in_progress());
        }
        let tenants = self.backup_tenants(request)?;
        let mut kinds = Vec::new();
        for tenant in &tenants {
            kinds.push((*tenant, self.predecessor(*tenant, request.incremental)?));
        }
        let parent = if request.initiator == 1 {
            self.add_parent(request, &tenants)
        } else {
            0
        };
        for (tenant, predecessor) in kinds {
            self.add_backup(request, tenant, parent, predecessor);
        }
        Ok(())
    }

    fn backup_tenants(&self, request: &Request) -> Result<Vec<i64>, SqlError> {
        let running = |id: i64| self.jobs.iter().any(|j| j.tenant == id && !j.is_over());
        if request.initiator != 1 {
            self.can_backup(request.initiator)
                .map_err(error::cannot_start)?;
            if running(request.initiator) {
                return Err(error::in_progress());
            }
            return Ok(vec![request.initiator]);
        }
        if let Some(names) = &request.tenants {
            let mut ids = Vec::new();
            for name in names {
                let id = self.tenant_id(name)?;
                self.can_backup(id).map_err(error::cannot_start)?;
                if running(id) {
                    return Err(error::in_progress());
                }
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            return Ok(ids);
        }
        let ids: Vec<i64> = self
            .tenants
            .iter()
            .map(|t| t.id)
            .filter(|t| self.can_backup(*t).is_ok() && !running(*t))
            .collect();
        if ids.is_empty() {
            return Err(error::cannot_start(
                "no tenant meets the backup condition, please check the tenant status, log archive \
                 status, backup data dest, and backup status for each tenant",
            ));
        }
        Ok(ids)
    }

    fn can_backup(&self, id: i64) -> Result<(), &'static str> {
        let tenant = self.tenant(id).ok_or("tenant status is not normal.")?;
        if tenant.status != Status::Normal || tenant.in_recyclebin {
            return Err("tenant status is not normal.");
        }
        if tenant.data().is_none() {
            return Err("backup dest is not set.");
        }
        if self.archive_status(id) != Some(Stage::Doing) {
            return Err("log archive status is not doing.");
        }
        Ok(())
    }

    /// What an incremental backup builds on; `None` makes a full one.
    fn predecessor(&self, id: i64, incremental: bool) -> Result<Option<Predecessor>, SqlError> {
        let Some(tenant) = self.tenant(id).filter(|_| incremental) else {
            return Ok(None);
        };
        if self.faults.becomes_full.contains(&tenant.name) {
            return Ok(None);
        }
        let root = tenant.data().map(|d| d.path.clone()).unwrap_or_default();
        let Some(last) = self
            .sets
            .iter()
            .rev()
            .find(|s| s.tenant == id && s.root == root && s.is_usable())
        else {
            return Ok(None);
        };
        if last.compatible != tenant.compatible {
            match self.version().incremental_after_upgrade() {
                AfterUpgrade::Full => return Ok(None),
                AfterUpgrade::Unchecked => {}
                AfterUpgrade::Refused => {
                    return Err(error::cannot_start(format!(
                        "cross compatible incremental backup is not supported, previous backup set \
                         compatible is {}, current compatible is {}",
                        last.compatible, tenant.compatible
                    )));
                }
            }
        }
        let full = if last.incremental {
            last.prev_full
        } else {
            last.id
        };
        Ok(Some((full, last.id)))
    }

    fn new_job(&mut self, request: &Request, tenant: i64) -> Job {
        self.change += 1;
        self.ids.job += 1;
        Job {
            id: self.ids.job - 1,
            tenant,
            set: 0,
            initiator_tenant: request.initiator,
            initiator_job: 0,
            executors: tenant.to_string(),
            plus: request.plus,
            incremental: request.incremental,
            password: request.password.clone(),
            started_us: self.now_us,
            ended_us: None,
            state: JobState::Init,
            result: 0,
            comment: String::new(),
            description: request.description.clone(),
            path: String::new(),
            task: None,
            phase: 0,
            start_scn: 0,
            end_scn: 0,
        }
    }

    fn launch(&mut self, job: Job) -> i64 {
        let id = job.id;
        self.jobs.push(job);
        let wait = self.shortened(1_000_000);
        self.later(wait, Event::Backup(id));
        id
    }

    fn add_parent(&mut self, request: &Request, tenants: &[i64]) -> i64 {
        let mut job = self.new_job(request, 1);
        let executors: Vec<String> = tenants.iter().map(i64::to_string).collect();
        job.executors = executors.join(",");
        self.launch(job)
    }

    fn add_backup(
        &mut self,
        request: &Request,
        tenant: i64,
        parent: i64,
        predecessor: Option<Predecessor>,
    ) {
        let mut job = self.new_job(request, tenant);
        job.start_scn = self.round_of(tenant).map_or(self.now_scn(), |r| {
            r.start_scn.max(self.checkpoint(r) - 2_000_000_000)
        });
        job.initiator_job = parent;
        job.incremental = predecessor.is_some();
        if let Some(set) = self.new_set(tenant, predecessor, request) {
            job.set = set.id;
            job.path.clone_from(&set.root);
            self.sets.push(set);
            self.launch(job);
        }
    }

    /// A set at its beginning.
    pub(crate) fn new_set(
        &mut self,
        tenant: i64,
        predecessor: Option<Predecessor>,
        request: &Request,
    ) -> Option<Set> {
        let tablets = 400 + self.random(200);
        let all_blocks = 900 + self.random(600);
        let started_us = self.now_us;
        let owner = self.tenant_mut(tenant)?;
        let dest = owner.data().cloned()?;
        let id = owner.next_set;
        owner.next_set += 1;
        let incremental = predecessor.is_some();
        let (prev_full, prev_inc) = predecessor.unwrap_or((0, 0));
        let blocks = if incremental {
            all_blocks / 8
        } else {
            all_blocks
        };
        Some(Set {
            tenant,
            id,
            dest: dest.dest_id,
            incremental,
            prev_full,
            prev_inc,
            started_us,
            ended_us: None,
            status: "DOING",
            file_status: "COPYING",
            plus: request.plus,
            replay_scn: 0,
            min_restore_scn: 0,
            consistent_scn: 0,
            bytes: blocks * (2 << 20),
            tablets,
            blocks,
            result: 0,
            comment: String::new(),
            password: request.password.clone(),
            compatible: owner.compatible.clone(),
            root: dest.path,
            tenant_name: owner.name.clone(),
            done: 0,
        })
    }

    /// `CANCEL BACKUP`; nothing running is fine.
    pub(crate) fn cancel_backup(&mut self, tenants: Option<&[i64]>) {
        let wait = self.shortened(2_000_000);
        let mut ids = Vec::new();
        for job in &mut self.jobs {
            let mine = tenants.is_none_or(|t| t.contains(&job.tenant));
            if mine && matches!(job.state, JobState::Init | JobState::Doing) {
                job.state = JobState::Canceling;
                ids.push(job.id);
            }
        }
        for id in ids {
            self.change += 1;
            self.forget(Event::Backup(id));
            self.later(wait, Event::Backup(id));
        }
    }
}

/// What a view shows of a backup password.
pub(crate) fn shown_password(password: Option<&str>) -> String {
    password.map_or_else(String::new, |p| dest::digest(p).to_ascii_lowercase())
}
