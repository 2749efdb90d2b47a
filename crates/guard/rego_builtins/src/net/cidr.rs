//! Address ranges: the addresses that share the first bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range, by its first address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    is_ipv6: bool,
    first: u128,
    /// How many bits are shared.
    prefix: u32,
}

impl Cidr {
    /// `10.0.0.0/8`; bits behind the prefix are dropped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let digits = !prefix.is_empty() && prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits)?;
        let (is_ipv6, bits) = bits(address);
        if prefix > width(is_ipv6) {
            return None;
        }
        let range = Self { is_ipv6, first: bits, prefix };
        Some(Self { first: bits & !range.hosts(), ..range }.mapped())
    }

    /// One address.
    pub(super) fn parse_address(text: &str) -> Option<Self> {
        let (is_ipv6, first) = bits(text.parse::<IpAddr>().ok()?);
        Some(Self { is_ipv6, first, prefix: width(is_ipv6) }.mapped())
    }

    /// Ranges of IPv4 written as IPv6 are ranges of IPv4.
    fn mapped(self) -> Self {
        let mapped = self.is_ipv6 && self.prefix >= 96 && self.first >> 32 == 0xffff;
        if mapped {
            Self { is_ipv6: false, first: self.first & u128::from(u32::MAX), prefix: self.prefix - 96 }
        } else {
            self
        }
    }

    /// An IPv4 address with the mask that its class once had; `None` for IPv6.
    pub(super) fn classful(self) -> Option<Self> {
        let prefix = match self.first >> 24 {
            _ if self.is_ipv6 => return None,
            0..0x80 => 8,
            0x80..0xc0 => 16,
            _ => 24,
        };
        Some(Self { prefix, ..self })
    }

    /// The bits that differ within the range.
    fn hosts(self) -> u128 {
        let hosts = width(self.is_ipv6) - self.prefix;
        1_u128.checked_shl(hosts).map_or(u128::MAX, |size| size - 1)
    }

    /// The first address, also of an address with the mask of its class.
    fn start(self) -> u128 {
        self.first & !self.hosts()
    }

    fn last(self) -> u128 {
        self.first | self.hosts()
    }

    /// How many addresses there are, less one in the range of all of IPv6.
    pub(super) fn size(self) -> u128 {
        self.hosts().saturating_add(1)
    }

    pub(super) fn contains(self, other: Self) -> bool {
        let (range, inner) = (self.start()..=self.last(), other.start()..=other.last());
        self.is_ipv6 == other.is_ipv6 && range.contains(inner.start()) && range.contains(inner.end())
    }

    /// Every address of the range.
    pub(super) fn addresses(self) -> impl Iterator<Item = String> {
        (self.start()..=self.last()).map(move |bits| address(self.is_ipv6, bits).to_string())
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", address(self.is_ipv6, self.first), self.prefix)
    }
}

const fn width(is_ipv6: bool) -> u32 {
    if is_ipv6 { 128 } else { 32 }
}

fn bits(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, address.to_bits().into()),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

fn address(is_ipv6: bool, bits: u128) -> IpAddr {
    match u32::try_from(bits) {
        Ok(bits) if !is_ipv6 => Ipv4Addr::from_bits(bits).into(),
        _ => Ipv6Addr::from_bits(bits).into(),
    }
}

/// The fewest ranges that hold the same addresses. A range that is not merged with another stays as it is written.
pub(super) fn merge(mut ranges: Vec<Cidr>) -> Vec<Cidr> {
    ranges.sort_by_key(|range| (range.is_ipv6, range.start(), range.last()));
    let mut merged = Vec::new();
    let mut ranges = ranges.into_iter().peekable();
    while let Some(range) = ranges.next() {
        let mut last = range.last();
        let mut alone = true;
        let touches = |next: &Cidr, last: u128| next.is_ipv6 == range.is_ipv6 && next.start() <= last.saturating_add(1);
        while let Some(next) = ranges.next_if(|next| touches(next, last)) {
            alone = false;
            last = last.max(next.last());
        }
        if alone {
            merged.push(range);
        } else {
            cover(range.is_ipv6, range.start(), last, &mut merged);
        }
    }
    merged
}

/// The fewest ranges from `first` to `last`.
fn cover(is_ipv6: bool, mut first: u128, last: u128, into: &mut Vec<Cidr>) {
    let width = width(is_ipv6);
    loop {
        let aligned = first.trailing_zeros().min(width);
        let size = (0..=aligned).rev().find(|hosts| {
            let end = 1_u128.checked_shl(*hosts).map_or(u128::MAX, |size| first.saturating_add(size - 1));
            end <= last
        });
        let range = Cidr { is_ipv6, first, prefix: width - size.unwrap_or(0) };
        into.push(range);
        match range.last().checked_add(1) {
            Some(next) if next <= last => first = next,
            _ => return,
        }
    }
}
