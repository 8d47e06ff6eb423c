//! Where a request comes from: the peer of the connection, or the client that a proxy we trust names.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, connect_info::Connected},
    http::{Extensions, HeaderMap, request::Parts},
    serve::IncomingStream,
};
use ipnet::IpNet;

use super::{Forgiving, Prompt};
use crate::kernel::Kernel;

/// The other end of a connection; kept for handlers by serving
/// `router.into_make_service_with_connect_info::<Peer>()`.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Connected<IncomingStream<'_, Forgiving<Prompt>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Forgiving<Prompt>>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// The address of whoever sent a request. An extractor; [`ClientAddress::find`] serves where there are no extractors.
///
/// `X-Forwarded-For` counts only as far as `server.trusted_proxies` wrote it: it is read from the right, and the first address
/// that is no trusted proxy is the client, whatever stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The client of a request with these extensions and headers. A request that came over no connection (in a test) has the
    /// unspecified address.
    pub fn find(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = extensions.get::<ConnectInfo<Peer>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(Peer(address))| {
            address.to_canonical()
        });
        Self(behind(peer, headers, trusted))
    }

    /// What one customer of a provider has: an IPv4 address, or 2^64 IPv6 addresses, given as the first of them.
    pub fn block(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        }
    }
}

fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    if !is_trusted(&client) {
        return client;
    }
    // Several headers are one list (RFC 9110, 5.3).
    let hops = headers.get_all("x-forwarded-for").iter().rev();
    for hop in hops
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.rsplit(','))
    {
        // What a proxy of ours did not write tells nothing more.
        let Some(address) = address(hop.trim()) else {
            return client;
        };
        client = address;
        if !is_trusted(&client) {
            return client;
        }
    }
    client
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()
        .map(|address| address.to_canonical())
}

impl FromRequestParts<Kernel> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, kernel: &Kernel) -> Result<Self, Infallible> {
        let trusted = &kernel.config().server.trusted_proxies;
        Ok(Self::find(&parts.extensions, &parts.headers, trusted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        for (peer, forwarded, found) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["203.0.113.9, 198.51.100.7, 10.2.2.2"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["203.0.113.9", "198.51.100.7,10.2.2.2"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("::1", &["[2001:db8::5]:4711"], "2001:db8::5"),
            ("::1", &["[2001:db8::5]"], "2001:db8::5"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, "], "10.0.0.1"),
            ("10.0.0.1", &["10.3.3.3"], "10.3.3.3"),
        ] {
            assert_eq!(client(peer, forwarded), found, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_block_is_an_ipv4_address_or_the_half_of_an_ipv6_address() {
        let block = |text: &str| ClientAddress(text.parse().unwrap()).block().to_string();
        assert_eq!(block("192.0.2.1"), "192.0.2.1");
        assert_eq!(block("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
