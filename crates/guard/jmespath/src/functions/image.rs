//! Functions over image references and addresses.

use core::net::IpAddr;

use palisade_model::image_reference::ImageReference;

use super::{Answer, Arguments};

/// The reference in full, with registry and tag or digest.
pub(super) fn image_normalize(arguments: &Arguments<'_>) -> Answer {
    match ImageReference::parse(arguments.text(0)?) {
        Ok(image) => Ok(image.to_string().into()),
        Err(error) => Err(arguments.error(format_args!("failed: {error}"))),
    }
}

/// Whether an address lies outside private networks. Kyverno resolves names; a verdict must not depend on a resolver,
/// so that only `localhost` has an answer among names.
pub(super) fn is_external_url(arguments: &Arguments<'_>) -> Answer {
    let url = arguments.text(0)?;
    let host = host(url).ok_or_else(|| arguments.error(format_args!("takes a URL, not `{url}`")))?;
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(false.into());
    }
    match host.parse() {
        Ok(address) => Ok((!is_internal(address)).into()),
        Err(_) => Err(arguments.error(format_args!(
            "would have to resolve the name `{host}` of `{url}`; policies are judged without a resolver, use an address"
        ))),
    }
}

fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// The host of a URL, without user, port and brackets.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("//").unwrap_or((url, ""));
    let scheme = scheme.strip_suffix(':').unwrap_or(scheme);
    if !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => host.split_at_checked(host.find(':').unwrap_or(host.len()))?,
    };
    let valid = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    valid.then_some(host)
}
