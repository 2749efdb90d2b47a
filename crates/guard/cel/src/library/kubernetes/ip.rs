//! `ip('192.168.0.1')` and what it can be asked. IPv4-mapped IPv6 addresses and zones are refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::library::textual::Textual;
use crate::library::{Call, Function, Library, Style, mismatch};
use crate::{EvalError, Type, Val};

impl Textual for IpAddr {
    const NAME: &'static str = "net.IP";
}

pub(super) fn library() -> Library {
    let test = |name, call| Function::member(name, [IpAddr::cel_type()], Type::Bool, call);
    let functions = vec![
        Function::global("ip", [Type::String], IpAddr::cel_type(), |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("ip", args)) };
            parse(text).map(Val::opaque)
        }),
        Function::global("isIP", [Type::String], Type::Bool, |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("isIP", args)) };
            Ok(Val::Bool(parse(text).is_ok()))
        }),
        Function::global("ip.isCanonical", [Type::String], Type::Bool, is_canonical),
        Function::global("string", [IpAddr::cel_type()], Type::String, |_, args| {
            IpAddr::receiver("string", args).map(|address| Val::from(address.to_string()))
        }),
        Function::member("family", [IpAddr::cel_type()], Type::Int, |_, args| {
            IpAddr::receiver("family", args).map(|address| Val::Int(if address.is_ipv4() { 4 } else { 6 }))
        }),
        test("isUnspecified", |_, args| is("isUnspecified", args, IpAddr::is_unspecified)),
        test("isLoopback", |_, args| is("isLoopback", args, IpAddr::is_loopback)),
        test("isLinkLocalMulticast", |_, args| is("isLinkLocalMulticast", args, is_link_local_multicast)),
        test("isLinkLocalUnicast", |_, args| is("isLinkLocalUnicast", args, is_link_local_unicast)),
        test("isGlobalUnicast", |_, args| is("isGlobalUnicast", args, is_global_unicast)),
    ];
    Library { types: vec![IpAddr::cel_type()], ..Library::of("kubernetes.net.ip", functions) }
}

/// The addresses of the CEL specification's network extension, which, unlike Kubernetes, takes an IPv4-mapped address
/// in hexadecimal for the IPv4 address it maps.
pub(super) fn specification_library() -> Library {
    let mut library = library();
    library.functions.retain(|function| !(function.name == "ip" && function.style == Style::Global));
    library.functions.push(Function::global("ip", [Type::String], IpAddr::cel_type(), |_, args| {
        let [Val::String(text)] = args else { return Err(mismatch("ip", args)) };
        let mapped = text.parse::<Ipv6Addr>().ok().filter(|_| !text.contains('.'));
        let address = match mapped.and_then(|address| address.to_ipv4_mapped()) {
            Some(address) => IpAddr::V4(address),
            None => parse(text)?,
        };
        Ok(Val::opaque(address))
    }));
    library
}

pub(super) fn parse(text: &str) -> Result<IpAddr, EvalError> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let parsed: Option<IpAddr> = address.parse().ok();
    match (parsed, zone) {
        (Some(IpAddr::V6(_)), Some(zone)) if !zone.is_empty() => {
            Err(EvalError::invalid(format_args!("IP address {text:?} with zone value is not allowed")))
        }
        (Some(IpAddr::V6(address)), None) if address.to_ipv4_mapped().is_some() => {
            Err(EvalError::invalid(format_args!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        (Some(address), None) => Ok(address),
        _ => Err(EvalError::invalid(format_args!("IP Address '{text}' parse error during conversion from string"))),
    }
}

fn is(function: &str, args: &[Val], test: fn(&IpAddr) -> bool) -> Result<Val, EvalError> {
    IpAddr::receiver(function, args).map(|address| Val::Bool(test(address)))
}

/// Whether the text is the one way of writing its address.
fn is_canonical(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("ip.isCanonical", args)) };
    Ok(Val::Bool(parse(text)?.to_string() == **text))
}

fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Private ranges count as global here.
fn is_global_unicast(address: &IpAddr) -> bool {
    let broadcast = *address == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local_unicast(address))
}
