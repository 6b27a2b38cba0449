//! The second destination: which one is used, and orders to copy to it.
//!
//! A cluster before 4.0 has one second destination for all, and copies sets and log of every tenant together. So the
//! first order for a set copies it for all tenants, and the others join it or find it there.

use super::{
    copy::{CopyId, CopyOf},
    engine::{LegacyEngine, Turn},
    facts::TenantFacts,
    memory::{Asked, Number, Order},
    statement::LegacyStatement,
    views::LegacyView,
};
use crate::{failure::Call, statement::masked, windows};
use ::engine::{CopySpec, CopyWhat, EngineError, EngineErrorKind, EngineJobId};
use std::{path::Path, sync::PoisonError};

/// Sets that an order has the cluster copy.
enum Wanted {
    /// All that it needs are there.
    Nothing,
    /// Only itself is missing.
    Only(i64),
    /// It and others are missing. Before 4.0 sets are copied in their order, so all of them are asked for.
    Several,
}

impl LegacyEngine {
    /// Has the cluster use a second destination. With `None` only the console stops using it: the cluster's own
    /// parameter is left alone, since a destination that was used cannot be set again.
    pub(super) async fn use_destination(&self, path: Option<&Path>) -> Result<(), EngineError> {
        let Some(path) = path else {
            self.remember_second(None);
            return Ok(());
        };
        let text = path.to_string_lossy().into_owned();
        let shown = masked(&text);
        let call = self.call("use of a second storage", &shown);
        let uri = uri_of(&text).ok_or_else(|| {
            call.rejected(
                "a second destination is an absolute path or a URI such as file:///backup/second",
            )
        })?;
        let _turn = self.turn.lock().await;
        let first = self.parameter(call, "backup_dest").await?;
        if first.is_empty() {
            return Err(call.rejected(
                "the cluster has no destination for its backups yet; set that one first",
            ));
        }
        if place(&first) == place(&uri) {
            return Err(call.rejected("it is the destination of the backups themselves"));
        }
        if place(&self.parameter(call, "backup_backup_dest").await?) != place(&uri) {
            let order = LegacyStatement::SecondDestination { uri: uri.clone() };
            match self.send(call, &order).await? {
                Ok(()) => {}
                Err(failure) if failure.is_open() => {
                    let set = self.parameter(call, "backup_backup_dest").await?;
                    if place(&set) != place(&uri) {
                        return Err(call.failed(&failure));
                    }
                }
                Err(failure) if failure.is_code(9026) => {
                    let why = format!(
                        "{failure}; take an empty directory that was never a destination of this cluster"
                    );
                    return Err(call.rejected(why));
                }
                Err(failure) => return Err(call.failed(&failure)),
            }
        }
        self.remember_second(Some(uri));
        Ok(())
    }

    fn remember_second(&self, uri: Option<String>) {
        *self.second.lock().unwrap_or_else(PoisonError::into_inner) = uri;
    }

    /// Begins to copy, joins what was begun for another tenant, or finds the token's own.
    pub(super) async fn begin_copy(&self, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
        let call = self.call("second backup", &spec.tenant.0);
        let Some(second) = self.second() else {
            return Err(call.rejected(
                "no second destination is used; turn second backup on in the backup strategy",
            ));
        };
        let tenant = self.tenant(call, &spec.tenant).await?;
        let mut turn = self.turn.lock().await;
        if let Some(known) = self.remembered(call, &spec.token).await? {
            return Ok(known);
        }
        let of = match spec.what {
            CopyWhat::Set(set) => CopyOf::Set(set.0),
            CopyWhat::Log => CopyOf::Log,
        };
        let set = self.parameter(call, "backup_backup_dest").await?;
        if place(&set) != place(&second) {
            let why = format!(
                "somebody changed the second destination of the cluster to {}; save the backup strategy \
                 again",
                masked(&set)
            );
            return Err(call.rejected(why));
        }
        let order = match of {
            CopyOf::Set(set) => match wanted(call, &tenant, set)? {
                Wanted::Nothing => return Ok(self.known_copy(spec, of, None, tenant.id)),
                Wanted::Only(set) => LegacyStatement::CopySet { set },
                Wanted::Several => LegacyStatement::CopyAllSets,
            },
            CopyOf::Log => LegacyStatement::CopyLog,
        };
        if let Some(job) = self.running_copy(call, of).await? {
            let own = self.is_own(call, &turn, of, job).await?;
            return match own {
                true => Ok(self.known_copy(spec, of, Some(Number::Is(job)), tenant.id)),
                false => Err(call.error(
                    EngineErrorKind::Unreachable,
                    "another copy of the whole cluster is running; it is tried again when that has ended",
                )),
            };
        }
        self.send_copy(call, &mut turn, spec, (of, order), &tenant)
            .await
    }

    async fn send_copy(
        &self,
        call: Call<'_>,
        turn: &mut Turn,
        spec: &CopySpec,
        (of, order): (CopyOf, LegacyStatement),
        facts: &TenantFacts,
    ) -> Result<EngineJobId, EngineError> {
        let tenant = facts.id;
        let before = self.newest_copy(call, of).await?;
        let asked = Asked::Copy(of, tenant);
        self.memory.note(&spec.token, Order::Sent(before, asked));
        let former = *turn;
        match &order {
            LegacyStatement::CopyLog => turn.log = Some(before),
            LegacyStatement::CopySet { set } => turn.sets = Some((before, Some(*set))),
            _ => turn.sets = Some((before, None)),
        }
        let sent = self.send(call, &order).await?;
        if let Err(failure) = &sent
            && !failure.is_open()
        {
            *turn = former;
            self.memory.forget(&spec.token);
            return match (failure.is_code(9050), of) {
                (true, CopyOf::Log) if !facts.has_pieces() => Err(call.rejected(format!(
                    "{failure}; log is copied in pieces, which are switched off: set \
                     log_archive_piece_switch_interval in backup_dest_option and begin log backup anew"
                ))),
                // Everything is there already.
                (true, CopyOf::Log) => Ok(self.known_copy(spec, of, None, tenant)),
                (true, CopyOf::Set(_)) => Err(call.rejected(format!(
                    "{failure}; before 4.0 a set that is older than the newest copy cannot be copied"
                ))),
                _ => Err(call.failed(failure)),
            };
        }
        match (self.copy_after(call, of, before).await?, sent) {
            (Some(job), _) => Ok(self.known_copy(spec, of, Some(Number::Is(job)), tenant)),
            // Accepted: whatever number it gets, it is the next one.
            (None, Ok(())) => Ok(self.known_copy(spec, of, Some(Number::After(before)), tenant)),
            (None, Err(failure)) => Err(call.failed(&failure)),
        }
    }

    fn known_copy(
        &self,
        spec: &CopySpec,
        of: CopyOf,
        job: Option<Number>,
        tenant: i64,
    ) -> EngineJobId {
        let id = CopyId { of, job, tenant }.text();
        self.memory.note(&spec.token, Order::Known(id.clone()));
        id
    }

    /// Whether the running copy was begun by this process and copies what is wanted.
    async fn is_own(
        &self,
        call: Call<'_>,
        turn: &Turn,
        of: CopyOf,
        job: i64,
    ) -> Result<bool, EngineError> {
        let before = match (of, turn.sets, turn.log) {
            (CopyOf::Log, _, Some(before)) => before,
            (CopyOf::Set(set), Some((before, only)), _) if only.is_none_or(|it| it == set) => {
                before
            }
            _ => return Ok(false),
        };
        Ok(self.copy_after(call, of, before).await? == Some(job))
    }

    async fn running_copy(&self, call: Call<'_>, of: CopyOf) -> Result<Option<i64>, EngineError> {
        self.copy_in(call, of.running(), "ORDER BY JOB_ID DESC LIMIT 1")
            .await
    }

    /// The newest number of such a copy, running or ended; 0 before the first.
    async fn newest_copy(&self, call: Call<'_>, of: CopyOf) -> Result<i64, EngineError> {
        let newest = "ORDER BY JOB_ID DESC LIMIT 1";
        let running = self.copy_in(call, of.running(), newest).await?;
        let ended = self.copy_in(call, of.ended(), newest).await?;
        Ok(running.max(ended).unwrap_or_default())
    }

    /// The first such copy after a number, running or ended.
    pub(super) async fn copy_after(
        &self,
        call: Call<'_>,
        of: CopyOf,
        before: i64,
    ) -> Result<Option<i64>, EngineError> {
        let first = format!("WHERE JOB_ID > {before} ORDER BY JOB_ID LIMIT 1");
        let running = self.copy_in(call, of.running(), &first).await?;
        let ended = self.copy_in(call, of.ended(), &first).await?;
        Ok(running.into_iter().chain(ended).min())
    }

    async fn copy_in(
        &self,
        call: Call<'_>,
        view: LegacyView,
        rest: &str,
    ) -> Result<Option<i64>, EngineError> {
        let table = self.rows(call, view, rest).await?;
        let job = table.first().map(|row| row.number("JOB_ID"));
        job.transpose().map_err(|value| call.bad_value(&value))
    }
}

/// What has to be copied so that a set can be used at the second destination.
fn wanted(call: Call<'_>, tenant: &TenantFacts, set: i64) -> Result<Wanted, EngineError> {
    let known = |id: i64| tenant.made.iter().find(|made| made.set.file.id == id);
    let here: Vec<_> = tenant.first.sets.iter().map(|it| it.file.clone()).collect();
    let until = known(set).map(|made| made.set.file.min_restore);
    let chain = until.map(|until| windows::chain(&here, until));
    let Some(chain) = chain.filter(|chain| chain.last().is_some_and(|last| last.id == set)) else {
        let is_copied = known(set).is_some_and(|made| made.is_copied);
        return match is_copied {
            true => Ok(Wanted::Nothing),
            false => Err(call.rejected(format!(
                "set {set} cannot be copied: it, or one that it builds on, is not at the first destination"
            ))),
        };
    };
    let missing = chain
        .iter()
        .filter(|file| known(file.id).is_none_or(|made| !made.is_copied));
    let missing: Vec<i64> = missing.map(|file| file.id).collect();
    Ok(match missing.as_slice() {
        [] => Wanted::Nothing,
        [only] if *only == set => Wanted::Only(set),
        _ => Wanted::Several,
    })
}

/// The URI of a destination that is given as a path or as a URI.
fn uri_of(text: &str) -> Option<String> {
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric());
            (is_scheme && !scheme.is_empty() && !rest.is_empty()).then(|| text.to_owned())
        }
        None => text.starts_with('/').then(|| format!("file://{text}")),
    }
}

/// What two spellings of one place have in common: without keys, and without a slash at the end.
fn place(uri: &str) -> (&str, Option<&str>) {
    let (path, parameters) = uri.split_once('?').unwrap_or((uri, ""));
    let host = parameters
        .split('&')
        .find_map(|pair| pair.strip_prefix("host="));
    (path.trim_end_matches('/'), host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_paths_or_uris() {
        assert_eq!(uri_of("/bk/second").as_deref(), Some("file:///bk/second"));
        assert_eq!(
            uri_of("oss://b/p?host=h").as_deref(),
            Some("oss://b/p?host=h")
        );
        for bad in ["second", "", "://x", "file://", "/home/x/oss://b"] {
            assert_eq!(uri_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_place_in_two_spellings_is_one_place() {
        let sent = "oss://b/p/?host=h&access_id=i&access_key=k";
        assert_eq!(place(sent), place("oss://b/p?host=h&encrypt_key=x"));
        assert_ne!(place(sent), place("oss://b/p?host=other"));
    }
}
