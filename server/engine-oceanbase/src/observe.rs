//! One look at a cluster of version 4: a constant number of statements, whatever the number of tenants.

use crate::{
    history::{Backups, KnownPiece, KnownRound, KnownSet},
    link::Link,
    session::{BadValue, Row, SqlFailure, Table},
    statement::masked,
    views::{Columns, View},
    windows::{PieceFile, SetFile},
};
use ::engine::{ArchiveObservation, Observation, TenantKey, TenantObservation};
use domain::{
    Scn, archive::ArchiveState, backup::BackupKind, second_backup::Place, storage::StorageState,
    strategy::Drift, tenant::TenantState,
};
use std::collections::BTreeMap;

/// Statements of one look.
pub const STATEMENTS: u64 = 10;

/// A look that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error(transparent)]
    Failed(#[from] SqlFailure),
    #[error(transparent)]
    Bad(#[from] BadValue),
}

/// Rows as they came, so that nothing is sent between the first and the last that could be left out.
pub(crate) struct Look {
    now: Scn,
    tenants: Table,
    archive: Table,
    rounds: Table,
    pieces: Table,
    sets: Table,
    log_destinations: Table,
    data_destinations: Table,
    policies: Table,
    units: Table,
}

/// Everything known of one tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct TenantFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) role: String,
    pub(crate) log_mode: String,
    pub(crate) backups: Backups,
    /// As the cluster stores it, with what opens it in its own form.
    pub(crate) data_destination: String,
    pub(crate) log_destination: String,
    /// The window of its delete policy, such as `7d`; empty without one.
    pub(crate) policy: String,
    log_option_state: String,
    archive: Option<ArchiveFacts>,
    data_bytes: u64,
    log_bytes: u64,
    disk_bytes: u64,
    zones: Vec<String>,
}

#[derive(Debug, Clone)]
struct ArchiveFacts {
    status: String,
    round: i64,
    start: Option<Scn>,
    checkpoint: Option<Scn>,
    comment: String,
    path: String,
}

impl Look {
    /// Looks at all tenants.
    pub(crate) async fn take(link: &Link, columns: &Columns) -> Result<Look, LookError> {
        let all = |view, rest| columns.select(view, rest);
        let clock = link.read("SELECT TIME_TO_USEC(NOW(6)) AS NOW_US").await?;
        let now = clock.first().map_or(Ok(None), |row| row.micros("NOW_US"))?;
        let not_deleted = "WHERE FILE_STATUS <> 'DELETED'";
        Ok(Look {
            now: now.unwrap_or(Scn::ZERO),
            tenants: link
                .read(&all(View::Tenants, "WHERE TENANT_TYPE = 'USER'"))
                .await?,
            archive: link.read(&all(View::Archive, "")).await?,
            rounds: link.read(&all(View::Rounds, "")).await?,
            pieces: link.read(&all(View::Pieces, not_deleted)).await?,
            sets: link.read(&all(View::Sets, not_deleted)).await?,
            log_destinations: link.read(&all(View::LogDestinations, "")).await?,
            data_destinations: link.read(&all(View::DataDestinations, "")).await?,
            policies: link.read(&all(View::Policies, "")).await?,
            units: link.read(&all(View::UnitsInUse, "")).await?,
        })
    }

    /// The tenants, by id. Those being made or removed are left out.
    pub(crate) fn tenants(&self) -> Result<BTreeMap<i64, TenantFacts>, BadValue> {
        let mut tenants = BTreeMap::new();
        for row in self.tenants.iter() {
            let id = row.number("TENANT_ID")?;
            let facts = TenantFacts {
                id,
                name: row.text_or_empty("TENANT_NAME"),
                status: row.text_or_empty("STATUS"),
                role: row.text_or_empty("TENANT_ROLE"),
                log_mode: row.text_or_empty("LOG_MODE"),
                ..TenantFacts::default()
            };
            let is_there = row.text("IN_RECYCLEBIN") != Some("YES");
            if is_there && !matches!(facts.status.as_str(), "CREATING" | "DROPPING") {
                tenants.insert(id, facts);
            }
        }
        Self::each(&self.archive, &mut tenants, archive)?;
        Self::each(&self.rounds, &mut tenants, round)?;
        Self::each(&self.pieces, &mut tenants, piece)?;
        Self::each(&self.sets, &mut tenants, set)?;
        Self::each(&self.log_destinations, &mut tenants, log_destination)?;
        Self::each(&self.data_destinations, &mut tenants, data_destination)?;
        Self::each(&self.policies, &mut tenants, policy)?;
        Self::each(&self.units, &mut tenants, unit)?;
        for facts in tenants.values_mut() {
            facts.backups.sets.sort_by_key(|set| set.file.id);
            facts
                .backups
                .pieces
                .sort_by_key(|it| (it.file.round, it.file.id));
            facts.backups.rounds.sort_by_key(|round| round.id);
        }
        Ok(tenants)
    }

    fn each(
        table: &Table,
        tenants: &mut BTreeMap<i64, TenantFacts>,
        take: impl Fn(&mut TenantFacts, Row<'_>) -> Result<(), BadValue>,
    ) -> Result<(), BadValue> {
        for row in table.iter() {
            if let Some(facts) = tenants.get_mut(&row.number("TENANT_ID")?) {
                take(facts, row)?;
            }
        }
        Ok(())
    }

    /// What the console is told; `drift` tells where a tenant is not what is wanted.
    pub(crate) fn told(
        &self,
        drift: impl Fn(&TenantFacts) -> Vec<Drift>,
    ) -> Result<Observation, BadValue> {
        let tenants = self.tenants()?;
        // A console keeps one first destination a cluster; which tenant's it names does not matter where they differ.
        let uris = tenants
            .values()
            .flat_map(|facts| [&facts.data_destination, &facts.log_destination]);
        let storage = |uri: &String| StorageState {
            place: Place::First,
            location: masked(uri),
            total_bytes: None,
            free_bytes: None,
            fault: None,
            identity_changed: false,
        };
        let storages = uris
            .filter(|uri| !uri.is_empty())
            .take(1)
            .map(storage)
            .collect();
        let mut told: Vec<TenantObservation> =
            tenants.values().map(|facts| facts.told(self.now)).collect();
        told.sort_by(|one, other| one.name.cmp(&other.name));
        let mut drifted: Vec<Drift> = tenants.values().flat_map(drift).collect();
        drifted.sort_by(|one, other| one.tenant.cmp(&other.tenant));
        Ok(Observation {
            taken: self.now,
            // Views forget a tenant that was dropped, its destination does not.
            complete: false,
            tenants: told,
            storages,
            clock_back_ns: 0,
            drift: drifted,
        })
    }
}

impl TenantFacts {
    fn told(&self, now: Scn) -> TenantObservation {
        let (sets, spans) = self.backups.told();
        TenantObservation {
            key: TenantKey(self.id.to_string()),
            name: self.name.clone(),
            state: match self.status.as_str() {
                "NORMAL" => TenantState::Online,
                _ => TenantState::Faulty,
            },
            data_file: None,
            size_bytes: self.disk_bytes,
            note: self.note(),
            archive: self.archive_told(now),
            history_known: true,
            sets,
            spans,
            data_bytes: self.data_bytes,
            log_bytes: self.log_bytes,
            second: None,
        }
    }

    /// Whether its log is meant to be archived.
    pub(crate) fn archives(&self) -> bool {
        match self.log_mode.as_str() {
            // 4.0 does not tell it; its round does.
            "" => self
                .archive
                .as_ref()
                .is_some_and(|archive| !matches!(&*archive.status, "STOP" | "STOPPING")),
            mode => mode == "ARCHIVELOG",
        }
    }

    /// Whether there is a round of log that is not stopped, in whatever state.
    pub(crate) fn has_open_round(&self) -> bool {
        let archive = self.archive.as_ref();
        archive.is_some_and(|archive| archive.status != "STOP")
    }

    /// One that nothing is set of.
    #[cfg(test)]
    pub(crate) fn bare(id: i64, name: &str) -> Self {
        TenantFacts {
            id,
            name: name.to_owned(),
            status: "NORMAL".to_owned(),
            role: "PRIMARY".to_owned(),
            log_mode: "NOARCHIVELOG".to_owned(),
            ..TenantFacts::default()
        }
    }

    fn note(&self) -> Option<String> {
        match (self.status.as_str(), self.role.as_str()) {
            ("NORMAL", "STANDBY") => Some("standby: activate it to write to it".to_owned()),
            ("NORMAL", _) => None,
            ("RESTORE", _) => Some("being recovered".to_owned()),
            (status, _) => Some(format!("status {status}")),
        }
    }

    fn archive_told(&self, now: Scn) -> ArchiveObservation {
        let Some(archive) = &self.archive else {
            return ArchiveObservation {
                state: match self.log_mode.as_str() {
                    "ARCHIVELOG" => ArchiveState::Prepare,
                    _ => ArchiveState::Stop,
                },
                round: 0,
                started: None,
                checkpoint: None,
                host: self.zones.join(", "),
                directory: masked(&self.log_destination),
                note: self
                    .log_destination
                    .is_empty()
                    .then(|| "no destination is set".to_owned()),
            };
        };
        let deferred = self.log_option_state.eq_ignore_ascii_case("DEFER");
        let note = match archive.comment.as_str() {
            "" => deferred.then(|| "deferred: its destination's state is DEFER".to_owned()),
            comment => Some(comment.to_owned()),
        };
        ArchiveObservation {
            state: ArchiveState::from_code(&archive.status),
            round: archive.round,
            started: archive.start,
            // A clock of the cluster ahead of what it archived to is right; the other way round it is not.
            checkpoint: archive.checkpoint.map(|checkpoint| checkpoint.min(now)),
            host: self.zones.join(", "),
            directory: masked(&archive.path),
            note,
        }
    }
}

fn archive(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    facts.archive = Some(ArchiveFacts {
        status: row.text_or_empty("STATUS"),
        round: row.number("ROUND_ID")?,
        start: row.scn("START_SCN")?,
        checkpoint: row.scn("CHECKPOINT_SCN")?,
        comment: row.text_or_empty("COMMENT"),
        path: row.text_or_empty("PATH"),
    });
    // The current round has its row here first, and in the summary while it is not stopped.
    round(facts, row)
}

fn round(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    let found = KnownRound {
        id: row.number("ROUND_ID")?,
        destination: row.number("DEST_ID")?,
        start: row.scn("START_SCN")?.unwrap_or(Scn::ZERO),
        checkpoint: row.scn("CHECKPOINT_SCN")?.unwrap_or(Scn::ZERO),
        comment: row.text_or_empty("COMMENT"),
        path: row.text_or_empty("PATH"),
    };
    if !facts
        .backups
        .rounds
        .iter()
        .any(|known| known.id == found.id)
    {
        facts.backups.rounds.push(found);
    }
    Ok(())
}

fn piece(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    facts.log_bytes += row.unsigned("OUTPUT_BYTES")?;
    facts.backups.pieces.push(KnownPiece {
        file: PieceFile {
            round: row.number("ROUND_ID")?,
            id: row.number("PIECE_ID")?,
            start: row.scn("START_SCN")?.unwrap_or(Scn::ZERO),
            end: row.scn("END_SCN")?.unwrap_or(Scn::ZERO),
            checkpoint: row.scn("CHECKPOINT_SCN")?.unwrap_or(Scn::ZERO),
        },
        destination: row.number("DEST_ID")?,
        available: row.text("FILE_STATUS") == Some("AVAILABLE"),
        stored_bytes: row.unsigned("OUTPUT_BYTES")?,
    });
    Ok(())
}

fn set(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    facts.data_bytes += row.unsigned("OUTPUT_BYTES")?;
    let is_usable =
        row.text("STATUS") == Some("SUCCESS") && row.text("FILE_STATUS") == Some("AVAILABLE");
    if !is_usable {
        return Ok(());
    }
    let path = row.text_or_empty("PATH");
    let root = path
        .rfind("/backup_set_")
        .map_or(path.as_str(), |at| &path[..at]);
    facts.backups.sets.push(KnownSet {
        file: SetFile {
            id: row.number("BACKUP_SET_ID")?,
            kind: match row.text("BACKUP_TYPE") {
                Some("INC") => BackupKind::Incremental,
                _ => BackupKind::Full,
            },
            full: row.number("PREV_FULL_BACKUP_SET_ID")?,
            previous: row.number("PREV_INC_BACKUP_SET_ID")?,
            replay_from: row.scn("START_REPLAY_SCN")?.unwrap_or(Scn::ZERO),
            min_restore: row.scn("MIN_RESTORE_SCN")?.unwrap_or(Scn::ZERO),
            with_log: row.text("PLUS_ARCHIVELOG") == Some("ON"),
        },
        root: root.to_owned(),
        started: row.micros("START_TIMESTAMP")?.unwrap_or(Scn::ZERO),
        finished: row.micros("END_TIMESTAMP")?.unwrap_or(Scn::ZERO),
        stored_bytes: row.unsigned("OUTPUT_BYTES")?,
        raw_bytes: row.unsigned("INPUT_BYTES")?,
    });
    Ok(())
}

fn log_destination(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    match row.text("NAME") {
        Some("path") => facts.log_destination = row.text_or_empty("VALUE"),
        Some("state") => facts.log_option_state = row.text_or_empty("VALUE"),
        _ => {}
    }
    Ok(())
}

fn data_destination(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    if row.text("NAME") == Some("data_backup_dest") {
        facts.data_destination = row.text_or_empty("VALUE");
    }
    Ok(())
}

fn policy(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    // Another policy (`log_only`) keeps data for ever; it is none of ours.
    if row.text("POLICY_NAME") == Some("default") {
        facts.policy = row.text_or_empty("RECOVERY_WINDOW");
    }
    Ok(())
}

fn unit(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    facts.disk_bytes = facts.disk_bytes.max(row.unsigned("DATA_DISK_IN_USE")?);
    let zone = row.text_or_empty("ZONE");
    if !facts.zones.contains(&zone) {
        facts.zones.push(zone);
    }
    Ok(())
}
