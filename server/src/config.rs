//! Settings of `serve`, checked before anything is touched.

use crate::cli::{Common, Serve};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Everything `serve` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Directory of the console's own files, absolute.
    pub home: PathBuf,
    /// Where to listen; always loopback.
    pub listen: SocketAddr,
    /// Whether to begin with the demo cluster.
    pub demo: bool,
    /// Directory of the pages' files.
    pub site: PathBuf,
    /// URL of the control database; absent means a SQLite file in the home.
    pub database: Option<String>,
}

/// How the URL of a control database may begin.
const DATABASE_SCHEMES: [&str; 4] = ["sqlite:", "postgres://", "postgresql://", "mysql://"];

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not an address at all.
    #[error("--listen \"{0}\" is not an address; write ADDRESS:PORT, such as 127.0.0.1:3000")]
    NotAnAddress(String),
    /// Others could reach it.
    #[error(
        "--listen {0} would let other machines in, and there is no sign-in yet; use 127.0.0.1:{port} \
         and reach it from elsewhere through an SSH tunnel",
        port = .0.port()
    )]
    BeyondLoopback(SocketAddr),
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
            listen: listen_address(&serve.listen)?,
            demo: serve.demo,
            site: site_directory(serve.site.as_deref(), executable)?,
            database: serve.database.as_deref().map(database_url).transpose()?,
        })
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, ConfigError> {
    let address = match text.strip_prefix("localhost:").map(str::parse) {
        Some(Ok(port)) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        Some(Err(_)) => return Err(ConfigError::NotAnAddress(text.to_owned())),
        None => text
            .parse()
            .map_err(|_| ConfigError::NotAnAddress(text.to_owned()))?,
    };
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(ConfigError::BeyondLoopback(address))
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
    fn only_this_machine_is_served() {
        for good in ["127.0.0.1:3000", "[::1]:0", "localhost:8080", "127.9.9.9:1"] {
            assert!(listen_address(good).is_ok(), "{good}");
        }
        for (open, port) in [
            ("0.0.0.0:3000", "3000"),
            ("[::]:81", "81"),
            ("192.168.1.7:5", "5"),
        ] {
            let text = listen_address(open).unwrap_err().to_string();
            assert!(
                text.contains(open) && text.contains(&format!("127.0.0.1:{port}")),
                "{text}"
            );
        }
        for bad in [
            "",
            "3000",
            "localhost",
            "localhost:x",
            "127.0.0.1",
            "127.0.0.1:99999",
        ] {
            let text = listen_address(bad).unwrap_err().to_string();
            assert!(text.contains(&format!("\"{bad}\"")), "{text}");
        }
    }

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
