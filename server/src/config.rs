//! Settings of `serve`, checked before anything is touched.

use crate::{
    cli::{Common, LogFormat, Serve},
    listen::reach::{Reach, ReachError},
};
use std::path::{Path, PathBuf};

/// Everything `serve` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Directory of the console's own files, absolute.
    pub home: PathBuf,
    /// Where to listen, and for whom.
    pub reach: Reach,
    /// Whether to begin with the demo cluster.
    pub demo: bool,
    /// Directory of the pages' files.
    pub site: PathBuf,
    /// URL of the control database; absent means a SQLite file in the home.
    pub database: Option<String>,
    /// The file of the key that seals secrets; absent means one in the home.
    pub key_file: Option<PathBuf>,
    /// The file of the token that `/metrics` wants to see from other machines.
    pub metrics_token_file: Option<PathBuf>,
    /// How log lines are written.
    pub log_format: LogFormat,
}

/// How the URL of a control database may begin.
const DATABASE_SCHEMES: [&str; 4] = ["sqlite:", "postgres://", "postgresql://", "mysql://"];

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// About listening.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// No home.
    #[error("--home \"{}\" cannot be used: {cause}", path.display())]
    Home {
        /// As given.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not the URL of a database that can be used. It is not told, as it may hold a password.
    #[error(
        "--database (or TIDEMARK_DATABASE) begins with no scheme that is known; write sqlite://FILE, \
         postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME"
    )]
    Database,
    /// No pages.
    #[error(
        "the pages' files are not in {}; build them with `make build`, or name their directory with --site",
        tried.join(" or ")
    )]
    NoSite {
        /// Directories looked at.
        tried: Vec<String>,
    },
}

impl Config {
    /// Checks the options. `executable` is where this binary lies, for finding the pages' files beside it.
    pub fn new(common: &Common, serve: &Serve, executable: &Path) -> Result<Config, ConfigError> {
        let home = std::path::absolute(&common.home).map_err(|cause| ConfigError::Home {
            path: common.home.clone(),
            cause,
        })?;
        Ok(Config {
            home,
            reach: Reach::new(serve)?,
            demo: serve.demo,
            site: site_directory(serve.site.as_deref(), executable)?,
            database: serve.database.as_deref().map(database_url).transpose()?,
            key_file: serve.key_file.clone(),
            metrics_token_file: serve.metrics_token_file.clone(),
            log_format: serve.log_format,
        })
    }
}

fn database_url(url: &str) -> Result<String, ConfigError> {
    match DATABASE_SCHEMES.iter().any(|known| url.starts_with(known)) {
        true => Ok(url.to_owned()),
        false => Err(ConfigError::Database),
    }
}

/// A directory of pages has the `pkg` folder that the build fills.
fn site_directory(given: Option<&Path>, executable: &Path) -> Result<PathBuf, ConfigError> {
    let beside = executable.parent().unwrap_or(Path::new("."));
    let candidates = match given {
        Some(directory) => vec![directory.to_owned()],
        None => vec![beside.join("site"), beside.join("../site")],
    };
    candidates
        .iter()
        .find(|directory| directory.join("pkg").is_dir())
        .cloned()
        .ok_or_else(|| ConfigError::NoSite {
            tried: candidates
                .iter()
                .map(|directory| directory.display().to_string())
                .collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scheme_is_refused_without_telling_the_address() {
        for good in [
            "sqlite::memory:",
            "sqlite://c.db",
            "postgres://u:p@h/d",
            "mysql://h/d",
        ] {
            assert_eq!(database_url(good).unwrap(), good);
        }
        for bad in [
            "postgress://bob:hunter2@host/db",
            "bob:hunter2@host",
            "control.db",
            "",
        ] {
            let error = database_url(bad).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(
                !told.contains("hunter2") && told.contains("--database"),
                "{told}"
            );
            assert!(
                told.contains("sqlite://") && told.contains("mysql://"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_site_is_found_beside_the_binary_or_where_it_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("release/tidemark");
        let missing = site_directory(None, &binary).unwrap_err().to_string();
        assert!(missing.contains("make build"), "{missing}");
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::create_dir_all(folder.path().join("release")).unwrap();
        assert!(site_directory(None, &binary).unwrap().join("pkg").is_dir());
        let named = folder.path().join("elsewhere");
        let wrong = site_directory(Some(&named), &binary)
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("elsewhere"), "{wrong}");
    }
}
