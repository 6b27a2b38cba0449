//! What a cleanup decides about: a tenant's sets and log files as they lie at a destination, and who reads them.

use crate::{
    absent::Archived,
    history::{History, Round, SegmentInfo},
    holds::Claim,
    keys::{self, TenantKeys},
    segment::SegmentName,
};
use domain::{
    BackupSetId,
    retention::{Backups, StoredLog, StoredSet},
};
use std::collections::{BTreeMap, BTreeSet};
use storage::{Dest, Entry, StorageError};

/// A log file that a cleanup decides about.
#[derive(Debug, Clone)]
pub(crate) struct LogObject {
    pub(crate) info: SegmentInfo,
    pub(crate) round: i64,
    /// Whether it makes up its round. Others are damaged, or nobody knows what they are.
    pub(crate) is_sound: bool,
}

/// A tenant's backups, as the rule of retention takes them, and which objects they are.
pub(crate) struct Facts {
    pub(crate) backups: Backups,
    /// For each set of `backups` its directory.
    pub(crate) directories: Vec<String>,
    /// For each log file of `backups` what it is.
    pub(crate) log: Vec<LogObject>,
    /// Bytes of every object.
    pub(crate) sizes: BTreeMap<String, u64>,
}

impl Facts {
    /// Puts together what is known and what was listed. `listed` is of a time at which nobody was merging log.
    pub(crate) fn of(
        tenant: &dyn Archived,
        history: &History,
        listed: &[Entry],
        claims: &[&Claim],
    ) -> Self {
        let sizes = listed.iter().map(|it| (it.key.clone(), it.size)).collect();
        let mut facts = Facts {
            backups: Backups {
                spans: history.spans(),
                current_round: history.rounds.keys().next_back().copied(),
                ..Backups::default()
            },
            directories: Vec::new(),
            log: Vec::new(),
            sizes,
        };
        facts.add_sets(history, claims);
        facts.add_unreadable_sets(tenant.keys(), history);
        facts.add_log(history, claims);
        facts
    }

    fn add_sets(&mut self, history: &History, claims: &[&Claim]) {
        for set in history.sets.values() {
            self.directories.push(set.directory.clone());
            self.backups.sets.push(StoredSet {
                id: BackupSetId(set.set_id),
                base: set.base_set_id.map(BackupSetId),
                round: set.head.round,
                at: Some(set.min_restore_scn),
                bytes: set.bytes_stored,
                in_use: who(claims, |claim| claim.has_set(set.set_id)),
            });
        }
    }

    /// Sets that were finished and do not read. One without a manifest is being made, or will be tidied away.
    fn add_unreadable_sets(&mut self, keys: &TenantKeys, history: &History) {
        let data = format!("{}/", keys.data());
        let mut found: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
        for (key, size) in &self.sizes {
            let Some((directory, file)) = key.strip_prefix(&data).and_then(|it| it.split_once('/'))
            else {
                continue;
            };
            let (bytes, is_finished) = found.entry(directory).or_default();
            *bytes += size;
            *is_finished |= file == "set.json";
        }
        for (directory, (bytes, is_finished)) in found {
            let Some(number) = keys::set_number(directory).filter(|_| is_finished) else {
                continue;
            };
            if history.sets.contains_key(&number) || history.gone_sets.contains(&number) {
                continue;
            }
            self.directories.push(directory.to_owned());
            self.backups.sets.push(StoredSet {
                id: BackupSetId(number),
                base: None,
                round: 0,
                at: None,
                bytes,
                in_use: None,
            });
        }
    }

    fn add_log(&mut self, history: &History, claims: &[&Claim]) {
        let of_rounds = |(number, round): (&i64, &Round)| {
            let number = *number;
            let sound = round.segments.values().map(move |info| LogObject {
                info: info.clone(),
                round: number,
                is_sound: true,
            });
            sound.collect::<Vec<LogObject>>()
        };
        let mut log: Vec<LogObject> = history.rounds.iter().flat_map(of_rounds).collect();
        log.append(&mut self.stray_log(history));
        log.sort_by_key(|it| (it.round, it.info.name.first_scn, it.info.name.until));
        for object in &log {
            let (name, round) = (&object.info.name, object.round);
            let read = who(claims, |it| {
                it.has_log(round, name.first_txn, name.last_txn)
            });
            let holds = history.rounds.get(&round).filter(|_| object.is_sound);
            self.backups.log.push(StoredLog {
                round,
                start: name.first_scn,
                end: name.until,
                bytes: object.info.bytes,
                in_use: read.or_else(|| unlike(holds?, &object.info)),
            });
        }
        self.log = log;
    }

    /// Log files that make up no round: damaged ones, and those of rounds that do not read.
    fn stray_log(&self, history: &History) -> Vec<LogObject> {
        let known: BTreeSet<&str> = history
            .rounds
            .values()
            .flat_map(|round| round.segments.values().chain(&round.covered))
            .map(|info| info.key.as_str())
            .collect();
        let stray = |(key, size): (&String, &u64)| {
            let (round, info) = segment_at(key, *size)?;
            let cuts = history.removed.cuts_of(round);
            let is_gone = history.gone_rounds.contains(&round)
                || crate::removed::is_cut(cuts, info.name.first_txn, info.name.last_txn);
            (!is_gone && !known.contains(key.as_str())).then_some(LogObject {
                info,
                round,
                is_sound: false,
            })
        };
        self.sizes.iter().filter_map(stray).collect()
    }
}

/// The log file that a key names.
pub(crate) fn segment_at(key: &str, bytes: u64) -> Option<(i64, SegmentInfo)> {
    let name = SegmentName::parse(key.rsplit('/').next()?)?;
    let (round, piece) = keys::round_and_piece(key)?;
    let key = key.to_owned();
    let info = SegmentInfo {
        key,
        name,
        piece,
        bytes,
    };
    Some((round, info))
}

/// Lists what is at the destination of a tenant, and looks that it is still there.
pub(crate) fn list(dest: &Dest, keys: &TenantKeys) -> Result<Vec<Entry>, StorageError> {
    let mut listed = dest.list(&keys.data())?;
    listed.append(&mut dest.list(&keys.log())?);
    dest.check()?;
    Ok(listed)
}

fn who(claims: &[&Claim], has: impl Fn(&Claim) -> bool) -> Option<String> {
    let claim = claims.iter().find(|claim| has(claim))?;
    Some(claim.who().to_owned())
}

/// A name alone proves nothing: where one lies over others and tells of another time than they do, it is not known
/// yet which of them is right, and none goes.
fn unlike(round: &Round, whole: &SegmentInfo) -> Option<String> {
    let inside = |part: &&SegmentInfo| {
        whole.name.first_txn <= part.name.first_txn && part.name.last_txn <= whole.name.last_txn
    };
    let agrees = |part: &SegmentInfo| {
        whole.name.first_scn <= part.name.first_scn && part.name.until <= whole.name.until
    };
    let differs = round.covered.iter().filter(inside).any(|it| !agrees(it));
    differs.then(|| "other log files of the same commits are compared with it".to_owned())
}
