//! Name look-ups whose every answer is checked: what is connected to is what was looked at.
//!
//! Refused are the addresses that only the machine itself answers at: link-local ones and the metadata services of
//! clouds, which hand out credentials to whoever asks from inside, in whatever form an address may be written.
//! Deliberately absent: private networks and this machine's own address, which services that policies ask have.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::Network;

/// Metadata services outside of the link-local ranges: Alibaba's, Azure's wire server, Oracle's and Amazon's over IPv6.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// A resolver that passes on what may be connected to.
#[derive(Debug)]
pub(super) struct Checked<R> {
    inner: R,
    network: Network,
}

/// The only addresses of a host are such that nothing is sent to them.
#[derive(Debug)]
pub(super) struct Forbidden {
    host: String,
    address: IpAddr,
}

impl std::error::Error for Forbidden {}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, address } = self;
        write!(
            f,
            "`{host}` is at {address}, a link-local address or a metadata service; write the address itself under \
             [network] in palisade.toml where it is to be reached"
        )
    }
}

impl<R: Resolver> Checked<R> {
    pub(super) const fn new(inner: R, network: Network) -> Self {
        Self { inner, network }
    }
}

impl<R: Resolver> Resolver for Checked<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut permitted = self.empty();
        let mut forbidden = None;
        for address in &found {
            if is_guarded(address.ip()) && !self.network.names(address.ip(), address.port()) {
                forbidden = Some(address.ip());
            } else {
                permitted.push(*address);
            }
        }
        match forbidden {
            Some(address) if permitted.is_empty() => {
                let host = uri.host().unwrap_or_default().to_owned();
                Err(Error::Other(Box::new(Forbidden { host, address })))
            }
            _ => Ok(permitted),
        }
    }
}

/// Whether an address is link-local or a metadata service's.
fn is_guarded(address: IpAddr) -> bool {
    let address = plain(address);
    METADATA.contains(&address)
        || match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        }
}

/// The address that an IPv6 form of an IPv4 address stands for: mapped, compatible, NAT64, 6to4.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            four(high, low)
        }
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => four(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// A name server that says what it was told to say.
    #[derive(Debug)]
    struct Answers(Vec<&'static str>);

    impl Resolver for Answers {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            let mut addresses = self.empty();
            for address in &self.0 {
                addresses.push(SocketAddr::new(address.parse().unwrap(), 80));
            }
            Ok(addresses)
        }
    }

    fn resolve(answers: &[&'static str], allow: &[&str]) -> Result<Vec<String>, String> {
        let network = Network { allow: allow.iter().map(ToString::to_string).collect(), ..Network::default() };
        let checked = Checked::new(Answers(answers.to_vec()), network);
        let uri = "http://rebound.example.com/".parse().unwrap();
        let found = checked.resolve(&uri, &Config::default(), NextTimeout::default());
        found.map(|found| found.iter().map(|at| at.ip().to_string()).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn no_form_of_a_metadata_address_is_connected_to() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
        ] {
            let error = resolve(&[address], &["*.example.com"]).unwrap_err();
            assert!(error.contains("rebound.example.com"), "{address}: {error}");
        }
        assert_eq!(resolve(&["169.254.169.254", "10.0.0.7"], &[]), Ok(vec!["10.0.0.7".to_owned()]));
        assert_eq!(resolve(&["127.0.0.1", "::1"], &[]), Ok(vec!["127.0.0.1".to_owned(), "::1".to_owned()]));
    }

    #[test]
    fn an_address_that_is_written_out_is_permitted_at_its_port() {
        let at = |allow| resolve(&["169.254.169.254"], &[allow]).is_ok();
        assert!(at("169.254.169.254") && at("169.254.169.254:80") && !at("169.254.169.254:8080") && !at("*.254"));
    }
}
