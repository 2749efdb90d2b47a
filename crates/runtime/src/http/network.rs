//! `[network]` of the configuration: what may be reached.

use std::net::IpAddr;

use palisade_config::section;

section! {
    /// The hosts that policies may send requests to (`http.send` of Rego); none by default.
    #[derive(Clone, Debug)]
    pub struct Network("network") {
        /// `HOST` or `HOST:PORT`; `*.example.com` permits every host below it. A link-local address or that of a metadata
        /// service is only reached where it is written out here.
        pub allow: Vec<String> = Vec::new();
        /// Whether policies may ask for connections whose certificate is not verified.
        pub allow_unverified_tls: bool = false;
    }
}

impl Network {
    /// Permits one host, which the operator named elsewhere.
    pub fn only(host: &str) -> Self {
        Self { allow: vec![host.to_owned()], allow_unverified_tls: false }
    }

    /// Whether requests may be sent to this host and port.
    pub fn permits(&self, host: &str, port: u16) -> bool {
        self.entries(port).any(|name| match name.strip_prefix("*.") {
            Some(domain) => {
                host.len() > domain.len()
                    && host.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase()))
            }
            None => host.eq_ignore_ascii_case(name),
        })
    }

    /// Whether the address itself is written out.
    pub(super) fn names(&self, address: IpAddr, port: u16) -> bool {
        let literal = |name: &str| name.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        self.entries(port).any(|name| literal(name).is_some_and(|named| named.to_canonical() == address.to_canonical()))
    }

    /// The hosts of the entries that are for this port.
    fn entries(&self, port: u16) -> impl Iterator<Item = &str> {
        self.allow.iter().filter_map(move |entry| match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
                (digits.parse() == Ok(port)).then_some(name)
            }
            _ => Some(entry.as_str()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_hosts_may_be_reached() {
        let allow = ["*.example.com", "ca.test:8443", "[fd00::1]:8080", "[fd00::2]"].map(String::from).to_vec();
        let network = Network { allow, ..Network::default() };
        for (host, port, permitted) in [
            ("api.example.com", 443, true),
            ("API.Example.com", 80, true),
            ("example.com", 443, false),
            ("badexample.com", 443, false),
            ("ca.test", 8443, true),
            ("ca.test", 443, false),
            ("127.0.0.1", 80, false),
            ("[fd00::1]", 8080, true),
            ("[fd00::1]", 80, false),
            ("[fd00::2]", 80, true),
        ] {
            assert_eq!(network.permits(host, port), permitted, "{host}:{port}");
        }
        let named = |address: &str, port| network.names(address.parse().unwrap(), port);
        assert!(named("fd00::1", 8080) && named("fd00::2", 1) && !named("fd00::1", 1) && !named("fd00::3", 1));
    }
}
