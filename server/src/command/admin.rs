//! `tidemark admin`: the console's own database and its key.

use super::{FAILED, client::Client, output::Output};
use crate::{
    cli::{Admin, Common},
    compose::{CONTROL_DATABASE, SystemClock},
    home::Home,
    http::shape::{CopyOrder, KeyChanged, KeyOrder, Problem},
    self_copy::{self, CopyError, Manifest, Restored},
};
use domain::clock::Clock;
use std::path::Path;

/// Stands in addresses of commands where the name of a cluster stands otherwise; no cluster can have it.
const NO_CLUSTER: &str = "-";

pub(super) fn run(common: &Common, order: &Admin, output: &Output) -> Result<(), Problem> {
    match order {
        Admin::RotateKey { forget } => rotate_key(common, *forget, output),
        Admin::BackupSelf { file } => backup_self(common, file, output),
        Admin::RestoreSelf { file } => restore_self(common, file, output),
    }
}

fn connect(common: &Common) -> Result<Client, Problem> {
    let common = Common {
        cluster: NO_CLUSTER.to_owned(),
        ..common.clone()
    };
    Client::connect(&common)
}

fn rotate_key(common: &Common, forget: bool, output: &Output) -> Result<(), Problem> {
    let changed: KeyChanged =
        connect(common)?.post(&["admin", "rotate-key"], &KeyOrder { forget })?;
    output.show(&changed, |changed| {
        format!(
            "Secrets are sealed with key {} now: {} sealed anew, {} removed. Keep a copy of the key.",
            changed.key_id, changed.resealed, changed.forgotten
        )
    })
}

fn backup_self(common: &Common, file: &Path, output: &Output) -> Result<(), Problem> {
    refuse_server()?;
    let file = std::path::absolute(file).map_err(failed)?;
    let manifest = match at_rest(common)? {
        Some(home) => run_async(self_copy::copy_at_rest(
            home.path(),
            &file,
            SystemClock.now(),
        ))?,
        None => {
            let order = CopyOrder { file: file.clone() };
            connect(common)?.post::<Manifest>(&["admin", "backup-self"], &order)?
        }
    };
    output.show(&manifest, |manifest| {
        let keys = match manifest.key_ids.is_empty() {
            true => String::new(),
            false => format!(
                " Its secrets need the key {}; keep that too.",
                manifest.key_ids.join(", ")
            ),
        };
        format!(
            "Copied {} bytes to {}.{keys}",
            manifest.bytes,
            file.display()
        )
    })
}

fn restore_self(common: &Common, file: &Path, output: &Output) -> Result<(), Problem> {
    refuse_server()?;
    let home = Home::take(&common.home).map_err(failed)?;
    let restored: Restored = run_async(self_copy::restore(home.path(), file, SystemClock.now()))?;
    output.show(&restored, |restored| {
        let former = restored.former.as_ref().map_or_else(String::new, |former| {
            format!(" The former one is kept as {}.", former.display())
        });
        format!(
            "{} is the copy of {} now.{former}",
            restored.database.display(),
            restored.manifest.taken
        )
    })
}

/// The home, when nobody serves it.
fn at_rest(common: &Common) -> Result<Option<Home>, Problem> {
    if !common.home.join(CONTROL_DATABASE).exists() {
        return Err(failed(CopyError::NoDatabase(common.home.clone())));
    }
    match Home::take(&common.home) {
        Ok(home) => Ok(Some(home)),
        Err(crate::home::HomeError::InUse { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A control database on a server is none of ours.
fn refuse_server() -> Result<(), Problem> {
    let url = std::env::var("TIDEMARK_DATABASE").unwrap_or_default();
    let backend = match url.split(':').next() {
        Some("postgres" | "postgresql") => "PostgreSQL",
        Some("mysql") => "MySQL",
        _ => return Ok(()),
    };
    match store::copy_advice(backend) {
        Some(advice) => Err(Problem::new("conflict", advice)),
        None => Ok(()),
    }
}

fn run_async<T>(work: impl Future<Output = Result<T, CopyError>>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime
        .block_on(work)
        .map_err(|error| Problem::new(FAILED, control::chain(&error)))
}

fn failed(error: impl std::fmt::Display) -> Problem {
    Problem::new(FAILED, error.to_string())
}
