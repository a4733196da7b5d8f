//! The functions on addresses.
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{Outcome, own, text};
use crate::library::{cost, ip};
use crate::value::{Opaque, Value};
use std::any::Any;
use std::fmt;
use std::net::IpAddr;

pub(crate) const TYPE: &str = "net.IP";

/// An address as a value of CEL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ip(pub(crate) IpAddr);

/// As Go's `%v` prints it into messages.
impl fmt::Debug for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

pub(crate) static LIBRARY: Library = Library {
    since: 30,
    until: u32::MAX,
    types: &[TYPE],
    functions: &[
        Function::priced(
            "ip",
            &[Overload::global("string_to_ip", &["string"], TYPE, |arguments| {
                let address = ip::parse(text(arguments, 0)?).map_err(EvalError::Error)?;
                Ok(Value::opaque(Ip(address)))
            })],
            cost::address,
        ),
        Function::priced(
            "isIP",
            &[Overload::global("is_ip", &["string"], "bool", |arguments| {
                Ok(Value::Bool(ip::parse(text(arguments, 0)?).is_ok()))
            })],
            cost::reading,
        ),
        Function::priced(
            "ip.isCanonical",
            &[Overload::global("ip_is_canonical", &["string"], "bool", |arguments| {
                let canonical = ip::is_canonical(text(arguments, 0)?);
                canonical.map(Value::Bool).map_err(EvalError::Error)
            })],
            cost::rewriting,
        ),
        Function::new(
            "string",
            &[Overload::global("ip_to_string", &[TYPE], "string", |arguments| {
                Ok(Value::string(address(arguments)?.to_string()))
            })],
        ),
        Function::new(
            "family",
            &[Overload::member("ip_family", &[TYPE], "int", |arguments| {
                Ok(Value::Int(ip::family(address(arguments)?)))
            })],
        ),
        Function::new(
            "isUnspecified",
            &[Overload::member("ip_is_unspecified", &[TYPE], "bool", |arguments| {
                tested(arguments, IpAddr::is_unspecified)
            })],
        ),
        Function::new(
            "isLoopback",
            &[Overload::member("ip_is_loopback", &[TYPE], "bool", |arguments| {
                tested(arguments, IpAddr::is_loopback)
            })],
        ),
        Function::new(
            "isLinkLocalMulticast",
            &[Overload::member("ip_is_link_local_multicast", &[TYPE], "bool", |arguments| {
                tested(arguments, ip::is_link_local_multicast)
            })],
        ),
        Function::new(
            "isLinkLocalUnicast",
            &[Overload::member("ip_is_link_local_unicast", &[TYPE], "bool", |arguments| {
                tested(arguments, ip::is_link_local_unicast)
            })],
        ),
        Function::new(
            "isGlobalUnicast",
            &[Overload::member("ip_is_global_unicast", &[TYPE], "bool", |arguments| {
                tested(arguments, ip::is_global_unicast)
            })],
        ),
    ],
};

fn address<'v>(arguments: &'v [Value<'_>]) -> Result<&'v IpAddr, EvalError> {
    own::<Ip>(arguments, 0).map(|ip| &ip.0)
}

fn tested<'a>(arguments: &[Value<'a>], test: fn(&IpAddr) -> bool) -> Outcome<'a> {
    address(arguments).map(|address| Value::Bool(test(address)))
}

impl Opaque for Ip {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    /// Bytes of the address.
    fn size(&self) -> Option<u64> {
        Some(if self.0.is_ipv4() { 4 } else { 16 })
    }
}
