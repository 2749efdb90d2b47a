//! The names of certificates: whether they cover a host, and whether an authority may give them.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_gotext::go_url::Url;
use palisade_model::Value as Json;

use super::list;
use crate::x509::Certificate;

fn texts<'a>(certificate: &'a Certificate, name: &str) -> impl Iterator<Item = &'a str> {
    list(certificate, name).iter().filter_map(Json::as_str)
}

/// Whether the alternative names of a certificate cover a host: a name or an address, in brackets or not.
pub(super) fn covers(certificate: &Certificate, host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return texts(certificate, "IPAddresses").any(|text| text.parse() == Ok(address.to_canonical()));
    }
    let host = host.to_ascii_lowercase();
    let is_valid = is_host(&host, false);
    texts(certificate, "DNSNames").map(str::to_ascii_lowercase).any(|pattern| {
        if is_valid && is_host(&pattern, true) { matches(&pattern, &host) } else { pattern == host && !host.is_empty() }
    })
}

/// Letters, digits, `-` and `_` in labels; a pattern may begin with the label `*`.
fn is_host(host: &str, pattern: bool) -> bool {
    let host = if pattern { host } else { host.strip_suffix('.').unwrap_or(host) };
    !host.is_empty()
        && host.split('.').enumerate().all(|(position, label)| {
            let characters =
                |(at, byte): (usize, u8)| byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'-' && at > 0);
            (pattern && position == 0 && label == "*")
                || (!label.is_empty() && label.bytes().enumerate().all(characters))
        })
}

/// `*` stands for one label, the first.
fn matches(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, tail)| tail == rest),
        None => pattern == host,
    }
}

/// Whether the constraints of an authority permit all names below it.
pub(super) fn permits(authority: &Certificate, chain: &[&Certificate], comparisons: &mut usize) -> bool {
    const KINDS: [(&str, &str, Matches); 4] = [
        ("DNSNames", "DNSDomains", matches_domain),
        ("EmailAddresses", "EmailAddresses", matches_email),
        ("IPAddresses", "IPRanges", matches_range),
        ("URIs", "URIDomains", matches_uri),
    ];
    let held = |(names, constraints, matches): (&str, &str, Matches)| {
        let permitted = list(authority, &format!("Permitted{constraints}"));
        let excluded = list(authority, &format!("Excluded{constraints}"));
        let given = chain.iter().flat_map(|certificate| match names {
            "URIs" => certificate.uris.iter().map(String::as_str).collect::<Vec<_>>(),
            names => texts(certificate, names).collect(),
        });
        given.collect::<Vec<_>>().into_iter().all(|name| {
            let Some(left) = comparisons.checked_sub(permitted.len() + excluded.len()) else { return false };
            *comparisons = left;
            // A name that cannot be compared is refused where there is anything to compare it with.
            let excluded = excluded.iter().any(|constraint| matches(name, constraint).unwrap_or(true));
            let permitted =
                permitted.is_empty() || permitted.iter().any(|constraint| matches(name, constraint).unwrap_or(false));
            permitted && !excluded
        })
    };
    KINDS.into_iter().all(held)
}

/// Whether a name matches a constraint; `None` where it cannot be told.
type Matches = fn(&str, &Json) -> Option<bool>;

fn matches_domain(name: &str, constraint: &Json) -> Option<bool> {
    let constraint = constraint.as_str()?;
    if constraint.is_empty() {
        return Some(true);
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (suffix, below) = match constraint.strip_prefix('.') {
        Some(suffix) => (suffix.to_ascii_lowercase(), true),
        None => (constraint.to_ascii_lowercase(), false),
    };
    let rest = name.strip_suffix(&suffix);
    Some(rest.is_some_and(|rest| rest.ends_with('.') || (rest.is_empty() && !below)))
}

fn matches_email(name: &str, constraint: &Json) -> Option<bool> {
    let (local, domain) = name.rsplit_once('@')?;
    match constraint.as_str()?.rsplit_once('@') {
        Some((other, host)) => Some(local == other && domain.eq_ignore_ascii_case(host)),
        None => matches_domain(domain, constraint),
    }
}

fn matches_uri(name: &str, constraint: &Json) -> Option<bool> {
    let url = Url::parse(name).ok()?;
    let (host, _) = url.host_and_port();
    if host.is_empty() || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    matches_domain(host, constraint)
}

fn matches_range(name: &str, constraint: &Json) -> Option<bool> {
    let bytes = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let address = bytes(name.parse().ok()?);
    let base = bytes(constraint.get("IP")?.as_str()?.parse().ok()?);
    let mask = STANDARD.decode(constraint.get("Mask")?.as_str()?).ok()?;
    if address.len() != base.len() || mask.len() != base.len() {
        return Some(false);
    }
    Some(address.iter().zip(&base).zip(&mask).all(|((address, base), mask)| address & mask == base & mask))
}
