//! `tidemark serve`: takes the home, opens everything, serves, and ends in order.

use crate::{
    compose,
    config::Config,
    home::{Door, Home, HomeError},
    http::sign_in,
    listen::{
        Peer, Rules,
        certificate::CertificateError,
        names::OwnNames,
        tls::{Tls, TlsListener},
    },
    router::{Parts, Surroundings, local_router, router_in},
    shutdown::Signals,
    telemetry,
};
use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use control::Console;
use domain::clock::Clock;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

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
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
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
    telemetry::start(config.log_format);
    let mut signals = Signals::listen().map_err(system("listening for signals"))?;
    let tls = config
        .reach
        .tls
        .as_ref()
        .map(Tls::open)
        .transpose()?
        .map(Arc::new);
    if let Some(tls) = &tls {
        signals
            .take_hangup()
            .map_err(system("listening for signals"))?;
        warn_of_end(tls);
    }
    let home = Home::take(&config.home)?;
    let listener = listen(config.reach.listen).await?;
    let address = listener
        .local_addr()
        .map_err(system("asking for the address"))?;
    let own = match config.reach.needs_own_door() {
        true => Some(listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?),
        false => None,
    };
    let Some(console) = start(&config, home.path(), &mut signals).await? else {
        return Ok(());
    };
    let url = config.reach.url(address);
    let doors = Doors {
        listener,
        address,
        own,
        tls,
    };
    let opened = match first_link(&console, &url).await {
        Ok(link) => open(&home, &console, &config, doors).map(|opened| (opened, link)),
        Err(error) => Err(error),
    };
    let ended = match opened {
        Ok((opened, link)) => {
            announce(address, link);
            tracing::info!(%address, url, home = %home.path().display(), "serving");
            answer(opened, &home, &mut signals).await
        }
        Err(error) => Err(error),
    };
    end(&console, &mut signals).await;
    ended
}

/// Where requests come in.
struct Doors {
    /// For people.
    listener: TcpListener,
    address: SocketAddr,
    /// For commands, where they cannot use the one for people.
    own: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
}

/// Servers that answer.
struct Opened {
    servers: JoinSet<io::Result<()>>,
    stop: watch::Sender<bool>,
    tls: Option<Arc<Tls>>,
}

impl Opened {
    /// Answers what comes in at a door until told to stop.
    fn answer<L>(&mut self, listener: L, routes: Router)
    where
        L: Listener<Addr = SocketAddr>,
        Peer: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let mut stop = self.stop.subscribe();
        let service = routes.into_make_service_with_connect_info::<Peer>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            // An error means that nobody can tell any more, which is an end too.
            let _ = stop.wait_for(|stop| *stop).await;
        });
        self.servers.spawn(server.into_future());
    }
}

/// Puts the console together and waits until it is ready; nothing when a signal came first.
async fn start(
    config: &Config,
    home: &Path,
    signals: &mut Signals,
) -> Result<Option<Console>, ServeError> {
    let console = tokio::select! {
        console = compose::begin(home, config.database.as_deref(), config.key_file.as_deref()) => console?,
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

/// Opens the doors, and writes down the token that opens the commands' one.
fn open(
    home: &Home,
    console: &Console,
    config: &Config,
    doors: Doors,
) -> Result<Opened, ServeError> {
    let token = compose::fresh_token()
        .map_err(|cause| system("getting randomness")(io::Error::other(cause.to_string())))?;
    let parts = Parts {
        console: console.clone(),
        token: token.as_str().into(),
        url: config.reach.url(doors.address).into(),
    };
    let reach = &config.reach;
    let around = |tls: Option<Arc<Tls>>| Surroundings {
        rules: Arc::new(Rules {
            names: OwnNames::new(reach.names.clone(), tls.clone()),
            proxies: reach.proxies.clone(),
            tls: tls.is_some(),
            open: reach.insecure,
        }),
        metrics_token_file: config.metrics_token_file.clone(),
        tls,
        ..Surroundings::default()
    };
    let outside = around(doors.tls.clone());
    let mut opened = Opened {
        servers: JoinSet::new(),
        stop: watch::Sender::new(false),
        tls: doors.tls.clone(),
    };
    let mut address = doors.address;
    if let Some(own) = doors.own {
        address = own.local_addr().map_err(system("asking for the address"))?;
        let inside = Surroundings {
            counts: Arc::clone(&outside.counts),
            metrics_token_file: config.metrics_token_file.clone(),
            tls: doors.tls.clone(),
            ..Surroundings::default()
        };
        opened.answer(own, local_router(&parts, &inside));
    }
    let routes = router_in(parts, &config.site, doors.address, &outside);
    match doors.tls {
        Some(tls) => {
            let listener = TlsListener::new(doors.listener, tls)
                .map_err(|error| system("preparing TLS")(io::Error::other(error)))?;
            opened.answer(listener, routes);
        }
        None => opened.answer(doors.listener, routes),
    }
    home.open_door(&Door { address, token })?;
    Ok(opened)
}

/// Answers requests until a signal comes, and then finishes those that run.
async fn answer(mut opened: Opened, home: &Home, signals: &mut Signals) -> Result<(), ServeError> {
    let ended = loop {
        tokio::select! {
            signal = signals.next_or_hangup() => match signal {
                Some(signal) => {
                    tracing::info!(signal, "ending: finishing requests, then making all log durable");
                    break None;
                }
                None => reload(opened.tls.as_deref()),
            },
            ended = opened.servers.join_next() => break ended,
        }
    };
    home.close_door();
    opened.stop.send_replace(true);
    let rest = async { while opened.servers.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_MAX, rest).await.is_err() {
        opened.servers.abort_all();
    }
    match ended {
        Some(Ok(Err(cause))) => Err(system("serving")(cause)),
        Some(Err(panic)) => Err(system("serving")(io::Error::other(panic))),
        _ => Ok(()),
    }
}

fn reload(tls: Option<&Tls>) {
    let Some(tls) = tls else {
        return;
    };
    match tls.reload() {
        Ok(()) => {
            tracing::info!("the certificate was read again and is in use");
            warn_of_end(tls);
        }
        Err(error) => tracing::error!("the certificate of before stays in use: {error}"),
    }
}

fn warn_of_end(tls: &Tls) {
    if let Some(warning) = tls.warning(compose::SystemClock.now()) {
        tracing::warn!("{warning}");
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
