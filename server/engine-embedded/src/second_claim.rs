//! Which directory may be a cluster's second destination, and taking it into use.

use crate::{
    cluster::SecondIdentity,
    destination::Destination,
    found,
    registry::{Inner, lock},
    second::Second,
    survey,
};
use domain::Scn;
use engine::{EngineError, EngineErrorKind};
use serde::{Deserialize, Serialize};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use storage::{Dest, StorageError};
use uuid::Uuid;

const OPERATION: &str = "use as second destination";

/// `second.json` of a cluster: what lies beside it are second copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    format: u32,
    cluster: Uuid,
    name: String,
    /// Identity of the destination that they were copied from at first.
    first: Option<Uuid>,
    begun: Scn,
}

fn mark_key(cluster: Uuid) -> String {
    format!("{cluster}/second.json")
}

/// Takes `path` into use as second destination, or ends the use of one.
pub(crate) fn use_second(inner: &Arc<Inner>, path: Option<&Path>) -> Result<(), EngineError> {
    let _one_at_a_time = lock(&inner.choosing_second);
    let Some(path) = path else {
        remember(inner, None)?;
        end(inner);
        return Ok(());
    };
    let path = absolute(path)?;
    if inner.second().is_some_and(|second| second.path() == path) {
        return Ok(());
    }
    let remembered = lock(&inner.identity).second.clone();
    let uuid = match remembered.filter(|it| it.path == path) {
        // Used before: it may be out of reach now, and what is there instead is told and never written to.
        Some(known) => known.uuid,
        None => {
            let uuid = claim(inner, &path)?;
            let known = SecondIdentity {
                uuid,
                path: path.clone(),
            };
            remember(inner, Some(known))?;
            uuid
        }
    };
    end(inner);
    let destination = Destination::new(path, Some(uuid), Arc::clone(&inner.clock));
    inner.set_second(Some(Second::new(inner.cluster(), destination)));
    survey::look_at_second(inner);
    inner.look_soon.notify_one();
    Ok(())
}

fn end(inner: &Inner) {
    if let Some(second) = inner.set_second(None) {
        second.end();
    }
}

fn absolute(path: &Path) -> Result<PathBuf, EngineError> {
    if !path.is_absolute() {
        return Err(refused(path, "give the absolute path of a directory"));
    }
    std::path::absolute(path).map_err(|error| refused(path, error.to_string()))
}

fn remember(inner: &Inner, second: Option<SecondIdentity>) -> Result<(), EngineError> {
    let mut identity = lock(&inner.identity);
    if identity.second == second {
        return Ok(());
    }
    let changed = crate::cluster::ClusterIdentity {
        second,
        ..identity.clone()
    };
    let written = inner.home.write_identity(&changed);
    written.map_err(|error| refused(inner.home.dir(), error.to_string()))?;
    *identity = changed;
    Ok(())
}

/// Proves that `path` may be the second destination, marks it as such, and gives its identity.
fn claim(inner: &Inner, path: &Path) -> Result<Uuid, EngineError> {
    let first = inner.destination.path();
    if is_within(path, first) || is_within(first, path) {
        let why = match same_place(path, first) {
            true => "it is the first destination; a second copy has to be somewhere else",
            false => {
                "one of the two destinations lies inside the other; give a directory of its own"
            }
        };
        return Err(refused(path, why));
    }
    let away = |error: StorageError| failed(path, &error);
    let dest = Dest::open_dir(path, inner.clock.now()).map_err(away)?;
    if Some(dest.uuid()) == inner.destination.uuid() {
        return Err(refused(
            path,
            "it is the first destination; a second copy has to be somewhere else",
        ));
    }
    dest.check_writable().map_err(away)?;
    let problem = occupied(&dest, inner.cluster()).map_err(away)?;
    if let Some(problem) = problem {
        return Err(refused(path, problem));
    }
    mark(inner, &dest).map_err(away)?;
    Ok(dest.uuid())
}

/// What is at a destination that is neither empty nor this cluster's second copy.
fn occupied(dest: &Dest, cluster: Uuid) -> Result<Option<String>, StorageError> {
    for directory in dest.list_dirs("")? {
        if directory != cluster.to_string() {
            return Ok(Some(format!(
                "it holds backups of another cluster (\"{directory}\"); give an empty directory"
            )));
        }
        let has_tenants = !dest.list_dirs(&directory)?.is_empty();
        if has_tenants && !dest.exists(&mark_key(cluster))? {
            return Ok(Some(
                "it holds backups of this cluster that were not copied there; give an empty directory"
                    .to_owned(),
            ));
        }
    }
    Ok(None)
}

fn mark(inner: &Inner, dest: &Dest) -> Result<(), StorageError> {
    found::write_name(dest, inner.cluster(), &inner.name)?;
    let key = mark_key(inner.cluster());
    match dest.get_manifest::<Mark>(&key) {
        Ok(_) => return Ok(()),
        Err(error) if error.is_transient() => return Err(error),
        // Missing, or damaged: written by the same rules once more.
        Err(_) => {}
    }
    let mark = Mark {
        format: 1,
        cluster: inner.cluster(),
        name: inner.name.clone(),
        first: inner.destination.uuid(),
        begun: inner.clock.now(),
    };
    dest.replace_manifest(&key, &mark)
}

fn refused(path: &Path, why: impl Into<String>) -> EngineError {
    let subject = path.display().to_string();
    EngineError::new(EngineErrorKind::Rejected, OPERATION, subject, why)
}

fn failed(path: &Path, error: &StorageError) -> EngineError {
    let kind = match error.is_transient() {
        true => EngineErrorKind::Unreachable,
        false => EngineErrorKind::Rejected,
    };
    EngineError::new(
        kind,
        OPERATION,
        path.display().to_string(),
        error.to_string(),
    )
}

/// Whether `path` is `dir` or lies below it, whatever links and mounts lead there.
fn is_within(path: &Path, dir: &Path) -> bool {
    let path = real(path);
    path.starts_with(real(dir)) || path.ancestors().any(|above| same_place(above, dir))
}

/// Whether both paths lead to one directory that is there.
fn same_place(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.dev(), meta.ino()))
    };
    identity(one).is_some_and(|found| Some(found) == identity(other))
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    for above in path.ancestors() {
        if let (Ok(found), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            // Joining nothing would add a slash at the end.
            return match rest.as_os_str().is_empty() {
                true => found,
                false => found.join(rest),
            };
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn links_do_not_hide_that_one_directory_lies_inside_another() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("first/inner")).unwrap();
        fs::create_dir(at("other")).unwrap();
        symlink(at("first"), at("link")).unwrap();
        symlink(at("first/inner"), at("deep")).unwrap();
        for inside in [
            "first",
            "first/inner",
            "first/new/dir",
            "link",
            "link/new",
            "deep",
        ] {
            assert!(is_within(&at(inside), &at("first")), "{inside}");
        }
        for outside in ["other", "first_2", "new", "first/../other"] {
            assert!(!is_within(&at(outside), &at("first")), "{outside}");
        }
        assert!(same_place(&at("link"), &at("first")));
        assert!(!same_place(&at("new"), &at("new")), "neither is there");
        assert!(
            is_within(&at("gone/x"), &at("gone")),
            "told by the path alone"
        );
    }
}
