//! The functions on networks.
use super::Cidr;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{own, text};
use crate::library::ip::functions::{Ip, TYPE as IP};
use crate::library::{cost, ip};
use crate::value::{Opaque, Value};
use std::any::Any;

const TYPE: &str = "net.CIDR";

pub(crate) static LIBRARY: Library = Library {
    since: 30,
    until: u32::MAX,
    types: &[TYPE],
    functions: &[
        Function::priced(
            "cidr",
            &[Overload::global("string_to_cidr", &["string"], TYPE, |arguments| {
                parsed(arguments, 0).map(Value::opaque)
            })],
            cost::reading,
        ),
        Function::priced(
            "isCIDR",
            &[Overload::global("is_cidr", &["string"], "bool", |arguments| {
                Ok(Value::Bool(Cidr::parse(text(arguments, 0)?).is_ok()))
            })],
            cost::reading,
        ),
        Function::priced(
            "containsIP",
            &[
                Overload::member(
                    "cidr_contains_ip_string",
                    &[TYPE, "string"],
                    "bool",
                    |arguments| {
                        // The reason is lost in the API server, which asks whether the error is an address.
                        let address = ip::parse(text(arguments, 1)?);
                        let address = address.map_err(|_| EvalError::no_overload())?;
                        Ok(Value::Bool(cidr(arguments)?.contains_ip(&address)))
                    },
                ),
                Overload::member("cidr_contains_ip_ip", &[TYPE, IP], "bool", |arguments| {
                    let address = own::<Ip>(arguments, 1)?;
                    Ok(Value::Bool(cidr(arguments)?.contains_ip(&address.0)))
                }),
            ],
            cost::containing_ip,
        ),
        Function::priced(
            "containsCIDR",
            &[
                Overload::member(
                    "cidr_contains_cidr_string",
                    &[TYPE, "string"],
                    "bool",
                    |arguments| {
                        let other = parsed(arguments, 1)?;
                        Ok(Value::Bool(cidr(arguments)?.contains_cidr(&other)))
                    },
                ),
                Overload::member("cidr_contains_cidr", &[TYPE, TYPE], "bool", |arguments| {
                    let other = own(arguments, 1)?;
                    Ok(Value::Bool(cidr(arguments)?.contains_cidr(other)))
                }),
            ],
            cost::containing_cidr,
        ),
        Function::new(
            "ip",
            &[Overload::member("cidr_ip", &[TYPE], IP, |arguments| {
                Ok(Value::opaque(Ip(cidr(arguments)?.ip())))
            })],
        ),
        Function::new(
            "prefixLength",
            &[Overload::member("cidr_prefix_length", &[TYPE], "int", |arguments| {
                Ok(Value::Int(cidr(arguments)?.prefix_length().into()))
            })],
        ),
        Function::new(
            "masked",
            &[Overload::member("cidr_masked", &[TYPE], TYPE, |arguments| {
                Ok(Value::opaque(cidr(arguments)?.masked()))
            })],
        ),
        Function::new(
            "string",
            &[Overload::global("cidr_to_string", &[TYPE], "string", |arguments| {
                Ok(Value::string(cidr(arguments)?.to_string()))
            })],
        ),
    ],
};

fn cidr<'v>(arguments: &'v [Value<'_>]) -> Result<&'v Cidr, EvalError> {
    own(arguments, 0)
}

fn parsed(arguments: &[Value<'_>], at: usize) -> Result<Cidr, EvalError> {
    Cidr::parse(text(arguments, at)?).map_err(EvalError::Error)
}

impl Opaque for Cidr {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    /// Bytes that the prefix reaches into.
    fn size(&self) -> Option<u64> {
        Some(u64::from(self.bits.div_ceil(8)))
    }
}
