//! TLS in front of HTTP: rustls with ring, one certificate that can be replaced while the server runs.

use super::certificate::{CertificateError, CertificateFiles, Identity};
use axum::serve::Listener;
use domain::Scn;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

/// How long a client may take to agree on a key.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Handshakes at once; further clients wait in the operating system's queue.
const HANDSHAKES_MAX: usize = 256;

/// The certificate in use.
#[derive(Debug)]
pub struct Tls {
    files: CertificateFiles,
    identity: RwLock<Arc<Identity>>,
}

impl Tls {
    /// Reads the certificate and its key.
    pub fn open(files: &CertificateFiles) -> Result<Tls, CertificateError> {
        let identity = Identity::read(files)?;
        Ok(Tls {
            files: files.clone(),
            identity: RwLock::new(Arc::new(identity)),
        })
    }

    /// Reads both files again. When they cannot be used, those of before stay in use.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let identity = Arc::new(Identity::read(&self.files)?);
        *self
            .identity
            .write()
            .expect("invariant: nothing panics while it replaces the certificate") = identity;
        Ok(())
    }

    /// What a person should know about the certificate's end.
    pub fn warning(&self, now: Scn) -> Option<String> {
        self.identity().warning(now)
    }

    /// Until when the certificate is valid.
    pub fn until(&self) -> Option<Scn> {
        self.identity().until
    }

    /// The certificate's names.
    pub fn names(&self) -> Vec<String> {
        self.identity().names()
    }

    /// Whether the certificate is for this name or address.
    pub fn is_named(&self, host: &str) -> bool {
        self.identity().is_for(host)
    }

    fn identity(&self) -> Arc<Identity> {
        let identity = self
            .identity
            .read()
            .expect("invariant: nothing panics while it replaces the certificate");
        Arc::clone(&identity)
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.identity().certified))
    }
}

/// Accepts connections and agrees on keys; a client that is slow at it delays nobody else.
pub struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    /// Puts TLS in front of a listener.
    pub fn new(tcp: TcpListener, tls: Arc<Tls>) -> Result<TlsListener, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(tls);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsListener {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            handshakes: JoinSet::new(),
        })
    }

    fn begin(&mut self, stream: TcpStream, from: SocketAddr) {
        let acceptor = self.acceptor.clone();
        self.handshakes.spawn(async move {
            match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Some((stream, from)),
                Ok(Err(error)) => {
                    tracing::debug!(%from, "a client did not agree on a key: {error}");
                    None
                }
                Err(_) => {
                    tracing::debug!(%from, "a client took too long to agree on a key");
                    None
                }
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let room = self.handshakes.len() < HANDSHAKES_MAX;
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(ready)) = done {
                        return ready;
                    }
                }
                (stream, from) = Listener::accept(&mut self.tcp), if room => self.begin(stream, from),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
