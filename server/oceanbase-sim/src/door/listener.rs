//! The door itself: accepts connections up to a number, and closes without cutting statements short.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::connection::{self, Shared};
use super::packet::PacketStream;
use super::{Cluster, refusals, resultset};

/// How long connections may still take when the door closes.
const GRACE: Duration = Duration::from_secs(5);

/// What clients may ask of the door.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// How long signing in may take.
    pub handshake: Duration,
    /// How long a client may be silent between two commands.
    pub idle: Duration,
    /// How long the bytes of one packet, or of one piece of an answer, may take.
    pub transfer: Duration,
    /// Bytes of the largest packet: `max_allowed_packet`.
    pub packet: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 512,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(8 * 3600),
            transfer: Duration::from_secs(60),
            packet: 16 * 1024 * 1024,
        }
    }
}

/// A certificate that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate or the key is not PEM.
    #[error("certificate or key cannot be read: {0}")]
    Unreadable(#[from] pem::Error),
    /// They cannot be used, or do not belong together.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The MySQL protocol in front of a cluster, not open yet.
pub struct Door<C> {
    shared: Shared<C>,
}

impl<C: Cluster> Door<C> {
    /// A door to `cluster`, with the usual limits and without TLS.
    pub fn new(cluster: Arc<C>) -> Self {
        Door {
            shared: Shared {
                cluster,
                limits: Limits::default(),
                tls: None,
            },
        }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Offers TLS with a chain of certificates and the key of the first, both PEM.
    pub fn with_tls(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        self.shared.tls = Some(TlsAcceptor::from(Arc::new(config)));
        Ok(self)
    }

    /// Listens. Port 0 takes one that is free.
    pub async fn open(self, address: impl ToSocketAddrs) -> io::Result<OpenDoor> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let accepting = tokio::spawn(accept(Arc::new(self.shared), listener, stopping));
        Ok(OpenDoor {
            address,
            stop,
            accepting,
        })
    }
}

/// A door that listens. Dropping it closes it without waiting.
#[derive(Debug)]
pub struct OpenDoor {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl OpenDoor {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nobody any more, lets running statements end for some seconds, and closes all connections.
    pub async fn close(self) {
        self.stop.send_replace(true);
        // It ends by itself, and a panic in it has been printed already.
        let _ = self.accepting.await;
    }
}

async fn accept<C: Cluster>(
    shared: Arc<Shared<C>>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0_u32;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((socket, _)) = accepted else {
            // Out of descriptors, mostly: it passes when connections end.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= shared.limits.connections {
            turn_away(socket).await;
            continue;
        }
        // Answers are small and waited for. Where it cannot be set it only costs time.
        let _ = socket.set_nodelay(true);
        number = number.wrapping_add(1).max(1);
        connections.spawn(connection::serve(
            Arc::clone(&shared),
            Box::new(socket),
            number,
            stop.clone(),
        ));
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Tells a client that there are too many. The few bytes fit into the buffer of a fresh socket.
async fn turn_away(socket: TcpStream) {
    let mut stream = PacketStream::new(socket, Duration::from_secs(1));
    let refused = resultset::error_without_state(&refusals::too_many_connections());
    if stream.send(&refused).await.is_ok() && stream.flush().await.is_ok() {
        stream.close().await;
    }
}
