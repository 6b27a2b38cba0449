//! Listening: how far the server may be reached, by which names, through which proxies, and TLS.

pub mod certificate;
pub mod names;
pub mod proxy;
pub mod reach;
pub mod tls;

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use names::OwnNames;
use proxy::Net;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// Who is at the other end of a connection: a client, or a proxy in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Peer(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, tls::TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, tls::TlsListener>) -> Self {
        Peer(*stream.remote_addr())
    }
}

/// What decides about every request before anything else does.
#[derive(Debug, Default)]
pub struct Rules {
    /// Names that this server goes by, beside the loopback ones.
    pub names: OwnNames,
    /// Proxies whose word about the client is believed.
    pub proxies: Vec<Net>,
    /// Whether connections are encrypted here.
    pub tls: bool,
    /// Whether others than proxies and this machine may come without encryption.
    pub open: bool,
}

impl Rules {
    /// Whether this address belongs to a proxy that is believed.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|net| net.contains(address))
    }
}
