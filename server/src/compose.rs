//! Where the parts are put together: the real clock, real randomness, the engines, the control database.

use crate::outbound::Web;
use async_trait::async_trait;
use control::{
    Console, ConsoleParts,
    secret::{Key, KeyError, KeyPlace},
};
use domain::{Scn, capability::EngineKind, clock::Clock, endpoint::ConnectionReport};
use engine::{
    Engine, EngineError, EngineErrorKind, EngineOpener, EngineSettings, FoundCluster, ServerAccess,
    unsupported,
};
use engine_embedded::EmbeddedEngine;
use engine_oceanbase::{Account, Encryption, MysqlConnector};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use store::Store;

/// Names a file of the authorities that receivers of notifications are trusted by, instead of the usual ones.
const AUTHORITIES_VARIABLE: &str = "SSL_CERT_FILE";
/// File of the control database in a home.
pub(crate) const CONTROL_DATABASE: &str = "control.db";
/// File of the key that seals secrets, in a home.
const KEY_FILE: &str = "secret.key";
/// Environment variable with that key itself.
const KEY_VARIABLE: &str = "TIDEMARK_KEY";
/// Environment variable with the key before it, while keys are changed.
const FORMER_KEY_VARIABLE: &str = "TIDEMARK_KEY_OLD";

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the real time comes from"
    )]
    fn now(&self) -> Scn {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Scn(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Opens every kind of engine there is.
pub struct Engines {
    clock: Arc<dyn Clock>,
    home: PathBuf,
}

impl Engines {
    /// Engines that take the time from `clock`, for a console whose own files are below `home`.
    pub fn new(clock: Arc<dyn Clock>, home: &Path) -> Self {
        Engines {
            clock,
            home: home.to_owned(),
        }
    }

    /// Makes the directory that a destination is to be made in, if that is ours to make. Elsewhere a
    /// missing directory may be a disk that is not mounted, and must stay missing.
    fn make_room(&self, settings: &EngineSettings) -> Result<(), EngineError> {
        let Some(parent) = settings.destination.parent() else {
            return Ok(());
        };
        if !parent.starts_with(&self.home) {
            return Ok(());
        }
        std::fs::create_dir_all(parent).map_err(|error| {
            let why = format!("{} could not be made: {error}", parent.display());
            EngineError::new(EngineErrorKind::Unreachable, "opening", &settings.name, why)
        })
    }
}

#[async_trait]
impl EngineOpener for Engines {
    async fn survey(
        &self,
        kind: EngineKind,
        destination: &Path,
    ) -> Result<Vec<FoundCluster>, EngineError> {
        match kind {
            EngineKind::Embedded => EmbeddedEngine::survey(destination).await,
            EngineKind::OceanBase => Err(unsupported("survey", &destination.display().to_string())),
        }
    }

    async fn try_server(
        &self,
        kind: EngineKind,
        server: &ServerAccess,
    ) -> Result<ConnectionReport, EngineError> {
        match kind {
            EngineKind::Embedded => {
                let subject = server.endpoint.to_string();
                Err(unsupported("test of a connection", &subject))
            }
            EngineKind::OceanBase => Ok(engine_oceanbase::try_connection(connector(server)).await),
        }
    }

    async fn open(&self, settings: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError> {
        match settings.kind {
            EngineKind::Embedded => {
                self.make_room(settings)?;
                let engine: Arc<EmbeddedEngine> =
                    EmbeddedEngine::open(settings, Arc::clone(&self.clock)).await?;
                Ok(engine)
            }
            EngineKind::OceanBase => {
                let server = settings.server.as_ref().ok_or_else(|| {
                    let why = "it has no address; modify the cluster and give one";
                    EngineError::new(EngineErrorKind::Rejected, "opening", &settings.name, why)
                })?;
                engine_oceanbase::open(&settings.name, connector(server)).await
            }
        }
    }
}

/// Connections to an OceanBase cluster.
fn connector(server: &ServerAccess) -> Arc<MysqlConnector> {
    let account = Account {
        user: server.endpoint.account.clone(),
        password: server.password.clone(),
    };
    let addresses = server.endpoint.addresses.clone();
    Arc::new(MysqlConnector::new(
        addresses,
        account,
        Encryption::WhenOffered,
    ))
}

/// A console that could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The control database.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Its schema.
    #[error(transparent)]
    Schema(#[from] migration::MigrationError),
    /// The console itself.
    #[error(transparent)]
    Console(#[from] control::Error),
    /// The key that seals secrets.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What notifications are sent with.
    #[error("notifications could not be set up: {0}")]
    Outbound(String),
}

/// Opens the control database (by default a file in `home`), starts the console on it, and waits
/// until the known clusters are open, but not for ever.
pub async fn console(home: &Path, database: Option<&str>) -> Result<Console, ComposeError> {
    let console = begin(home, database, None).await?;
    console.settle().await;
    Ok(console)
}

/// The same without waiting for clusters, and perhaps with the key that seals secrets in another file.
pub async fn begin(
    home: &Path,
    database: Option<&str>,
    key_file: Option<&Path>,
) -> Result<Console, ComposeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key = key_place(home, key_file)?;
    let store = open_store(home, database).await?;
    let opener = Arc::new(Engines::new(Arc::clone(&clock), home));
    let authorities = std::env::var_os(AUTHORITIES_VARIABLE).map(PathBuf::from);
    Ok(Console::begin(ConsoleParts {
        store,
        opener,
        clock,
        home: home.to_owned(),
        // The home is locked, and its own database is in it.
        alone: database.is_none(),
        key,
        outbound: Arc::new(Web::new(authorities.as_deref()).map_err(ComposeError::Outbound)?),
    })
    .await?)
}

/// Opens the control database and brings its schema up to date.
pub(crate) async fn open_store(home: &Path, database: Option<&str>) -> Result<Store, ComposeError> {
    let url = match database {
        Some(url) => url.to_owned(),
        None => sqlite_url(&home.join(CONTROL_DATABASE)),
    };
    let store = Store::connect(&url).await?;
    migration::up(store.connection()).await?;
    Ok(store)
}

/// Where the key comes from: the environment, or a file.
fn key_place(home: &Path, key_file: Option<&Path>) -> Result<KeyPlace, KeyError> {
    let given = |name: &str| match std::env::var(name) {
        Ok(text) => Key::read(&text, name).map(Some),
        Err(_) => Ok(None),
    };
    Ok(match given(KEY_VARIABLE)? {
        Some(key) => KeyPlace::Given {
            key,
            former: given(FORMER_KEY_VARIABLE)?,
        },
        None => KeyPlace::File(key_file.map_or_else(|| home.join(KEY_FILE), Path::to_owned)),
    })
}

/// The URL of a SQLite file; whatever means something in a URL is escaped.
pub(crate) fn sqlite_url(file: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?mode=rwc");
    url
}

/// A token nobody can guess: 256 random bits in hexadecimal.
pub fn fresh_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_with_odd_characters_has_a_url() {
        let url = sqlite_url(Path::new("/srv/my home/50%?#/control.db"));
        assert_eq!(
            url,
            "sqlite:///srv/my%20home/50%25%3F%23/control.db?mode=rwc"
        );
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (fresh_token().unwrap(), fresh_token().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
