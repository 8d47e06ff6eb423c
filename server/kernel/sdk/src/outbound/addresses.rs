//! Which addresses may be called. Names are looked up here, not by the client, so that what was checked is what is connected to:
//! a name that changes its address between check and connection (DNS rebinding) gains nothing.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name or address that leads inside.
#[derive(Debug)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the address is not public")
    }
}

impl std::error::Error for Forbidden {}

/// Public addresses, and the networks that the settings allow beside them.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    private: Arc<[IpNet]>,
}

impl Allowed {
    pub(super) fn new(private: &[IpNet]) -> Self {
        Self {
            private: private.into(),
        }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.lists(address)
    }

    /// Whether the settings allow an address by name.
    pub(super) fn lists(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.private.iter().any(|network| network.contains(&address))
    }

    /// Whether a host as a URL writes it may be called; a name is not known to be good before it was looked up.
    pub(super) fn host(&self, host: &str) -> bool {
        literal(host).is_none_or(|address| self.contains(address))
    }
}

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let good: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allowed.contains(address.ip()))
                .collect();
            if good.is_empty() {
                return Err(Forbidden.into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

/// The address that a host of a URL is, if it is no name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address belongs to somebody on the internet: none of the special-purpose ones (RFC 6890 and its registry).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        // Among them 169.254.169.254, where clouds tell a machine its secrets.
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        // Carriers' own networks, protocol assignments, benchmarks, reserved.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Translated to IPv4 (NAT64), and tunnelled in it (6to4): as good as that address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Tunnels, benchmarks, documentation and identifiers that are no places.
        [0x2001, second, ..] => second >= 0x0200 && second != 0x0db8,
        [0x3fff, second, ..] => second >= 0x1000,
        // Only 2000::/3 is given out; all else is local, embedded or unassigned.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        let allowed = Allowed::new(&[]);
        for good in [
            "93.184.215.14",
            "1.1.1.1",
            "[2606:4700:4700::1111]",
            "[64:ff9b::101:101]",
        ] {
            assert!(allowed.host(good), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "127.255.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2001::1]",
            "[fec0::1]",
        ] {
            assert!(!allowed.host(bad), "{bad}");
        }
    }

    #[test]
    fn a_listed_network_passes_and_its_neighbours_do_not() {
        let allowed = Allowed::new(&["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        for (host, good) in [
            ("10.1.2.3", true),
            ("[::ffff:10.1.2.3]", true),
            ("10.2.0.1", false),
            ("[::1]", true),
            ("[::2]", false),
        ] {
            assert_eq!(allowed.host(host), good, "{host}");
        }
    }
}
