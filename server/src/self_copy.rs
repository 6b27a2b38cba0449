//! Copies of the console's own database: a file, and beside it a manifest that proves the file whole and says which
//! schema and which keys belong to it.

use crate::compose::{self, CONTROL_DATABASE, ComposeError};
use domain::Scn;
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use store::Store;

/// Names that are tried for a database that is put aside.
const NAMES_MAX: u32 = 100;
/// What a manifest begins with; another number would be another layout.
const FORMAT: &str = "tidemark control database 1";
/// Longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// What lies beside a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always the same words.
    pub format: String,
    /// Version of the program that made the copy.
    pub version: String,
    /// When, RFC 3339 in UTC.
    pub taken: String,
    /// Steps of the schema that the copy has, in order.
    pub schema: Vec<String>,
    /// Keys that its secrets are sealed with. The keys themselves are not in the copy.
    pub key_ids: Vec<String>,
    /// Bytes of the copy.
    pub bytes: u64,
    /// BLAKE3 of the copy, in hexadecimal.
    pub blake3: String,
}

/// A copy that was not made or not used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A copy is never written over.
    #[error("{} is there already; choose another name for the copy", .0.display())]
    Exists(PathBuf),
    /// Nothing to copy.
    #[error("there is no control database in {}; name the home of the console with --home", .0.display())]
    NoDatabase(PathBuf),
    /// The file system refused.
    #[error("{operation} {} failed: {cause}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// Beside the copy lies no manifest that can be read.
    #[error("{} is not the manifest of a copy ({why}); a copy is two files, and both are needed", path.display())]
    Manifest {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The copy is not what its manifest says.
    #[error("the copy {} is damaged: {why}; use another copy", path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// Made by a newer program.
    #[error(
        "the copy was made by version {version}, whose schema has the step {step} that is not known here; install that \
         version or a newer one"
    )]
    Newer {
        /// The program that made it.
        version: String,
        /// The first step that is not known.
        step: String,
    },
    /// The database itself.
    #[error(transparent)]
    Database(#[from] ComposeError),
}

impl From<store::StoreError> for CopyError {
    fn from(error: store::StoreError) -> Self {
        CopyError::Database(ComposeError::Store(error))
    }
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The database in use from now on.
    pub database: PathBuf,
    /// Where the former one lies, if there was one.
    pub former: Option<PathBuf>,
    /// What was restored.
    pub manifest: Manifest,
}

fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    move |cause| CopyError::Io {
        operation,
        path: path.to_owned(),
        cause,
    }
}

/// A copy that is being made. Its files get their names only when they are whole.
#[derive(Debug)]
pub struct Copying {
    file: PathBuf,
    part: PathBuf,
}

impl Copying {
    /// Begins a copy: refuses a name that is taken, and makes an empty file that only the owner may read.
    pub fn begin(file: &Path) -> Result<Copying, CopyError> {
        for taken in [file.to_owned(), beside(file, ".manifest.json")] {
            if taken.exists() {
                return Err(CopyError::Exists(taken));
            }
        }
        let part = beside(file, ".part");
        let _ = std::fs::remove_file(&part);
        private_file(&part).map_err(io_error("making", &part))?;
        Ok(Copying {
            file: file.to_owned(),
            part,
        })
    }

    /// The empty file to copy to.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Proves the copy, writes its manifest, and gives both their names.
    pub fn finish(self, key_ids: Vec<String>, now: Scn) -> Result<Manifest, CopyError> {
        let (bytes, blake3) = digest(&self.part)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken: now.to_rfc3339(),
            schema: migration::steps(),
            key_ids,
            bytes,
            blake3,
        };
        let text =
            serde_json::to_string_pretty(&manifest).expect("invariant: texts and numbers are JSON");
        let path = beside(&self.file, ".manifest.json");
        let mut file = private_file(&path).map_err(io_error("making", &path))?;
        writeln!(file, "{text}")
            .and_then(|()| file.sync_all())
            .map_err(io_error("writing", &path))?;
        File::open(&self.part)
            .and_then(|part| part.sync_all())
            .and_then(|()| std::fs::rename(&self.part, &self.file))
            .and_then(|()| sync_folder(&self.file))
            .map_err(io_error("finishing", &self.file))?;
        Ok(manifest)
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        // Gone already when it was finished.
        let _ = std::fs::remove_file(&self.part);
    }
}

/// Copies the database of a home that nobody serves.
pub async fn copy_at_rest(home: &Path, file: &Path, now: Scn) -> Result<Manifest, CopyError> {
    let copying = Copying::begin(file)?;
    let store = compose::open_store(home, None).await?;
    let copied = async {
        let key_ids = store.key_ids().await?;
        store.copy_to(copying.part()).await?;
        Ok::<_, CopyError>(key_ids)
    };
    let copied = copied.await;
    store.close().await?;
    copying.finish(copied?, now)
}

/// Puts a copy in the place of the database of a home that nobody serves. Killed anywhere, either the former
/// database is in use or the copy is.
pub async fn restore(home: &Path, file: &Path, now: Scn) -> Result<Restored, CopyError> {
    let manifest = checked(file)?;
    let database = home.join(CONTROL_DATABASE);
    let staged = beside(&database, ".restored");
    for rest in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&staged, rest));
    }
    stage(file, &staged, &manifest)?;
    // Its schema is brought up to date before it is used, and everything is in the one file afterwards.
    let url = compose::sqlite_url(&staged);
    let store = Store::connect(&url).await?;
    let up = migration::up(store.connection()).await;
    store.close().await?;
    up.map_err(ComposeError::Schema)?;
    let former = put_aside(home, &database, now).await?;
    for rest in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&database, rest));
    }
    std::fs::rename(&staged, &database)
        .and_then(|()| sync_folder(&database))
        .map_err(io_error("replacing", &database))?;
    Ok(Restored {
        database,
        former,
        manifest,
    })
}

/// A name beside the database that nothing has yet: one may be put aside twice in a second.
fn free_name(database: &Path, stamp: &str) -> PathBuf {
    let mut name = beside(database, &format!(".before-{stamp}"));
    for again in 2..NAMES_MAX {
        if !name.exists() && !beside(&name, "-wal").exists() {
            break;
        }
        name = beside(database, &format!(".before-{stamp}-{again}"));
    }
    name
}

/// Gives the database in use a second name, with everything that belongs to it.
async fn put_aside(home: &Path, database: &Path, now: Scn) -> Result<Option<PathBuf>, CopyError> {
    if !database.exists() {
        return Ok(None);
    }
    // What lies beside it goes into it, unless it is too damaged to be opened; then it is kept as it is.
    if let Ok(store) = Store::connect(&compose::sqlite_url(&home.join(CONTROL_DATABASE))).await
        && let Err(error) = store.close().await
    {
        tracing::warn!(
            "the former database could not be closed: {}",
            control::chain(&error)
        );
    }
    let stamp = now.display_seconds().replace([' ', ':'], "-");
    let aside = free_name(database, &stamp);
    for rest in ["-wal", ""] {
        let from = beside(database, rest);
        if from.exists() {
            let to = beside(&aside, rest);
            std::fs::hard_link(&from, &to)
                .map_err(io_error("keeping the former database as", &to))?;
        }
    }
    sync_folder(database).map_err(io_error("keeping", &aside))?;
    Ok(Some(aside))
}

/// Reads the manifest and proves the copy by it.
fn checked(file: &Path) -> Result<Manifest, CopyError> {
    let path = beside(file, ".manifest.json");
    let wrong = |why: String| CopyError::Manifest {
        path: path.clone(),
        why,
    };
    let mut text = String::new();
    File::open(&path)
        .and_then(|file| {
            io::Read::read_to_string(&mut io::Read::take(file, MANIFEST_BYTES_MAX), &mut text)
        })
        .map_err(|error| wrong(error.to_string()))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(wrong(format!("its format is \"{}\"", manifest.format)));
    }
    let known = migration::steps();
    if let Some(step) = manifest.schema.iter().find(|step| !known.contains(step)) {
        return Err(CopyError::Newer {
            version: manifest.version,
            step: step.clone(),
        });
    }
    proven(file, &manifest)?;
    Ok(manifest)
}

fn proven(file: &Path, manifest: &Manifest) -> Result<(), CopyError> {
    let (bytes, blake3) = digest(file)?;
    let damaged = |why: String| CopyError::Damaged {
        path: file.to_owned(),
        why,
    };
    if bytes != manifest.bytes {
        let expected = manifest.bytes;
        return Err(damaged(format!(
            "it has {bytes} bytes and should have {expected}"
        )));
    }
    match blake3 == manifest.blake3 {
        true => Ok(()),
        false => Err(damaged(
            "its checksum differs from the manifest's".to_owned(),
        )),
    }
}

/// Copies the copy beside the database and proves it there once more.
fn stage(file: &Path, staged: &Path, manifest: &Manifest) -> Result<(), CopyError> {
    let copied = File::open(file).and_then(|mut from| {
        let mut to = private_file(staged)?;
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    });
    copied.map_err(io_error("copying to", staged))?;
    proven(staged, manifest)
}

/// Bytes and BLAKE3 of a file.
fn digest(path: &Path) -> Result<(u64, String), CopyError> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(io_error("reading", path))?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
