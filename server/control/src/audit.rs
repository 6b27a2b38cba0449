//! The audit: how orders are recorded with what they change, and who may read it.

use crate::{access::Admin, console::Inner, error::Error};
use domain::{
    ClusterId,
    access::{Actor, Role},
    audit::{AuditFilter, AuditResult, AuditRow},
    page::Page,
};
use serde::Serialize;
use std::{collections::BTreeSet, future::Future};
use store::{Audit, AuditScope, Change};

/// Most entries that are read at once on the way through all of them.
pub const BATCH_MAX: u64 = 500;

/// What is recorded about an order in a cluster.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// A noun: `data backup`.
    pub(crate) operation: &'static str,
    /// In which cluster.
    pub(crate) cluster: ClusterId,
    /// To what.
    pub(crate) subject: &'a str,
    /// More about it; never secrets or the text of SQL.
    pub(crate) detail: &'a str,
}

impl Entry<'_> {
    /// Writes it with the other changes of `change`.
    pub(crate) async fn write(
        &self,
        change: &Change,
        inner: &Inner,
        actor: &Actor,
    ) -> Result<(), Error> {
        change.audit(&self.audit(inner, actor)).await?;
        Ok(())
    }

    /// The same, with what was before and after as JSON; nothing secret may be in it.
    pub(crate) async fn write_with<T: Serialize>(
        &self,
        change: &Change,
        inner: &Inner,
        actor: &Actor,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), Error> {
        let entry = Audit {
            before: before.map(json),
            after: after.map(json),
            ..self.audit(inner, actor)
        };
        change.audit(&entry).await?;
        Ok(())
    }

    fn audit(&self, inner: &Inner, actor: &Actor) -> Audit {
        Audit {
            cluster: Some(self.cluster),
            ..plain(inner, actor, self.operation, self.subject, self.detail)
        }
    }
}

/// An entry about something that belongs to no single cluster.
pub(crate) fn plain(
    inner: &Inner,
    actor: &Actor,
    operation: &str,
    subject: &str,
    detail: &str,
) -> Audit {
    Audit {
        at: inner.now(),
        actor: actor.name.clone(),
        address: actor.origin.address.clone(),
        operation: operation.to_owned(),
        cluster: None,
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        result: AuditResult::Ok,
        cause: None,
        before: None,
        after: None,
    }
}

/// A value as the audit keeps it.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("\"cannot be shown: {error}\""))
}

/// Whether the words of a failure are kept.
pub(crate) enum Ending {
    /// They are.
    Told,
    /// They may quote what was given, and are not.
    Untold,
}

/// An order outside the control database that the audit says was begun.
pub(crate) struct Asked<'a> {
    inner: &'a Inner,
    entry: i64,
}

impl<'a> Asked<'a> {
    /// Records that it begins.
    pub(crate) async fn begin(
        inner: &'a Inner,
        actor: &Actor,
        entry: &Entry<'_>,
    ) -> Result<Asked<'a>, Error> {
        let audit = Audit {
            result: AuditResult::Begun,
            ..entry.audit(inner, actor)
        };
        let begun = inner
            .store
            .change(async |change| change.audit_begun(&audit).await)
            .await?;
        Ok(Asked {
            inner,
            entry: begun.0,
        })
    }

    /// Carries it out and records how it ended.
    pub(crate) async fn end<T>(
        self,
        order: impl Future<Output = Result<T, Error>>,
        ending: Ending,
    ) -> Result<T, Error> {
        let done = order.await;
        let (result, cause) = match (&done, ending) {
            (Ok(_), _) => (AuditResult::Ok, None),
            (Err(error), Ending::Told) => (AuditResult::Failed, Some(error.to_string())),
            (Err(_), Ending::Untold) => {
                let words =
                    "the engine refused; its words may quote what was given and are not kept";
                (AuditResult::Failed, Some(words.to_owned()))
            }
        };
        self.inner
            .store
            .change(async |change| {
                change
                    .audit_ended(self.entry, result, cause.as_deref())
                    .await
            })
            .await?;
        done
    }
}

impl Admin {
    /// A page of the audit: of everything, or of the clusters where the actor is an administrator.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Page<AuditRow>, Error> {
        let store = &self.console.inner.store;
        Ok(store.audit_page(&self.scope(), filter).await?)
    }

    /// The entries with a number below `before`, newest first, at most [`BATCH_MAX`]: the way through
    /// all of them, from `i64::MAX` down.
    pub async fn audit_before(
        &self,
        filter: &AuditFilter,
        before: i64,
    ) -> Result<Vec<AuditRow>, Error> {
        let store = &self.console.inner.store;
        let scope = self.scope();
        Ok(store
            .audit_before(&scope, filter, before, BATCH_MAX)
            .await?)
    }

    fn scope(&self) -> AuditScope {
        let grants = &self.actor.grants;
        if grants.everywhere == Some(Role::Admin) {
            return AuditScope::Everything;
        }
        let own = grants.clusters.iter();
        let own = own.filter(|(_, role)| **role == Role::Admin);
        AuditScope::Clusters(own.map(|(id, _)| *id).collect::<BTreeSet<_>>())
    }
}
