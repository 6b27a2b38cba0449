//! Clusters that are servers elsewhere: how they are reached, trying that, and changing it.

use crate::{
    access::GlobalAdmin,
    audit::{Entry, plain},
    console::Inner,
    error::Error,
    handle::answer,
    reports::known,
    tasks::keep,
};
use domain::{
    ClusterId,
    capability::EngineKind,
    endpoint::{Access, ConnectionReport, Endpoint, label},
};
use engine::ServerAccess;
use store::{Change, KnownCluster};

/// What sealed passwords are for.
const PASSWORD: &str = "password of cluster";
/// What the audit calls it.
const MODIFY_CLUSTER: &str = "modify cluster";
const TEST_CONNECTION: &str = "test connection";

/// How a known cluster is reached; nothing for those that are the console's own files.
pub(crate) async fn access(
    inner: &Inner,
    known: &KnownCluster,
) -> Result<Option<ServerAccess>, Error> {
    let Some(endpoint) = known.cluster.endpoint.clone() else {
        return Ok(None);
    };
    let password = match known.password {
        Some(sealed) => {
            let owner = known.cluster.id.to_string();
            let opened = inner.secrets.open(PASSWORD, &owner, sealed).await?;
            opened.expose().to_owned()
        }
        None => String::new(),
    };
    Ok(Some(ServerAccess { endpoint, password }))
}

/// Seals the password of a cluster, in place of the one that there may be.
pub(crate) async fn seal(
    inner: &Inner,
    change: &Change,
    (id, former): (ClusterId, Option<store::SecretRef>),
    password: &str,
) -> Result<(), Error> {
    let owner = id.to_string();
    let sealed = inner
        .secrets
        .seal(change, PASSWORD, &owner, password)
        .await?;
    change.cluster_password(id, sealed).await?;
    if let Some(former) = former {
        change.remove_secret(former).await?;
    }
    Ok(())
}

/// What was given, checked; everything that is wrong is told at once.
pub(crate) fn checked(access: &Access) -> Result<Endpoint, Error> {
    access.checked().map_err(Error::Invalid)
}

impl GlobalAdmin {
    /// Tries step by step whether a server could be used as a cluster; adds nothing. Without a password the one of
    /// `cluster` is used, which is never shown.
    pub async fn test_connection(
        &self,
        kind: EngineKind,
        access: &Access,
        cluster: Option<&str>,
    ) -> Result<ConnectionReport, Error> {
        let inner = &self.console.inner;
        let endpoint = checked(access)?;
        let password = match (&access.password, cluster) {
            (Some(password), _) => password.clone(),
            (None, Some(name)) => self.known_password(name, &endpoint).await?,
            (None, None) => String::new(),
        };
        let subject = endpoint.to_string();
        let server = ServerAccess { endpoint, password };
        let attempt = inner.opener.try_server(kind, &server);
        let report = answer("test of a connection", &subject, attempt).await?;
        let outcome = if report.passed() { "passed" } else { "failed" };
        let entry = plain(inner, &self.actor, TEST_CONNECTION, &subject, outcome);
        inner
            .store
            .change(async |change| Ok::<_, Error>(change.audit(&entry).await?))
            .await?;
        Ok(report)
    }

    /// The password that is known. It is sent to no address that it was not given for.
    async fn known_password(&self, name: &str, endpoint: &Endpoint) -> Result<String, Error> {
        let inner = &self.console.inner;
        let handle = self.admin().handle(name)?;
        let known = known(inner, &handle).await?;
        let Some(server) = access(inner, &known).await? else {
            return Ok(String::new());
        };
        let is_known = |address| server.endpoint.addresses.contains(address);
        if endpoint.addresses.iter().all(is_known) && endpoint.account == server.endpoint.account {
            return Ok(server.password);
        }
        let allowed = "give it again: the addresses or the account are other ones";
        Err(Error::invalid(label::PASSWORD, "not shown", allowed))
    }

    /// Changes how a cluster is reached. It is opened anew with it; what was known of it stays on its page.
    pub async fn modify_cluster(&self, name: &str, access: &Access) -> Result<(), Error> {
        let inner = &self.console.inner;
        let handle = self.admin().handle(name)?;
        let known = known(inner, &handle).await?;
        let Some(before) = known.cluster.endpoint.clone() else {
            let why =
                format!("cluster {name} has no address: its tenants are files of this console");
            return Err(Error::Conflict(why));
        };
        let endpoint = checked(access)?;
        if access.password.is_none() {
            self.known_password(name, &endpoint).await?;
        }
        let change_of_password = access.password.as_ref().map_or("", |_| "; a new password");
        let detail = format!(
            "{before} as {} -> {endpoint} as {}{change_of_password}",
            before.account, endpoint.account
        );
        let entry = Entry {
            operation: MODIFY_CLUSTER,
            cluster: handle.id,
            subject: name,
            detail: &detail,
        };
        inner
            .store
            .change(async |change| {
                change.cluster_endpoint(handle.id, &endpoint).await?;
                if let Some(password) = &access.password {
                    seal(inner, change, (handle.id, known.password), password).await?;
                }
                entry.write(change, inner, &self.actor).await
            })
            .await?;
        keep::open_anew(&handle).await;
        Ok(())
    }
}
