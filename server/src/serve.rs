//! `tidemark serve`: takes the home, opens everything, serves, and ends in order.

use crate::{
    compose,
    config::Config,
    home::{Door, Home, HomeError},
    router::{Parts, router},
    shutdown::Signals,
    telemetry,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
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
    Demo(control::Error),
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

/// Serves until a signal comes. `announce` is told the address once pages can be opened.
pub async fn serve(config: Config, announce: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    telemetry::start();
    let mut signals = Signals::listen().map_err(system("listening for signals"))?;
    let home = Home::take(&config.home)?;
    let listener = listen(config.listen).await?;
    let address = listener
        .local_addr()
        .map_err(system("asking for the address"))?;

    let console = compose::console(home.path(), config.database.as_deref()).await?;
    if config.demo
        && let Err(error) = console.start_demo().await
    {
        console.shut_down().await;
        return Err(ServeError::Demo(error));
    }

    let token: Arc<str> = compose::fresh_token()
        .map_err(|cause| system("getting randomness")(io::Error::other(cause.to_string())))?
        .into();
    let routes = router(
        Parts {
            console: console.clone(),
            token: Arc::clone(&token),
        },
        &config.site,
        address,
    );
    home.open_door(&Door {
        address,
        token: token.to_string(),
    })?;
    announce(address);
    tracing::info!(%address, home = %home.path().display(), "serving");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut server = tokio::spawn(
        axum::serve(listener, routes)
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
    tokio::select! {
        () = console.shut_down() => tracing::info!("ended in order"),
        signal = signals.next() => tracing::warn!(signal, "ended at once; the next start checks what is missing"),
    }
    match ended {
        Some(Ok(Err(cause))) => Err(system("serving")(cause)),
        Some(Err(panic)) => Err(system("serving")(io::Error::other(panic))),
        _ => Ok(()),
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
