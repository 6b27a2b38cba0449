//! What a look tells the console.

use super::{
    facts::{MadeSet, TenantFacts},
    look::Look,
};
use crate::{session::BadValue, statement::masked};
use ::engine::{ArchiveObservation, Observation, SecondObservation, TenantKey, TenantObservation};
use domain::{
    BackupSetId, Scn, archive::ArchiveState, backup::BackupKind, second_backup::Place,
    storage::StorageState, tenant::TenantState,
};

impl Look {
    /// What the console is told.
    pub(super) fn told(&self) -> Result<Observation, BadValue> {
        let storage = |place, uri: &str| StorageState {
            place,
            location: masked(uri),
            total_bytes: None,
            free_bytes: None,
            fault: None,
            identity_changed: false,
        };
        let mut storages = Vec::new();
        if !self.destination.is_empty() {
            storages.push(storage(Place::First, &self.destination));
        }
        if let Some(second) = &self.second {
            storages.push(storage(Place::Second, second));
        }
        let tenants = self.tenants()?;
        let mut told: Vec<TenantObservation> =
            tenants.values().map(|facts| self.tenant(facts)).collect();
        told.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Observation {
            taken: self.now,
            // Views forget a tenant that was dropped, its destination does not.
            complete: false,
            tenants: told,
            storages,
            clock_back_ns: 0,
            drift: Vec::new(),
        })
    }

    fn tenant(&self, facts: &TenantFacts) -> TenantObservation {
        let (sets, spans) = facts.first.told();
        let status = facts.status.trim_start_matches("TENANT_STATUS_");
        TenantObservation {
            key: TenantKey(facts.id.to_string()),
            name: facts.name.clone(),
            state: match status {
                "NORMAL" => TenantState::Online,
                _ => TenantState::Faulty,
            },
            data_file: None,
            size_bytes: facts.size_bytes(),
            note: match status {
                "NORMAL" => None,
                "RESTORE" => Some("being recovered".to_owned()),
                status => Some(format!("status {status}")),
            },
            archive: self.archive_told(facts),
            history_known: true,
            sets,
            spans,
            data_bytes: facts.data_bytes,
            log_bytes: facts.log_bytes,
            second: self
                .second
                .as_deref()
                .map(|uri| self.second_told(facts, uri)),
        }
    }

    fn archive_told(&self, facts: &TenantFacts) -> ArchiveObservation {
        let cluster = self.cluster_status();
        let known = facts.archive.as_ref();
        // A tenant that came after the round has no row of its own until it is taken in.
        let status = known.map_or(
            match cluster {
                "STOP" => "STOP",
                _ => "PREPARE",
            },
            |archive| archive.status.as_str(),
        );
        let note = match status {
            "INTERRUPTED" => Some("log backup of the cluster is interrupted".to_owned()),
            "MIXED" => Some("servers of the cluster are in different states".to_owned()),
            _ if self.destination.is_empty() => Some("no destination is set".to_owned()),
            _ => None,
        };
        // A clock of the cluster ahead of what it archived to is right; the other way round it is not.
        let checkpoint = known.and_then(|archive| archive.checkpoint);
        ArchiveObservation {
            state: ArchiveState::from_code(status),
            round: known.map_or(0, |archive| archive.round),
            started: known.and_then(|archive| archive.start),
            checkpoint: checkpoint.map(|checkpoint| checkpoint.min(self.now)),
            host: facts.zones.join(", "),
            directory: masked(&self.destination),
            note,
        }
    }

    fn second_told(&self, facts: &TenantFacts, uri: &str) -> SecondObservation {
        let (sets, spans) = facts.second.told();
        let copied = facts.second.sets.iter().map(|set| BackupSetId(set.file.id));
        let arrived = copied.filter(|id| sets.iter().all(|set| set.id != *id));
        let pieces = facts.second.pieces.iter().filter(|piece| piece.available);
        let checkpoint: Option<Scn> = pieces.map(|piece| piece.file.checkpoint).max();
        SecondObservation {
            known: true,
            arrived: arrived.collect(),
            sets,
            spans,
            data_bytes: facts.second_bytes,
            // No view tells how large a piece is.
            log_bytes: 0,
            checkpoint: checkpoint.map(|checkpoint| checkpoint.min(self.now)),
            directory: masked(uri),
        }
    }
}

impl TenantFacts {
    /// What the last full backup read: no view before 4.0 tells the size of a tenant.
    fn size_bytes(&self) -> u64 {
        let full = |made: &&MadeSet| made.set.file.kind == BackupKind::Full;
        let mut made = self.made.iter().rev().filter(full);
        made.find(|made| made.is_here)
            .map_or(0, |made| made.set.raw_bytes)
    }
}
