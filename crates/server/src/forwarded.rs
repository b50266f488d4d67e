use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use http::HeaderMap;
use tower::service_fn;

use crate::config::Network;
use crate::serve::Answers;

/// Takes the source of requests that come over `trusted` proxies from `X-Forwarded-For`. Nobody else's is believed.
pub(crate) fn believe_proxies(mut service: impl Answers, trusted: Vec<Network>) -> impl Answers {
    let trusted: Arc<[Network]> = trusted.into();
    service_fn(move |mut request: Request| {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0);
        if let Some(peer) = peer.filter(|_| !trusted.is_empty()) {
            let source = source(peer.ip(), request.headers(), &trusted);
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(source, peer.port())));
        }
        service.call(request)
    })
}

/// The last hop that is not ours: each proxy tells of the one before it, and only those that we trust tell the truth.
fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut source = peer;
    for line in headers.get_all(FORWARDED_FOR).into_iter().rev() {
        for hop in line.as_bytes().rsplit(|&byte| byte == b',') {
            if !is_trusted(source) {
                return source;
            }
            let Some(hop) = address(hop) else { return source };
            source = hop;
        }
    }
    source
}

/// An address, or an address and a port, as some proxies write it.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim_ascii();
    let address = hop.parse().or_else(|_| hop.parse().map(|address: SocketAddr| address.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

const FORWARDED_FOR: &str = "x-forwarded-for";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_the_last_hop_that_is_not_trusted() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|network| Network::parse(network).unwrap());
        for (peer, lines, expected) in [
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.7, 10.2.3.4"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7 ,10.2.3.4,10.0.0.9"], "203.0.113.7"),
            ("10.0.0.1", &["10.2.3.4"], "10.2.3.4"),
            ("10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("10.0.0.1", &["[2001:4860::8]:4711"], "2001:4860::8"),
            ("10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("::ffff:10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("2001:db8::1", &["2001:4860::8"], "2001:4860::8"),
            // What cannot be read ends the chain at the proxy that told it.
            ("10.0.0.1", &["203.0.113.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7, unknown, 10.2.3.4"], "10.2.3.4"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            // Whoever is not trusted says what it likes.
            ("203.0.113.9", &["10.0.0.2"], "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            let found = source(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        }
    }
}
