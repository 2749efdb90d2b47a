//! `cidr('10.0.0.0/8')` and what it can be asked. Address bits behind the prefix are kept, as Kubernetes keeps them.

use std::any::Any;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_model::Value;

use super::ip::{self, IpVal, ip_type};
use crate::library::{Call, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CidrVal {
    address: IpAddr,
    bits: u8,
}

fn cidr_type() -> Type {
    Type::opaque("net.CIDR")
}

impl Opaque for CidrVal {
    fn opaque_type(&self) -> Type {
        cidr_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Ok(Value::from(self.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Display for CidrVal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl CidrVal {
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
    let member = |name, result, call| Function::member(name, [cidr_type()], result, call);
    let pair = |name, other, call| Function::member(name, [cidr_type(), other], Type::Bool, call);
    let functions = vec![
        Function::global("cidr", [Type::String], cidr_type(), |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("cidr", args)) };
            CidrVal::parse(text).map(Val::opaque)
        }),
        Function::global("isCIDR", [Type::String], Type::Bool, |_, args| {
            let [Val::String(text)] = args else { return Err(mismatch("isCIDR", args)) };
            Ok(Val::Bool(CidrVal::parse(text).is_ok()))
        }),
        Function::global("string", [cidr_type()], Type::String, |_, args| {
            Ok(Val::from(receiver("string", args)?.to_string()))
        }),
        pair("containsIP", Type::String, contains_ip),
        pair("containsIP", ip_type(), contains_ip),
        pair("containsCIDR", Type::String, contains_cidr),
        pair("containsCIDR", cidr_type(), contains_cidr),
        member("ip", ip_type(), |_, args| Ok(Val::opaque(IpVal(receiver("ip", args)?.address)))),
        member("prefixLength", Type::Int, |_, args| Ok(Val::Int(receiver("prefixLength", args)?.bits.into()))),
        member("masked", cidr_type(), |_, args| Ok(Val::opaque(receiver("masked", args)?.masked()))),
    ];
    Library { types: vec![cidr_type()], ..Library::of("kubernetes.net.cidr", functions) }
}

fn receiver(function: &str, args: &[Val]) -> Result<CidrVal, EvalError> {
    args.first().and_then(Val::downcast::<CidrVal>).copied().ok_or_else(|| mismatch(function, args))
}

fn contains_ip(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let address = match args {
        [_, Val::String(text)] => ip::parse(text)?,
        [_, other] => other.downcast::<IpVal>().ok_or_else(|| mismatch("containsIP", args))?.0,
        _ => return Err(mismatch("containsIP", args)),
    };
    Ok(Val::Bool(receiver("containsIP", args)?.contains(address)))
}

fn contains_cidr(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let inner = match args {
        [_, Val::String(text)] => CidrVal::parse(text)?,
        [_, other] => *other.downcast::<CidrVal>().ok_or_else(|| mismatch("containsCIDR", args))?,
        _ => return Err(mismatch("containsCIDR", args)),
    };
    let outer = receiver("containsCIDR", args)?;
    Ok(Val::Bool(outer.bits <= inner.bits && outer.contains(inner.address)))
}
