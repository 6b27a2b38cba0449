//! Who asks: the client's address, and whether the way to it is encrypted.

use axum::{
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::Response,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Who asks; in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address.
    pub ip: IpAddr,
    /// Whether it is certainly a program on this machine.
    pub local: bool,
    /// Whether the client speaks TLS.
    pub secure: bool,
}

/// Finds out who asks.
pub async fn recognise(mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    // What came through no connection is of this process.
    let ip = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    request.extensions_mut().insert(ClientAddress {
        ip,
        local: ip.is_loopback(),
        secure: false,
    });
    next.run(request).await
}
