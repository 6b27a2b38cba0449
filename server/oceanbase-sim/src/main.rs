//! `oceanbase-sim`: serves a simulated cluster to MySQL clients until it is told to end.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use oceanbase_sim::{
    Setup, Sim, UnknownVersion,
    door::{Door, TlsError},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

/// How often the world catches up with the clock.
const CLOCK_STEP: Duration = Duration::from_millis(200);
const PASSWORD_VARIABLE: &str = "OCEANBASE_SIM_PASSWORD";

/// Serves a simulated OceanBase cluster over the MySQL protocol. This is a simulation and not OceanBase:
/// it keeps no data, and what it answers about backup and recovery is made up.
#[derive(Debug, Parser)]
#[command(name = "oceanbase-sim")]
struct Arguments {
    /// The release of OceanBase whose answers are played
    #[arg(long, default_value = "4.3.5")]
    version: String,
    /// User tenants, named t1 to tN
    #[arg(long, default_value_t = 4)]
    tenants: u32,
    /// Where all that looks random comes from
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:2881")]
    listen: SocketAddr,
    /// Above 1 everything takes that many times less
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    scale: f64,
    /// Zones
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    zones: u32,
    /// Servers in each zone
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    servers_per_zone: u32,
    /// A file with the password of root in every tenant; the variable OCEANBASE_SIM_PASSWORD does as well
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Play a proxy in front of the cluster: users are written user@tenant#cluster
    #[arg(long)]
    proxy: bool,
    /// Name of the cluster
    #[arg(long, default_value = "demo")]
    cluster_name: String,
    /// Start without destinations, archiving and history
    #[arg(long)]
    empty: bool,
    /// A certificate (PEM); TLS is offered only with one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Version(#[from] UnknownVersion),
    #[error("reading {path} failed: {error}")]
    Reading { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("listening on {address} failed: {error}")]
    Listening {
        address: SocketAddr,
        error: io::Error,
    },
    #[error("waiting for signals failed: {0}")]
    Signals(io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("oceanbase-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let cluster = Arc::new(Sim::new(setup(&arguments)?));
    let mut door = Door::new(cluster.clone());
    if let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) {
        door = door.with_tls(&read(certificate)?, &read(key)?)?;
    }
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Signals)?;
    let address = arguments.listen;
    let door = door
        .open(address)
        .await
        .map_err(|error| Failure::Listening { address, error })?;
    eprintln!(
        "oceanbase-sim: a simulation, not OceanBase, plays {} with {} tenants on {}",
        arguments.version,
        arguments.tenants,
        door.address(),
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = follow_clock(cluster) => {}
    }
    door.close().await;
    Ok(())
}

fn setup(arguments: &Arguments) -> Result<Setup, Failure> {
    Ok(Setup {
        tenants: arguments.tenants,
        seed: arguments.seed,
        cluster_name: arguments.cluster_name.clone(),
        start_us: now_us(),
        scale: arguments.scale,
        root_password: password(arguments.password_file.as_deref())?,
        zones: arguments.zones,
        servers_per_zone: arguments.servers_per_zone,
        history: !arguments.empty,
        proxy: arguments.proxy,
        ..Setup::new(&arguments.version)?
    })
}

/// Keeps the world at the time of day, without end.
async fn follow_clock(cluster: Arc<Sim>) {
    let mut steps = interval(CLOCK_STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        cluster.follow_clock(now_us());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulated world meets the real clock"
)]
fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or_default()
}

/// The password of root, which is never an argument: those can be read by everybody on the machine.
fn password(file: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = file else {
        return Ok(std::env::var(PASSWORD_VARIABLE).unwrap_or_default());
    };
    let text = String::from_utf8(read(path)?).map_err(|error| Failure::Reading {
        path: path.to_owned(),
        error: io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Reading {
        path: path.to_owned(),
        error,
    })
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number above 0 is needed".to_owned()),
    }
}
