//! Tenants: making one, running SQL in one, and reading its backups back.

use crate::{
    access::Operator, audit::Entry, backups::named, error::Error, handle::answer, jobs::queue,
};
use domain::{ClusterId, TenantId, second_backup::Place, tenant::TenantState, validate};
use engine::{EngineErrorKind, SqlResult, TenantKey, VerifyReport};
use store::{TenantPicture, Verification};

/// What the audit calls making one.
pub(crate) const CREATE_TENANT: &str = "create tenant";
/// Most tenants of a cluster, also those that are gone and left backups; every page reads them all.
const TENANTS_MAX: usize = 500;
/// Label of the name's field.
const NAME: &str = "Tenant name";

impl Operator {
    /// Makes an empty tenant whose log is archived from the start.
    pub async fn create_tenant(&self, cluster: &str, name: &str) -> Result<TenantId, Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let name = validate::name(NAME, name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let open = inner.store.unfinished(handle.id).await?;
        if let Some(job) = queue::recovery_to(&open, &name) {
            return Err(Error::Conflict(format!(
                "the name {name} is reserved by recovery task {}; choose another name",
                job.id
            )));
        }
        let picture = inner.store.picture(handle.id).await?;
        if picture
            .iter()
            .any(|known| known.facts.name == name && known.facts.state != TenantState::Offline)
        {
            return Err(Error::Conflict(format!(
                "tenant {name} exists already; choose another name"
            )));
        }
        if picture.len() >= TENANTS_MAX {
            return Err(Error::Conflict(format!(
                "cluster {cluster} has {TENANTS_MAX} tenants, counting those that are gone, and \
                 cannot have more; create tenant {name} in another cluster"
            )));
        }
        let entry = Entry {
            operation: CREATE_TENANT,
            cluster: handle.id,
            subject: &name,
            detail: "",
        };
        let engine = handle.engine()?;
        let key = self
            .audited(entry, async {
                Ok(answer("creation", &name, engine.create_tenant(&name)).await?)
            })
            .await?;
        self.show(&handle).await?;
        let picture = inner.store.picture(handle.id).await?;
        picture
            .iter()
            .find(|tenant| tenant.facts.engine_key == key.0)
            .map(|tenant| tenant.id)
            .ok_or_else(|| {
                Error::Unavailable(format!(
                    "tenant {name} was created but is not seen yet; look again in a moment"
                ))
            })
    }

    /// Runs SQL text in a tenant. The audit has the operation, never the text.
    pub async fn run_sql(
        &self,
        cluster: &str,
        tenant: TenantId,
        sql: &str,
    ) -> Result<Vec<SqlResult>, Error> {
        let (handle, picture) = self.tenant(cluster, tenant).await?;
        let entry = Entry {
            operation: "run SQL",
            cluster: handle.id,
            subject: &picture.facts.name,
            detail: "",
        };
        let key = TenantKey(picture.facts.engine_key.clone());
        let engine = handle.engine()?;
        // No limit of time: a statement takes as long as it takes.
        let results = self
            .audited_without_words(entry, async { Ok(engine.run_sql(&key, sql).await?) })
            .await?;
        handle.nudge(self.inner().now());
        Ok(results)
    }

    /// Reads every set and log file that one copy has of a tenant, or of all, back and checks every checksum. What
    /// was found in the first copy is kept.
    pub async fn verify(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        place: Place,
    ) -> Result<VerifyReport, Error> {
        let handle = self.handle(cluster)?;
        let picture = self.inner().store.picture(handle.id).await?;
        let chosen: Vec<&TenantPicture> = match tenant {
            Some(id) => vec![named(&picture, id)?],
            None => picture.iter().collect(),
        };
        let subject = match tenant {
            Some(_) => chosen[0].facts.name.as_str(),
            None => "all tenants",
        };
        let entry = Entry {
            operation: "verify",
            cluster: handle.id,
            subject,
            detail: match place {
                Place::First => "",
                Place::Second => "the second copy",
            },
        };
        let engine = handle.engine()?;
        let work = async {
            let mut all = VerifyReport::default();
            for tenant in chosen {
                let key = TenantKey(tenant.facts.engine_key.clone());
                // No limit of time: it reads everything there is.
                let report = match place {
                    Place::First => engine.verify(Some(&key)).await,
                    Place::Second => engine.verify_second(Some(&key)).await,
                };
                let report = match report {
                    // Of a tenant that is gone with all its backups nothing is left to read.
                    Err(error)
                        if error.kind == EngineErrorKind::NotFound && !has_backups(tenant) =>
                    {
                        continue;
                    }
                    report => report?,
                };
                if place == Place::First {
                    self.keep(handle.id, tenant.id, &report).await?;
                }
                all.sets += report.sets;
                all.log_files += report.log_files;
                all.bytes += report.bytes;
                all.faults.extend(report.faults);
            }
            Ok(all)
        };
        self.audited(entry, work).await
    }

    /// Keeps what reading back found.
    async fn keep(
        &self,
        cluster: ClusterId,
        tenant: TenantId,
        report: &VerifyReport,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let found = Verification {
            cluster,
            tenant,
            at: inner.now(),
            actor: self.actor.name.clone(),
            sets: report.sets,
            log_files: report.log_files,
            bytes: report.bytes,
            faults: report.faults.len() as u64,
            first_fault: report.faults.first().cloned(),
        };
        inner
            .store
            .change(async |change| Ok(change.verified(&found).await?))
            .await
    }
}

/// Whether anything is known to be left of a tenant's backups.
fn has_backups(tenant: &TenantPicture) -> bool {
    !tenant.sets.is_empty() || !tenant.spans.is_empty()
}
