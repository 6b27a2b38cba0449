//! One look at a cluster before 4.0: a constant number of statements, whatever the number of tenants.

use super::{
    facts::{ArchiveFacts, MadeSet, PieceFacts, RoundFacts, SECOND_COPY, TenantFacts},
    rows,
    times::{self, Zone},
    views::{LegacyColumns, LegacyView},
};
use crate::{
    history::KnownSet,
    link::Link,
    session::{BadValue, Row, SqlFailure, Table},
    windows::SetFile,
};
use domain::{Scn, backup::BackupKind};
use std::collections::BTreeMap;

/// Statements of one look.
pub const STATEMENTS: u64 = 9;

/// A look that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error(transparent)]
    Failed(#[from] SqlFailure),
    #[error(transparent)]
    Bad(#[from] BadValue),
}

/// Rows as they came, so that nothing is sent between the first and the last that could be left out.
pub(super) struct Look {
    pub(super) now: Scn,
    zone: Zone,
    tenants: Table,
    archive: Table,
    rounds: Table,
    pieces: Table,
    sets: Table,
    jobs: Table,
    units: Table,
    /// The destination of everything, as the cluster tells it.
    pub(super) destination: String,
    /// The second one, as it was given to this process.
    pub(super) second: Option<String>,
}

impl Look {
    /// Looks at all tenants.
    pub(super) async fn take(
        link: &Link,
        columns: &LegacyColumns,
        second: Option<String>,
    ) -> Result<Look, LookError> {
        let all = |view| columns.select(view, "");
        let (now, zone) = times::clock(&link.read(times::CLOCK).await?)?;
        let users = columns.select(LegacyView::Tenants, "WHERE TENANT_ID <> 1");
        let pieces = match columns.has(LegacyView::Pieces) {
            true => link.read(&all(LegacyView::Pieces)).await?,
            false => Table::default(),
        };
        Ok(Look {
            now,
            zone,
            tenants: link.read(&users).await?,
            archive: link.read(&all(LegacyView::Archive)).await?,
            rounds: link.read(&all(LegacyView::Rounds)).await?,
            pieces,
            sets: link.read(&all(LegacyView::Sets)).await?,
            jobs: link.read(&all(LegacyView::Jobs)).await?,
            units: link.read(&all(LegacyView::Units)).await?,
            destination: rows::value(&link.read(&rows::parameter("backup_dest")).await?),
            second,
        })
    }

    /// The tenants, by id. Those being made or removed are left out.
    pub(super) fn tenants(&self) -> Result<BTreeMap<i64, TenantFacts>, BadValue> {
        let mut tenants = BTreeMap::new();
        for row in self.tenants.iter() {
            let id = row.number("TENANT_ID")?;
            let facts = TenantFacts {
                id,
                name: row.text_or_empty("TENANT_NAME"),
                status: row.text_or_empty("STATUS"),
                locality: row.text_or_empty("LOCALITY"),
                ..TenantFacts::default()
            };
            let is_there = row.number("IN_RECYCLEBIN")? == 0;
            let status = facts.status.trim_start_matches("TENANT_STATUS_");
            if is_there && !matches!(status, "CREATING" | "DROPPING") {
                tenants.insert(id, facts);
            }
        }
        let zone = self.zone;
        each(&self.rounds, &mut tenants, round)?;
        each(&self.archive, &mut tenants, |facts, row| {
            archive(facts, row, zone)
        })?;
        each(&self.pieces, &mut tenants, |facts, row| {
            piece(facts, row, zone)
        })?;
        let mut sizes = BTreeMap::new();
        for row in self.jobs.iter() {
            let of = (row.number("TENANT_ID")?, row.number("BS_KEY")?);
            let replay = row.micros("START_REPLAY_LOG_TS")?;
            sizes.insert(of, (row.unsigned("INPUT_BYTES")?, replay));
        }
        each(&self.sets, &mut tenants, |facts, row| {
            let of = (facts.id, row.number("BS_KEY")?);
            let (raw, replay) = sizes.get(&of).copied().unwrap_or_default();
            set(facts, row, raw, replay)
        })?;
        each(&self.jobs, &mut tenants, gone)?;
        each(&self.units, &mut tenants, unit)?;
        for facts in tenants.values_mut() {
            facts.settle(&self.destination, self.second.as_deref());
        }
        Ok(tenants)
    }

    /// The zone of the cluster now.
    pub(super) fn zone(&self) -> Zone {
        self.zone
    }

    /// The state of the whole cluster's log archiving.
    pub(super) fn cluster_status(&self) -> &str {
        let mut rows = self.archive.iter();
        let of_cluster = rows.find(|row| row.text("TENANT_ID") == Some("1"));
        of_cluster
            .and_then(|row| row.text("STATUS"))
            .unwrap_or("STOP")
    }
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

fn round(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    let found = RoundFacts {
        start: row.micros("MIN_FIRST_TIME")?.unwrap_or(Scn::ZERO),
        checkpoint: row.micros("MAX_NEXT_TIME")?.unwrap_or(Scn::ZERO),
        status: row.text_or_empty("STATUS"),
        bytes: row.unsigned("OUTPUT_BYTES")?,
    };
    facts.rounds.insert(row.number("LOG_ARCHIVE_ROUND")?, found);
    Ok(())
}

fn archive(facts: &mut TenantFacts, row: Row<'_>, zone: Zone) -> Result<(), BadValue> {
    let mut found = ArchiveFacts {
        status: row.text_or_empty("STATUS"),
        round: row.number("LOG_ARCHIVE_ROUND")?,
        start: zone.moment(row, "MIN_FIRST_TIME")?,
        checkpoint: zone.moment(row, "MAX_NEXT_TIME")?,
    };
    if found.round > 0 {
        // The current round may be missing in the summary while it is not over. What is there is a number and no text.
        let known = facts.rounds.entry(found.round).or_default();
        known.status.clone_from(&found.status);
        known.start = settled(known.start, &mut found.start);
        known.checkpoint = settled(known.checkpoint, &mut found.checkpoint);
    }
    facts.archive = Some(found);
    Ok(())
}

/// The moment that both tell: the known one where there is one.
fn settled(known: Scn, told: &mut Option<Scn>) -> Scn {
    if known != Scn::ZERO {
        *told = Some(known);
    }
    told.unwrap_or(Scn::ZERO)
}

fn piece(facts: &mut TenantFacts, row: Row<'_>, zone: Zone) -> Result<(), BadValue> {
    let start = zone.moment(row, "START_TS")?.unwrap_or(Scn::ZERO);
    facts.pieces.push(PieceFacts {
        round: row.number("ROUND_ID")?,
        id: row.number("BACKUP_PIECE_ID")?,
        copy: row.number("COPY_ID")?,
        start,
        checkpoint: zone.moment(row, "CHECKPOINT_TS")?.unwrap_or(start),
        is_there: row.text("FILE_STATUS") == Some("AVAILABLE"),
    });
    Ok(())
}

fn set(
    facts: &mut TenantFacts,
    row: Row<'_>,
    raw_bytes: u64,
    replay: Option<Scn>,
) -> Result<(), BadValue> {
    let (id, copy) = (row.number("BS_KEY")?, row.number("COPY_ID")?);
    let succeeded = row.text("STATUS") == Some("SUCCESS");
    let is_there = succeeded && row.text("FILE_STATUS") == Some("AVAILABLE");
    let bytes = row.unsigned("OUTPUT_BYTES")?;
    if is_there && copy == 0 {
        facts.data_bytes += bytes;
    }
    if is_there && copy == SECOND_COPY {
        facts.second_bytes += bytes;
    }
    let started = row.micros("START_TIME")?.unwrap_or(Scn::ZERO);
    let found = MadeSet {
        set: KnownSet {
            file: SetFile {
                id,
                kind: kind(row),
                full: 0,
                previous: 0,
                replay_from: replay.map_or(started, |replay| replay.min(started)),
                min_restore: started,
                with_log: false,
            },
            root: String::new(),
            started,
            finished: row.micros("COMPLETION_TIME")?.unwrap_or(Scn::ZERO),
            stored_bytes: bytes,
            raw_bytes,
        },
        succeeded,
        is_here: is_there && copy == 0,
        is_copied: is_there && copy == SECOND_COPY,
    };
    match facts.made.iter_mut().find(|made| made.set.file.id == id) {
        // The row of the set itself tells when it was made, that of a copy when it was copied.
        Some(known) if copy == 0 => {
            *known = MadeSet {
                is_copied: known.is_copied,
                ..found
            };
        }
        Some(known) => known.is_copied |= found.is_copied,
        None => facts.made.push(found),
    }
    Ok(())
}

/// A set of which only the backup that made it is still told about: later ones may build on it.
fn gone(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    let id = row.number("BS_KEY")?;
    let is_known = facts.made.iter().any(|made| made.set.file.id == id);
    if is_known || row.text("STATUS") != Some("COMPLETED") {
        return Ok(());
    }
    facts.made.push(MadeSet {
        set: KnownSet {
            file: SetFile {
                id,
                kind: kind(row),
                full: 0,
                previous: 0,
                replay_from: Scn::ZERO,
                min_restore: Scn::ZERO,
                with_log: false,
            },
            root: String::new(),
            started: Scn::ZERO,
            finished: Scn::ZERO,
            stored_bytes: 0,
            raw_bytes: 0,
        },
        succeeded: true,
        is_here: false,
        is_copied: false,
    });
    Ok(())
}

fn kind(row: Row<'_>) -> BackupKind {
    match row.text("BACKUP_TYPE") {
        Some("I") => BackupKind::Incremental,
        _ => BackupKind::Full,
    }
}

fn unit(facts: &mut TenantFacts, row: Row<'_>) -> Result<(), BadValue> {
    let zone = row.text_or_empty("ZONE");
    if !facts.zones.contains(&zone) {
        facts.zones.push(zone);
    }
    Ok(())
}
