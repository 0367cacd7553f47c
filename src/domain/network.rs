//! An address, or a network of them, as whoever calls may be told by.

use std::net::IpAddr;
use std::str::FromStr;

/// `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    /// How many bits of the address belong to the network.
    bits: u32,
}

impl Network {
    /// Reads an address or a network; `None` where it is neither. Bits behind the network's own don't matter.
    pub fn parse(text: &str) -> Option<Network> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let base = IpAddr::from_str(base).ok()?;
        let all = if base.is_ipv4() { 32 } else { 128 };
        let bits: u32 = match bits {
            // Without a sign and the like, which `parse` would take.
            Some(bits) if bits.bytes().all(|c| c.is_ascii_digit()) => bits.parse().ok().filter(|bits| *bits <= all)?,
            Some(_) => return None,
            None => all,
        };
        match base.to_canonical() {
            // An IPv4 network as IPv6 writes it.
            canonical @ IpAddr::V4(_) if base.is_ipv6() => {
                Some(Network { base: canonical, bits: bits.checked_sub(96)? })
            }
            canonical => Some(Network { base: canonical, bits }),
        }
    }

    /// Whether the address is in it. An IPv4 address in IPv6's clothes is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                same(base.to_bits().into(), address.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => same(base.to_bits(), address.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

/// Whether the first `bits` of `all` bits are the same.
fn same(a: u128, b: u128, all: u32, bits: u32) -> bool {
    (a ^ b).checked_shr(all - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, within, without) in [
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.9.9.9", "::1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("192.168.0.1/32", "::ffff:192.168.0.1", "::ffff:192.168.0.2"),
            ("::ffff:10.0.0.0/104", "10.7.7.7", "11.7.7.7"),
            ("::1", "::1", "127.0.0.1"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(within.parse().unwrap()), "{network:?} {within}");
            assert!(!network.contains(without.parse().unwrap()), "{network:?} {without}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in
            ["", "10", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "::ffff:10.0.0.0/8", "host", "1.2.3.4:5"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
