//! Copying a backup set with every set it builds on: files first, each proved, the manifest last.

use crate::{
    absent::Archived,
    copy_object::{CopyError, Copying, Proof},
    history::History,
    holds::Claim,
    keys::set_number,
    set::SetManifest,
    survey,
};
use domain::{BackupSetId, size};
use storage::StorageError;

/// What copying a set came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SetsCopied {
    /// Sets that were not there before.
    pub(crate) sets: u64,
    pub(crate) bytes: u64,
    /// Whether the set is at neither destination any more, so that there was nothing to do.
    pub(crate) is_gone: bool,
}

impl SetsCopied {
    /// In words for people.
    pub(crate) fn outcome(&self, set: BackupSetId) -> String {
        let bytes = size::bytes(self.bytes);
        match (self.is_gone, self.sets) {
            (true, _) => format!(
                "backup set {set} is not at the first destination any more; there is nothing to copy"
            ),
            (_, 0) => format!("backup set {set} was there already"),
            (_, 1) => format!("backup set {set} copied, {bytes}"),
            (_, 2) => format!("backup set {set} and one set that it builds on copied, {bytes}"),
            (_, sets) => format!(
                "backup set {set} and {} sets that it builds on copied, {bytes}",
                sets - 1
            ),
        }
    }
}

/// Copies `set` and what it builds on, as far as it is not there. What an earlier copy left unfinished
/// goes on; what is given up is removed.
pub(crate) fn copy_set(work: &Copying<'_>, set: BackupSetId) -> Result<SetsCopied, CopyError> {
    remove_abandoned(work)?;
    let (_read, chain) = work.source.holds().take(|| {
        let chain = chain(work, set)?;
        Ok::<_, CopyError>((claim("a copy reads it", chain.iter().flatten()), chain))
    })?;
    let Some(chain) = chain else {
        return gone(work, set);
    };
    // What is there already has to stay until what builds on it is there too.
    let (_kept, missing) = work.copy.holds().take(|| {
        let claim = claim("a copy that is being made builds on it", &chain);
        Ok::<_, CopyError>((claim, missing(&work.copy.history(), &chain)?))
    })?;
    let copied = copy_missing(work, &missing);
    match copied {
        Err(error @ (CopyError::Canceled(_) | CopyError::Ended)) if !(work.is_closing)() => {
            clear(work, &missing);
            Err(error)
        }
        Err(CopyError::Gone { name }) => {
            survey::refresh(work.source).map_err(CopyError::Reading)?;
            match is_removed(work, &missing)? {
                true => {
                    clear(work, &missing);
                    gone(work, set)
                }
                false => Err(CopyError::Damaged {
                    name,
                    what: "it is missing".to_owned(),
                    advice: "put the file back, or take a new full backup",
                }),
            }
        }
        other => other,
    }
}

fn claim<'a>(by: &str, chain: impl IntoIterator<Item = &'a SetManifest>) -> Claim {
    Claim::by(by).sets(chain.into_iter().map(|set| set.set_id))
}

/// The sets to have, full one first; `None` when the first destination does not have them any more.
fn chain(work: &Copying<'_>, set: BackupSetId) -> Result<Option<Vec<SetManifest>>, CopyError> {
    let history = work.source.history();
    if let Some(found) = history.sets.get(&set.0) {
        let chain = history.chain(found);
        let chain = chain.map(|chain| chain.into_iter().cloned().collect());
        return chain.map(Some).ok_or_else(|| {
            CopyError::Refused(format!(
                "a set that backup set {set} builds on cannot be used at the first destination; take a new full backup"
            ))
        });
    }
    let is_of_set = |(name, _): &(&String, &String)| set_number(name) == Some(set.0);
    match history.known_damage.iter().find(is_of_set) {
        Some((directory, why)) => Err(CopyError::Damaged {
            name: format!("backup set {directory}"),
            what: why.clone(),
            advice: "take a new full backup",
        }),
        None => Ok(None),
    }
}

/// The order when the first destination does not have the set, or does not have it whole.
fn gone(work: &Copying<'_>, set: BackupSetId) -> Result<SetsCopied, CopyError> {
    let is_there = {
        let history = work.copy.history();
        let found = history.sets.get(&set.0);
        found.is_some_and(|found| history.chain(found).is_some())
    };
    if !is_there {
        refuse_unreadable(work, set)?;
    }
    Ok(SetsCopied {
        is_gone: !is_there,
        ..SetsCopied::default()
    })
}

/// Refuses a set of which something is there that does not read, rather than taking it for removed.
fn refuse_unreadable(work: &Copying<'_>, set: BackupSetId) -> Result<(), CopyError> {
    let listed = work.from.list_dirs(&work.source.keys().data());
    let listed = listed.map_err(CopyError::Reading)?;
    let history = work.source.history();
    let is_left = |directory: &&String| {
        set_number(directory) == Some(set.0) && !history.gone_sets.contains(&set.0)
    };
    let Some(directory) = listed.iter().find(is_left) else {
        return Ok(());
    };
    let about = format!("backup set {set} ");
    let is_about = |note: &&String| note.contains(directory) || note.contains(&about);
    let note = history.damaged.iter().find(is_about).cloned();
    Err(CopyError::Damaged {
        name: work.source.keys().set(directory),
        what: note.unwrap_or_else(|| "it is not complete".to_owned()),
        advice: "it was not copied; take a new full backup",
    })
}

/// Those of `chain` that are not there. Another set of the same number is never replaced.
fn missing(there: &History, chain: &[SetManifest]) -> Result<Vec<SetManifest>, CopyError> {
    let mut missing = Vec::new();
    let is_going = |set: i64| {
        let pending = there.removed.pending.as_ref();
        pending.is_some_and(|pending| pending.sets.contains(&set))
    };
    for set in chain {
        match there.sets.get(&set.set_id) {
            None if is_going(set.set_id) => {
                return Err(CopyError::Refused(format!(
                    "a cleanup is removing backup set {} from the second destination; copy it again when that has ended",
                    set.set_id
                )));
            }
            None => missing.push(set.clone()),
            Some(other) if other.token == set.token && other.directory == set.directory => {}
            Some(_) => return Err(CopyError::Refused(another(set.set_id))),
        }
    }
    Ok(missing)
}

fn another(set: i64) -> String {
    format!(
        "the second destination has another backup set {set} of this tenant, from another history of it; \
         use an empty directory as second destination"
    )
}

fn copy_missing(work: &Copying<'_>, missing: &[SetManifest]) -> Result<SetsCopied, CopyError> {
    work.job.phase("Comparing", 0);
    let mut todo = Vec::new();
    for set in missing {
        let files = set.files.iter().filter_map(|file| {
            let key = format!("{}/{}", work.copy.keys().set(&set.directory), file.name);
            let proof = Proof::Sum {
                size: file.size,
                blake3: &file.blake3,
            };
            match work.is_there(&key, proof) {
                Ok(true) => None,
                Ok(false) => Some(Ok((key, proof, file.size))),
                Err(error) => Some(Err(error)),
            }
        });
        todo.push((set, files.collect::<Result<Vec<_>, CopyError>>()?));
    }
    let total = todo
        .iter()
        .flat_map(|(_, files)| files.iter().map(|file| file.2));
    let total: u64 = total.sum();
    check_space(work, total)?;
    work.job.phase("Copying backup sets", total);
    let mut copied = SetsCopied::default();
    for (set, files) in todo {
        for (key, proof, _) in files {
            copied.bytes += work
                .ensure(&key, proof)
                .map_err(|error| noting_damage(work, set, error))?;
        }
        publish(work, set).map_err(|error| noting_damage(work, set, error))?;
        copied.sets += 1;
    }
    Ok(copied)
}

fn check_space(work: &Copying<'_>, needed: u64) -> Result<(), CopyError> {
    match work.to.free_bytes().map_err(CopyError::Writing)? {
        Some(free) if free < needed => Err(CopyError::Writing(StorageError::Full {
            operation: "copy to",
            what: work.to.display(),
            needed: Some(needed),
            free: Some(free),
        })),
        _ => Ok(()),
    }
}

/// Makes the set exist: all its files are there.
fn publish(work: &Copying<'_>, set: &SetManifest) -> Result<(), CopyError> {
    let key = format!("{}/set.json", work.copy.keys().set(&set.directory));
    work.copy_manifest(&key, || another(set.set_id))?;
    let mut history = work.copy.history();
    history.known_damage.remove(&set.directory);
    history.gone_sets.remove(&set.set_id);
    history
        .unfinished
        .retain(|directory| *directory != set.directory);
    history.sets.insert(set.set_id, set.clone());
    Ok(())
}

/// What was found damaged is not offered any more, at neither destination.
fn noting_damage(work: &Copying<'_>, set: &SetManifest, error: CopyError) -> CopyError {
    if matches!(error, CopyError::Damaged { .. }) {
        let mut history = work.source.history();
        history.mark_damaged(&set.directory, error.to_string());
    }
    error
}

/// Whether the first destination has one of the sets no more, rather than only a part of it.
fn is_removed(work: &Copying<'_>, sets: &[SetManifest]) -> Result<bool, CopyError> {
    for set in sets {
        let key = format!("{}/set.json", work.source.keys().set(&set.directory));
        if !work.from.exists(&key).map_err(CopyError::Reading)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what was begun of sets that did not become complete.
fn clear(work: &Copying<'_>, sets: &[SetManifest]) {
    for set in sets {
        let is_complete = work.copy.history().sets.contains_key(&set.set_id);
        if is_complete {
            continue;
        }
        let prefix = work.copy.keys().set(&set.directory);
        if let Err(error) = work.to.delete_prefix(&prefix) {
            tracing::warn!(%prefix, %error, "an unfinished copy was not removed; a later copy removes it");
        }
    }
}

/// Removes unfinished copies of sets that the first destination does not have any more.
fn remove_abandoned(work: &Copying<'_>) -> Result<(), CopyError> {
    let unfinished = work.copy.history().unfinished.clone();
    for directory in unfinished {
        let is_wanted = {
            let history = work.source.history();
            let mut sets = history.sets.values();
            !history.known || sets.any(|set| set.directory == directory)
        };
        if !is_wanted {
            let prefix = work.copy.keys().set(&directory);
            work.to.delete_prefix(&prefix).map_err(CopyError::Writing)?;
            let mut history = work.copy.history();
            history.unfinished.retain(|other| *other != directory);
        }
    }
    Ok(())
}
