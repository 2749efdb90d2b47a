//! `cidr('10.0.0.0/8')` and what it can be asked. Address bits behind the prefix are kept, as Kubernetes keeps them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ip;
use crate::library::textual::Textual;
use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Textual for Cidr {
    const NAME: &'static str = "net.CIDR";
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Cidr {
    fn parse(text: &str) -> Result<Self, EvalError> {
        let wrong =
            || EvalError::invalid(format_args!("network address parse error during conversion from string: `{text}`"));
        let (address, bits) = text.rsplit_once('/').ok_or_else(wrong)?;
        let padded = bits.len() > 1 && bits.starts_with('0');
        let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let address = ip::parse(address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse::<u8>().ok().filter(|bits| digits && !padded && *bits <= most).ok_or_else(wrong)?;
        Ok(Self { address, bits })
    }

    fn masked(self) -> Self {
        Self { address: mask(self.address, self.bits), ..self }
    }

    fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && mask(address, self.bits) == mask(self.address, self.bits)
    }
}

/// `address` with everything behind the first `bits` cleared.
fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

pub(super) fn library() -> Library {
    let member = |name, result, call| Function::member(name, [Cidr::cel_type()], result, call);
    let pair = |name, other, call| Function::member(name, [Cidr::cel_type(), other], Type::Bool, call);
    let functions = vec![
        Function::global("cidr", [Type::String], Cidr::cel_type(), |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("cidr", args)) };
            Cidr::parse(text).map(Val::opaque)
        }),
        Function::global("isCIDR", [Type::String], Type::Bool, |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("isCIDR", args)) };
            Ok(Val::Bool(Cidr::parse(text).is_ok()))
        }),
        Function::global("string", [Cidr::cel_type()], Type::String, |_, args| {
            Ok(Val::from(Cidr::receiver("string", args)?.to_string()))
        }),
        pair("containsIP", Type::String, contains_ip),
        pair("containsIP", IpAddr::cel_type(), contains_ip),
        pair("containsCIDR", Type::String, contains_cidr),
        pair("containsCIDR", Cidr::cel_type(), contains_cidr),
        member("ip", IpAddr::cel_type(), |_, args| Ok(Val::opaque(Cidr::receiver("ip", args)?.address))),
        member("prefixLength", Type::Int, |_, args| Ok(Val::Int(Cidr::receiver("prefixLength", args)?.bits.into()))),
        member("masked", Cidr::cel_type(), |_, args| Ok(Val::opaque(Cidr::receiver("masked", args)?.masked()))),
    ];
    Library { types: vec![Cidr::cel_type()], ..Library::of("kubernetes.net.cidr", functions) }
}

fn contains_ip(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let address = match args {
        [_, Val::String(text)] => ip::parse(text)?,
        [_, other] => *other.downcast().ok_or_else(|| mismatch("containsIP", args))?,
        _ => return Err(mismatch("containsIP", args)),
    };
    Ok(Val::Bool(Cidr::receiver("containsIP", args)?.contains(address)))
}

fn contains_cidr(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let inner = match args {
        [_, Val::String(text)] => Cidr::parse(text)?,
        [_, other] => *other.downcast().ok_or_else(|| mismatch("containsCIDR", args))?,
        _ => return Err(mismatch("containsCIDR", args)),
    };
    let outer = Cidr::receiver("containsCIDR", args)?;
    Ok(Val::Bool(outer.bits <= inner.bits && outer.contains(inner.address)))
}
