//! Who asks: the client's address, whether the way to it is encrypted, and by which name it addressed this server.
//! Proxies are believed only when they are configured, and each only about what is in front of it.

use crate::listen::{Peer, Rules};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Most proxies in a row that are followed.
const HOPS_MAX: usize = 16;

/// Who asks; in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address, as far back as proxies are believed.
    pub ip: IpAddr,
    /// Whether it is certainly a program on this machine.
    pub local: bool,
    /// Whether the client speaks TLS, with this server or with a proxy that is believed.
    pub secure: bool,
}

/// The authority, name and perhaps port, by which the client addressed this server; in the extensions too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed(pub Authority);

/// Finds out who asks, and refuses whoever comes around the proxy without encryption.
pub async fn recognise(
    State(rules): State<Arc<Rules>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    // What came through no connection is of this process.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.0.ip());
    let client = client(&rules, peer.to_canonical(), request.headers());
    let encrypted = rules.tls || rules.open || rules.is_proxy(peer.to_canonical());
    if !encrypted && !peer.to_canonical().is_loopback() {
        let sentence = "this server is reached through its proxy only, which speaks HTTPS; it takes no unencrypted \
                        requests from elsewhere\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    let proxied = rules.is_proxy(peer.to_canonical());
    if let Some(authority) = addressed(request.uri(), request.headers(), proxied) {
        request.extensions_mut().insert(Addressed(authority));
    }
    tracing::Span::current().record("client", tracing::field::display(client.ip));
    request.extensions_mut().insert(client);
    next.run(request).await
}

fn client(rules: &Rules, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
    if !rules.is_proxy(peer) {
        // A proxy that nobody told of must not make its clients look like this machine.
        let forwarded = [FORWARDED_FOR, "forwarded", "x-real-ip"];
        let local = peer.is_loopback() && forwarded.iter().all(|name| !headers.contains_key(*name));
        return ClientAddress {
            ip: peer,
            local,
            secure: rules.tls,
        };
    }
    let mut ip = peer;
    let hops: Vec<&str> = words(headers, FORWARDED_FOR).collect();
    for hop in hops.iter().rev().take(HOPS_MAX) {
        match hop.parse::<IpAddr>() {
            Ok(before) if rules.is_proxy(ip) => ip = before.to_canonical(),
            _ => break,
        }
    }
    ClientAddress {
        ip,
        local: false,
        secure: words(headers, "x-forwarded-proto").last() == Some("https"),
    }
}

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The parts between commas of all headers of this name, in order.
fn words<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(name).into_iter();
    texts
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
}

fn addressed(uri: &Uri, headers: &HeaderMap, proxied: bool) -> Option<Authority> {
    if proxied && let Some(host) = words(headers, "x-forwarded-host").last() {
        return host.parse().ok();
    }
    let host = headers.get(header::HOST);
    match (uri.authority(), host) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => host.to_str().ok()?.parse().ok(),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn rules(proxies: &[&str]) -> Rules {
        Rules {
            proxies: proxies.iter().map(|net| net.parse().unwrap()).collect(),
            ..Rules::default()
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    fn ask(
        proxies: &[&str],
        peer: &str,
        pairs: &[(&'static str, &'static str)],
    ) -> (String, bool, bool) {
        let who = client(&rules(proxies), peer.parse().unwrap(), &headers(pairs));
        (who.ip.to_string(), who.local, who.secure)
    }

    #[test]
    fn only_configured_proxies_are_believed() {
        let told = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ];
        let (ip, local, secure) = ask(&[], "192.0.2.1", &told);
        assert_eq!((ip.as_str(), local, secure), ("192.0.2.1", false, false));
        let (ip, local, secure) = ask(&["192.0.2.0/24"], "192.0.2.1", &told);
        assert_eq!((ip.as_str(), local, secure), ("203.0.113.9", false, true));
    }

    #[test]
    fn a_client_cannot_put_an_address_in_front_of_its_own() {
        let chain = [("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")];
        assert_eq!(ask(&["10.0.0.0/8"], "10.0.0.1", &chain).0, "203.0.113.9");
        assert_eq!(ask(&["10.0.0.1"], "10.0.0.1", &chain).0, "10.0.0.2");
        let odd = [("x-forwarded-for", "1.1.1.1, unknown")];
        assert_eq!(ask(&["10.0.0.1"], "10.0.0.1", &odd).0, "10.0.0.1");
        assert_eq!(ask(&["10.0.0.1"], "10.0.0.1", &[]).0, "10.0.0.1");
    }

    #[test]
    fn this_machine_is_believed_only_without_a_sign_of_a_proxy() {
        assert_eq!(
            ask(&[], "127.0.0.1", &[]),
            ("127.0.0.1".to_owned(), true, false)
        );
        for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            assert!(!ask(&[], "127.0.0.1", &[(name, "127.0.0.1")]).1, "{name}");
        }
        assert!(!ask(&["127.0.0.1"], "127.0.0.1", &[]).1);
    }

    #[test]
    fn the_name_is_the_one_the_client_used() {
        let uri: Uri = "/".parse().unwrap();
        let both = headers(&[
            ("host", "inner:3000"),
            ("x-forwarded-host", "backup.example.org"),
        ]);
        let name = |proxied| addressed(&uri, &both, proxied).unwrap().to_string();
        assert_eq!(name(true), "backup.example.org");
        assert_eq!(name(false), "inner:3000");
    }
}
