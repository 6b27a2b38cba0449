//! Networks of proxies, as they are written on the command line: `10.0.0.7` or `10.0.0.0/8`.

use std::{net::IpAddr, str::FromStr};

/// An address, or all that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    address: IpAddr,
    /// Leading bits that have to agree.
    bits: u8,
}

impl Net {
    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, own_width) = number(self.address);
        let (other, width) = number(address.to_canonical());
        let free = u32::from(own_width - self.bits);
        own_width == width && (own ^ other).checked_shr(free).unwrap_or(0) == 0
    }
}

/// The address as a number, and how many bits that has.
fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Net, String> {
        let wrong = || {
            format!(
                "\"{text}\" is neither an address nor a network; write 10.0.0.7, 10.0.0.0/8 or fd00::/8"
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let address = address.to_canonical();
        let width = number(address).1;
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => width,
        };
        if bits > width {
            return Err(wrong());
        }
        Ok(Net { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_alike() {
        let has = |net: &str, address: &str| {
            let net: Net = net.parse().unwrap();
            net.contains(address.parse().unwrap())
        };
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.8"));
        assert!(has("10.0.0.0/8", "10.255.1.2") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("192.168.4.0/22", "192.168.7.255") && !has("192.168.4.0/22", "192.168.8.0"));
        assert!(has("0.0.0.0/0", "8.8.8.8") && !has("0.0.0.0/0", "::1"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe80::1"));
        assert!(has("::/0", "::1") && !has("::/0", "127.0.0.1"));
        assert!(
            has("10.0.0.0/8", "::ffff:10.1.1.1"),
            "the same address in other clothes"
        );
        for bad in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "proxy",
            "10.0.0.0/8/8",
        ] {
            assert!(
                bad.parse::<Net>().unwrap_err().contains("10.0.0.0/8"),
                "{bad}"
            );
        }
    }
}
