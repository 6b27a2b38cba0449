//! Tenants: making one, running SQL in one, and reading its backups back.

use crate::{access::Operator, audit::Entry, error::Error, handle::answer, jobs::queue};
use domain::{TenantId, second_backup::Place, tenant::TenantState, validate};
use engine::{SqlResult, TenantKey, VerifyReport};

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

    /// Reads every set and log file that one copy has of a tenant, or of all, back and checks every checksum.
    pub async fn verify(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        place: Place,
    ) -> Result<VerifyReport, Error> {
        let (handle, picture) = match tenant {
            Some(id) => {
                let (handle, picture) = self.tenant(cluster, id).await?;
                (handle, Some(picture))
            }
            None => (self.handle(cluster)?, None),
        };
        let subject = picture
            .as_ref()
            .map_or("all tenants", |picture| &picture.facts.name);
        let entry = Entry {
            operation: "verify",
            cluster: handle.id,
            subject,
            detail: match place {
                Place::First => "",
                Place::Second => "the second copy",
            },
        };
        let key = picture
            .as_ref()
            .map(|p| TenantKey(p.facts.engine_key.clone()));
        let engine = handle.engine()?;
        // No limit of time: it reads everything there is.
        self.audited(entry, async {
            Ok(match place {
                Place::First => engine.verify(key.as_ref()).await?,
                Place::Second => engine.verify_second(key.as_ref()).await?,
            })
        })
        .await
    }
}
