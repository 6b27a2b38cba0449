//! Removing a cluster from the console: what is known of it is forgotten, what it has stays where it is.

use crate::{access::GlobalAdmin, audit::plain, error::Error, reports::known};

/// What the audit calls it.
const REMOVE_CLUSTER: &str = "remove cluster";

impl GlobalAdmin {
    /// Forgets a cluster. Its tenants, its backups and its own log backup are not touched; adding it again shows them
    /// again. Refused while tasks of it are not finished.
    pub async fn remove_cluster(&self, name: &str) -> Result<(), Error> {
        let inner = &self.console.inner;
        let handle = self.admin().handle(name)?;
        let _adding = inner.adding.lock().await;
        let known = known(inner, &handle).await?;
        let entry = plain(
            inner,
            &self.actor,
            REMOVE_CLUSTER,
            name,
            &format!("{}, {}", known.cluster.version, known.cluster.destination),
        );
        // Nobody looks at it while it is removed, nor after.
        let eye = handle.eye.lock().await;
        inner
            .store
            .change(async |change| {
                let open = change.unfinished(handle.id).await?;
                if let Some(job) = open.first() {
                    return Err(Error::Conflict(format!(
                        "{} task {} of cluster {name} is not finished; wait for its end or cancel it, then remove \
                         the cluster",
                        job.order.kind().label(),
                        job.id
                    )));
                }
                change.audit(&entry).await?;
                change.remove_cluster(handle.id).await?;
                if let Some(password) = known.password {
                    change.remove_secret(password).await?;
                }
                Ok(())
            })
            .await?;
        handle.set_removed();
        drop(eye);
        inner.dismiss(&handle).await;
        Ok(())
    }
}
