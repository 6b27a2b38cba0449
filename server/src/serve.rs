//! `tidemark serve`: takes the home, opens everything, serves, and ends in order.

use crate::{
    compose,
    config::Config,
    home::{Door, Home, HomeError},
    http::sign_in,
    router::{Parts, router},
    shutdown::Signals,
    telemetry,
};
use axum::Router;
use control::Console;
use std::{io, net::SocketAddr, path::Path, time::Duration};
use tokio::net::TcpListener;

/// How long requests may take to finish once the server ends.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// Why a server did not start, or ended otherwise than asked.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The port.
    #[error("port {} is taken on {}; stop the program that has it, or choose another with --listen {}:PORT",
        address.port(), address.ip(), address.ip())]
    PortTaken {
        /// As asked for.
        address: SocketAddr,
    },
    /// The address.
    #[error("listening on {address} failed: {cause}; choose another address with --listen")]
    Listen {
        /// As asked for.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The console.
    #[error(transparent)]
    Compose(#[from] compose::ComposeError),
    /// The demo cluster.
    #[error("the demo cluster could not be started: {0}")]
    Demo(#[source] control::Error),
    /// The users.
    #[error("the users could not be read: {0}")]
    SignIn(#[source] control::Error),
    /// The operating system.
    #[error("{operation} failed: {cause}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
}

fn system(operation: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |cause| ServeError::System { operation, cause }
}

/// Serves until a signal comes. `announce` is told the address once pages can be opened, and the link that
/// makes the first administrator while there is no user.
pub async fn serve(
    config: Config,
    announce: impl FnOnce(SocketAddr, Option<String>),
) -> Result<(), ServeError> {
    telemetry::start();
    let mut signals = Signals::listen().map_err(system("listening for signals"))?;
    let home = Home::take(&config.home)?;
    let listener = listen(config.listen).await?;
    let address = listener
        .local_addr()
        .map_err(system("asking for the address"))?;
    let Some(console) = start(&config, home.path(), &mut signals).await? else {
        return Ok(());
    };
    let url = format!("http://{address}");
    let opened = match first_link(&console, &url).await {
        Ok(link) => open_door(&home, &console, &config.site, address).map(|routes| (routes, link)),
        Err(error) => Err(error),
    };
    let ended = match opened {
        Ok((routes, link)) => {
            announce(address, link);
            tracing::info!(%address, home = %home.path().display(), "serving");
            answer(listener, routes, &home, &mut signals).await
        }
        Err(error) => Err(error),
    };
    end(&console, &mut signals).await;
    ended
}

/// Puts the console together and waits until it is ready; nothing when a signal came first.
async fn start(
    config: &Config,
    home: &Path,
    signals: &mut Signals,
) -> Result<Option<Console>, ServeError> {
    let console = tokio::select! {
        console = compose::begin(home, config.database.as_deref()) => console?,
        signal = signals.next() => {
            tracing::info!(signal, "ending before anything was open");
            return Ok(None);
        }
    };
    let ready = async {
        console.settle().await;
        match config.demo {
            true => console.start_demo().await,
            false => Ok(()),
        }
    };
    let failed = tokio::select! {
        ready = ready => match ready {
            Ok(()) => return Ok(Some(console)),
            Err(error) => Some(error),
        },
        signal = signals.next() => {
            tracing::info!(signal, "ending before anything was served");
            None
        }
    };
    end(&console, signals).await;
    failed.map_or(Ok(None), |error| Err(ServeError::Demo(error)))
}

/// The link that makes the first administrator, while there is no user.
async fn first_link(console: &Console, url: &str) -> Result<Option<String>, ServeError> {
    let link = console.first_link().await.map_err(ServeError::SignIn)?;
    Ok(link.map(|link| sign_in::address(url, &link)))
}

/// The routes, and the token that opens the commands' part of them.
fn open_door(
    home: &Home,
    console: &Console,
    site: &Path,
    address: SocketAddr,
) -> Result<Router, ServeError> {
    let token = compose::fresh_token()
        .map_err(|cause| system("getting randomness")(io::Error::other(cause.to_string())))?;
    let parts = Parts {
        console: console.clone(),
        token: token.as_str().into(),
        url: format!("http://{address}").into(),
    };
    let routes = router(parts, site, address);
    home.open_door(&Door { address, token })?;
    Ok(routes)
}

/// Answers requests until a signal comes, and then finishes those that run.
async fn answer(
    listener: TcpListener,
    routes: Router,
    home: &Home,
    signals: &mut Signals,
) -> Result<(), ServeError> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut server = tokio::spawn(
        axum::serve(
            listener,
            routes.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(async move {
            let _ = stopped.await;
        })
        .into_future(),
    );
    let ended = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "ending: finishing requests, then making all log durable");
            None
        }
        ended = &mut server => Some(ended),
    };
    home.close_door();
    let _ = stop.send(());
    if ended.is_none() && tokio::time::timeout(DRAIN_MAX, &mut server).await.is_err() {
        server.abort();
    }
    match ended {
        Some(Ok(Err(cause))) => Err(system("serving")(cause)),
        Some(Err(panic)) => Err(system("serving")(io::Error::other(panic))),
        _ => Ok(()),
    }
}

/// Ends the console in order; another signal ends it at once.
async fn end(console: &Console, signals: &mut Signals) {
    tokio::select! {
        () = console.shut_down() => tracing::info!("ended in order"),
        signal = signals.next() => tracing::warn!(signal, "ended at once; the next start checks what is missing"),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortTaken { address },
            _ => ServeError::Listen { address, cause },
        })
}
