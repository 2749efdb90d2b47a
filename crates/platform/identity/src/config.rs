//! `[identity]`: sessions, tokens, the identity provider, trusted proxies.
//!
//! The address that people reach the server under is `server.address`. Deliberately absent: secrets; the client secret
//! is named by its file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use palisade_config::{Kind, Setting, quoted, section};
use serde::Deserialize;
use url::Url;

use super::caller::{ALL_TEAMS, Binding};
use super::permission::Role;
use crate::error::IdentityError;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

section! {
    /// Who may do what: sessions, tokens, agents.
    #[derive(Clone, Debug)]
    pub struct IdentityConfig("identity") {
        /// Networks of the proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`.
        pub trusted_proxies: Vec<Network> = Vec::new();
        /// A session ends when it has not been used for so long.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub session_idle: Duration = 2 * HOUR;
        /// A session ends after so long, however much it is used.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub session_lifetime: Duration = 12 * HOUR;
        /// The longest that an API token may live.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub token_lifetime: Duration = 365 * DAY;
        /// How long an agent's certificate lives before it has to be renewed.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub agent_lifetime: Duration = DAY;
        /// Failed proofs that one address may have in a minute before it has to wait.
        pub failures_per_minute: u32 = 20;
        /// The file with the private key (PEM, ECDSA P-256) that signs agents' certificates; made in the data folder by
        /// default. Replicas share one.
        pub agent_key_file: Option<PathBuf> = None;
        /// The OpenID Connect provider that people log in with; without it there is no login but the first
        /// administrator's.
        pub oidc: Option<OidcConfig> = None;
    }
}

section! {
    /// `[identity.oidc]`: the OpenID Connect provider that people log in with.
    #[derive(Clone, Debug)]
    pub struct OidcConfig {
        /// The issuer's address, exactly as the provider writes it in its tokens.
        pub issuer: Issuer [Kind::URL];
        /// The identifier that the provider gave this server.
        pub client_id: String;
        /// The file with the secret that the provider gave with it; without it the server is a public client.
        pub client_secret_file: Option<PathBuf> = None;
        /// A file with the certificates (PEM) that the provider's own is checked by, instead of the public authorities'.
        pub ca_file: Option<PathBuf> = None;
        /// Scopes to ask for besides `openid`.
        #[serde(default = "default_scopes")]
        pub scopes: Vec<String> = default_scopes();
        /// The claim of the identity token that lists a person's groups.
        #[serde(default = "default_groups_claim")]
        pub groups_claim: String = default_groups_claim();
        /// How far the provider's clock may be from this server's.
        #[serde(deserialize_with = "palisade_config::duration", default = "default_clock_skew")]
        pub clock_skew: Duration = default_clock_skew();
        /// What membership of a group gives.
        #[serde(default)]
        pub roles: Vec<GroupRole> = Vec::new();
    }
}

/// The address of an issuer: compared as text, to the letter, and asked as an address.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Issuer {
    text: String,
    url: Url,
}

impl TryFrom<String> for Issuer {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self { url: Url::parse(&text)?, text })
    }
}

section! {
    /// What membership of a group gives.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GroupRole {
        /// The group, as the provider names it.
        pub group: String;
        /// The role.
        pub role: Role [Kind::Word(&["viewer", "developer", "operator", "approver", "admin"])];
        /// The team; `*` is all of them.
        #[serde(default = "all_teams")]
        pub team: String = all_teams();
    }
}

impl OidcConfig {
    /// The issuer as tokens and accounts have it.
    pub(super) fn issuer_text(&self) -> &str {
        &self.issuer.text
    }

    /// What a member of `groups` holds.
    pub(super) fn bindings(&self, groups: &[String]) -> impl Iterator<Item = Binding> {
        let member = move |role: &&GroupRole| groups.contains(&role.group);
        self.roles.iter().filter(member).map(|role| Binding { team: role.team.clone(), role: role.role })
    }
}

fn default_scopes() -> Vec<String> {
    ["profile", "email", "groups"].map(str::to_owned).to_vec()
}

fn default_groups_claim() -> String {
    "groups".into()
}

const fn default_clock_skew() -> Duration {
    Duration::from_mins(1)
}

fn all_teams() -> String {
    ALL_TEAMS.into()
}

impl IdentityConfig {
    /// Finds values that cannot work. `address` is where people reach the server.
    pub fn validate(&self, address: Option<&Url>) -> Result<(), IdentityError> {
        let times = [
            ("identity.session-idle", self.session_idle),
            ("identity.session-lifetime", self.session_lifetime),
            ("identity.token-lifetime", self.token_lifetime),
        ];
        if let Some((key, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(wrong(key, "nobody can use what ends at once", "write a time such as `12h`, or leave it out"));
        }
        let longest = times.into_iter().find(|(_, time)| *time > 10 * 365 * DAY);
        if let Some((key, _)) = longest {
            return Err(wrong(key, "it is longer than ten years", "write a shorter time such as `8760h`"));
        }
        if !(Duration::from_mins(10)..=90 * DAY).contains(&self.agent_lifetime) {
            let remedy = "write a time from `10m` to `2160h`; agents renew after two thirds of it";
            return Err(wrong("identity.agent-lifetime", "certificates of that lifetime are not issued", remedy));
        }
        if self.failures_per_minute == 0 {
            let problem = "0 would lock everybody out";
            return Err(wrong("identity.failures-per-minute", problem, "write a number above 0, or leave it out"));
        }
        self.oidc.as_ref().map_or(Ok(()), |oidc| oidc.validate(address))
    }
}

impl OidcConfig {
    fn validate(&self, address: Option<&Url>) -> Result<(), IdentityError> {
        if !is_https_or_loopback(&self.issuer.url) {
            let problem = format!("`{}` would answer without encryption", self.issuer_text());
            return Err(wrong("identity.oidc.issuer", problem, "write an address that starts with https://"));
        }
        if self.client_id.is_empty() {
            return Err(wrong("identity.oidc.client-id", "it is empty", "write the id that the provider gave"));
        }
        if self.clock_skew > Duration::from_mins(10) {
            let problem = "tokens that ended long ago would be accepted";
            return Err(wrong("identity.oidc.clock-skew", problem, "write at most `10m`, and set the clocks"));
        }
        if let Some(role) = self.roles.iter().find(|role| role.group.is_empty() || role.team.is_empty()) {
            let problem = format!("the role {} has no group or no team", role.role);
            return Err(wrong("identity.oidc.roles", problem, "name both; the team `*` means all teams"));
        }
        match address {
            None => Err(wrong(
                "server.address",
                "the identity provider has to send people back, and the address is missing",
                "write the address that people reach this server under, such as `https://palisade.example.com`",
            )),
            Some(address) if !is_https_or_loopback(address) => Err(wrong(
                "server.address",
                format!("logins at `{address}` would be readable on the way"),
                "write an address that starts with https://",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// Encrypted, or not leaving the machine.
pub(super) fn is_https_or_loopback(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn wrong(key: &'static str, problem: impl Into<String>, remedy: &'static str) -> IdentityError {
    IdentityError::Config { key, problem: problem.into(), remedy }
}

/// A network such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` is within. An IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network: write one such as `10.0.0.0/8`, or an address");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| wrong()))?;
        if prefix > bits { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl Setting for Network {
    const KIND: Kind = Kind::Text("network");

    fn show(&self) -> Option<String> {
        Some(quoted(&format!("{}/{}", self.address, self.prefix)))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oidc(issuer: &str) -> IdentityConfig {
        let text = format!(r#"{{"oidc": {{"issuer": "{issuer}", "client-id": "palisade"}}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn defaults_are_valid_and_unknown_keys_are_not() {
        IdentityConfig::default().validate(None).unwrap();
        assert!(serde_json::from_str::<IdentityConfig>(r#"{"session-idel": "1h"}"#).is_err());
    }

    /// Tables with required keys name their defaults twice, for the reference and for serde.
    #[test]
    fn declared_defaults_are_those_that_are_read() {
        let read = oidc("https://login.example.com").oidc.unwrap();
        let team = serde_json::from_str::<GroupRole>(r#"{"group": "a", "role": "viewer"}"#).unwrap().team;
        let shown =
            [read.scopes.show(), read.groups_claim.show(), read.clock_skew.show(), read.roles.show(), team.show()];
        let declared =
            OidcConfig::TABLE.keys.iter().chain(GroupRole::TABLE.keys).filter_map(palisade_config::Key::default);
        assert_eq!(declared.collect::<Vec<_>>(), shown.into_iter().flatten().collect::<Vec<_>>());
        let role = GroupRole::TABLE.keys.iter().find(|key| key.field == "role").unwrap();
        assert!(matches!(role.kind, Kind::Word(words) if Role::ALL.map(Role::as_str) == words));
    }

    #[test]
    fn logins_need_encryption_and_a_way_back() {
        let home = Url::parse("https://palisade.example.com").unwrap();
        let message = |config: &IdentityConfig, home: Option<&Url>| config.validate(home).unwrap_err().to_string();
        oidc("https://login.example.com").validate(Some(&home)).unwrap();
        oidc("http://127.0.0.1:8080").validate(Some(&Url::parse("http://localhost:8420").unwrap())).unwrap();
        assert!(message(&oidc("http://login.example.com"), Some(&home)).contains("identity.oidc.issuer"));
        assert!(message(&oidc("https://login.example.com"), None).contains("server.address"));
        let plain = Url::parse("http://palisade.example.com").unwrap();
        assert!(message(&oidc("https://login.example.com"), Some(&plain)).contains("readable on the way"));
    }

    #[test]
    fn networks_hold_what_is_in_them() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.2.3".parse().unwrap()) && network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()) && !network.contains("::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("192.0.2.1".parse().unwrap()));
        assert!("fd00::/8".parse::<Network>().unwrap().contains("fd12::1".parse().unwrap()));
        assert!(["10.0.0.0/33", "10.0.0/8", "", "10.0.0.1/-1"].iter().all(|text| text.parse::<Network>().is_err()));
    }
}
