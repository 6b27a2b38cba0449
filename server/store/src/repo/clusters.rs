//! Managed clusters.

use super::secrets::SecretRef;
use crate::{
    Change, Store,
    convert::{count, impossible, scn, scn_column, scn_opt, word},
    entity::cluster,
    error::{During, Result},
};
use domain::{
    ClusterId, Revision, Scn,
    capability::{Capabilities, EngineKind},
    cluster::Cluster,
    endpoint::{self, Endpoint},
    strategy::Drift,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

/// A cluster with what only the console's own parts need to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCluster {
    /// What the page may see.
    pub cluster: Cluster,
    /// Directory of the cluster's own files.
    pub home_dir: String,
    /// Directory its backups go to.
    pub destination_dir: String,
    /// When it was added.
    pub created: Scn,
    /// The revision of what was last observed of it.
    pub observed_rev: Revision,
    /// Which cluster it is at its destinations, once its engine was open.
    pub identity: Option<String>,
    /// How far the clock was seen to be set back since its engine was opened, in ns.
    pub clock_back_ns: u64,
    /// Where its sealed password lies, for clusters that are servers elsewhere.
    pub password: Option<SecretRef>,
    /// Where it was not what its strategy says, when it was last observed.
    pub drift: Vec<Drift>,
}

/// A cluster to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCluster {
    /// Unique name.
    pub name: String,
    /// What runs it.
    pub engine: EngineKind,
    /// What the open engine says about itself.
    pub opened: Opened,
    /// Directory of the cluster's own files.
    pub home_dir: String,
    /// Directory its backups go to.
    pub destination_dir: String,
    /// Where it listens and who signs in, for servers elsewhere.
    pub endpoint: Option<Endpoint>,
    /// When.
    pub created: Scn,
}

/// What an engine says about itself when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Version of the database behind it.
    pub version: String,
    /// What can be done with it.
    pub capabilities: Capabilities,
    /// Where its backups go, as people write it.
    pub destination: String,
}

impl Opened {
    fn capabilities_text(&self) -> Result<String> {
        serde_json::to_string(&self.capabilities)
            .map_err(|error| impossible("cluster.capabilities", error))
    }
}

impl Store {
    /// Every cluster, by name.
    pub async fn clusters(&self) -> Result<Vec<KnownCluster>> {
        let rows = cluster::Entity::find()
            .order_by_asc(cluster::COLUMN.name)
            .all(&self.db)
            .await
            .during("listing clusters")?;
        rows.into_iter().map(known).collect()
    }

    /// The cluster of this name.
    pub async fn cluster(&self, name: &str) -> Result<Option<KnownCluster>> {
        let row = cluster::Entity::find()
            .filter(cluster::COLUMN.name.eq(name))
            .one(&self.db)
            .await
            .during("reading a cluster")?;
        row.map(known).transpose()
    }

    /// The revision of what was last observed of a cluster.
    pub async fn observed_rev(&self, id: ClusterId) -> Result<Revision> {
        let row = head(&self.db, id).await?;
        row.map(|row| Revision(row.observed_rev))
            .ok_or_else(|| impossible("cluster_id", id))
    }
}

impl Change {
    /// Adds a cluster.
    pub async fn add_cluster(&self, add: &AddCluster) -> Result<ClusterId> {
        let rev = self.take_rev();
        let row = cluster::ActiveModel {
            name: Set(add.name.clone()),
            engine: Set(add.engine.code().to_owned()),
            version: Set(add.opened.version.clone()),
            capabilities: Set(add.opened.capabilities_text()?),
            destination: Set(add.opened.destination.clone()),
            home_dir: Set(add.home_dir.clone()),
            destination_dir: Set(add.destination_dir.clone()),
            created: Set(scn_column(add.created)),
            observed: Set(None),
            fault: Set(None),
            period_rev: Set(rev),
            rev: Set(rev),
            observed_rev: Set(rev),
            addresses: Set(add.endpoint.as_ref().map(ToString::to_string)),
            account: Set(add.endpoint.as_ref().map(|it| it.account.clone())),
            ..Default::default()
        };
        let done = cluster::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("adding a cluster")?;
        Ok(ClusterId(done.last_insert_id))
    }

    /// Records what an engine says about itself.
    pub async fn cluster_opened(&self, id: ClusterId, opened: &Opened) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                version: Set(opened.version.clone()),
                capabilities: Set(opened.capabilities_text()?),
                destination: Set(opened.destination.clone()),
                fault: Set(None),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records a look at the cluster that succeeded, as the last part of a change with what it saw.
    pub async fn cluster_observed(&self, id: ClusterId, at: Scn) -> Result<Revision> {
        let rev = self.take_rev();
        self.update_cluster(
            id,
            cluster::ActiveModel {
                observed: Set(Some(scn_column(at))),
                fault: Set(None),
                rev: Set(rev),
                observed_rev: Set(rev),
                ..Default::default()
            },
        )
        .await?;
        Ok(Revision(rev))
    }

    /// Records why the cluster cannot be looked at.
    pub async fn cluster_fault(&self, id: ClusterId, fault: &str) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                fault: Set(Some(fault.to_owned())),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records where the cluster's backups go from now on.
    pub async fn cluster_moved(&self, id: ClusterId, destination_dir: &str) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                destination_dir: Set(destination_dir.to_owned()),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records where a server elsewhere listens and who signs in there.
    pub async fn cluster_endpoint(&self, id: ClusterId, endpoint: &Endpoint) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                addresses: Set(Some(endpoint.to_string())),
                account: Set(Some(endpoint.account.clone())),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records where the sealed password of a server elsewhere lies.
    pub async fn cluster_password(&self, id: ClusterId, password: SecretRef) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                password: Set(Some(password.0)),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Records where the cluster is not what its strategy says.
    pub async fn cluster_drift(&self, id: ClusterId, drift: &[Drift]) -> Result<()> {
        let text =
            serde_json::to_string(drift).map_err(|error| impossible("cluster.drift", error))?;
        self.update_cluster(
            id,
            cluster::ActiveModel {
                drift: Set((!drift.is_empty()).then_some(text)),
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Marks what the page says about the cluster as changed, so that pages get it anew.
    pub async fn cluster_changed(&self, id: ClusterId) -> Result<()> {
        self.update_cluster(
            id,
            cluster::ActiveModel {
                rev: Set(self.take_rev()),
                ..Default::default()
            },
        )
        .await
    }

    /// Marks the recovery period of the cluster as changed, so that pages get it anew.
    pub async fn period_changed(&self, id: ClusterId) -> Result<()> {
        let rev = self.take_rev();
        self.update_cluster(
            id,
            cluster::ActiveModel {
                period_rev: Set(rev),
                rev: Set(rev),
                ..Default::default()
            },
        )
        .await
    }

    pub(crate) async fn update_cluster(
        &self,
        id: ClusterId,
        row: cluster::ActiveModel,
    ) -> Result<()> {
        cluster::Entity::update_many()
            .set(row)
            .filter(cluster::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a cluster")?;
        Ok(())
    }
}

/// Name of a cluster and its two revisions: of the row and of the period.
pub(crate) async fn head(
    db: &impl ConnectionTrait,
    id: ClusterId,
) -> Result<Option<cluster::Model>> {
    cluster::Entity::find_by_id(id.0)
        .one(db)
        .await
        .during("reading a cluster")
}

fn known(row: cluster::Model) -> Result<KnownCluster> {
    let endpoint = endpoint_of(&row)?;
    let capabilities = serde_json::from_str(&row.capabilities)
        .map_err(|error| impossible("cluster.capabilities", error))?;
    let drift = match &row.drift {
        Some(text) => {
            serde_json::from_str(text).map_err(|error| impossible("cluster.drift", error))?
        }
        None => Vec::new(),
    };
    Ok(KnownCluster {
        cluster: Cluster {
            id: ClusterId(row.id),
            name: row.name,
            engine: word("cluster.engine", &row.engine, EngineKind::from_code)?,
            version: row.version,
            capabilities,
            destination: row.destination,
            endpoint,
            observed: scn_opt("cluster.observed", row.observed)?,
            fault: row.fault,
            rev: Revision(row.rev),
        },
        home_dir: row.home_dir,
        destination_dir: row.destination_dir,
        created: scn("cluster.created", row.created)?,
        observed_rev: Revision(row.observed_rev),
        identity: row.identity,
        clock_back_ns: count("cluster.clock_back_ns", row.clock_back_ns.unwrap_or(0))?,
        password: row.password.map(SecretRef),
        drift,
    })
}

fn endpoint_of(row: &cluster::Model) -> Result<Option<Endpoint>> {
    let Some(addresses) = &row.addresses else {
        return Ok(None);
    };
    let addresses =
        endpoint::addresses(addresses).map_err(|_| impossible("cluster.addresses", addresses))?;
    Ok(Some(Endpoint {
        addresses,
        account: row.account.clone().unwrap_or_default(),
    }))
}
