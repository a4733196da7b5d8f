//! The functions that name formats and validate with them.
use super::{Format, Named};
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{Outcome, own, strings, text};
use crate::library::cost;
use crate::value::{Opaque, Value};
use std::any::Any;

const TYPE: &str = "kubernetes.NamedFormat";

pub(crate) static LIBRARY: Library = Library {
    since: 31,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "validate",
            &[Overload::member(
                "format-validate",
                &[TYPE, "string"],
                "optional_type(list(string))",
                |arguments| {
                    let format = own::<Named>(arguments, 0)?.0;
                    let violations = format.validate(text(arguments, 1)?);
                    Ok(match violations.is_empty() {
                        true => Value::none(),
                        false => Value::some(strings(violations)),
                    })
                },
            )],
            cost::validating,
        ),
        Function::new(
            "format.named",
            &[Overload::global(
                "format-named",
                &["string"],
                "optional_type(kubernetes.NamedFormat)",
                |arguments| {
                    Ok(match Format::named(text(arguments, 0)?) {
                        Some(format) => Value::some(Value::opaque(Named(format))),
                        None => Value::none(),
                    })
                },
            )],
        ),
        constant("format.dns1123Label", &[of("format.dns1123Label", |_| named("dns1123Label"))]),
        constant(
            "format.dns1123Subdomain",
            &[of("format.dns1123Subdomain", |_| named("dns1123Subdomain"))],
        ),
        constant("format.dns1035Label", &[of("format.dns1035Label", |_| named("dns1035Label"))]),
        constant("format.qualifiedName", &[of("format.qualifiedName", |_| named("qualifiedName"))]),
        constant(
            "format.dns1123LabelPrefix",
            &[of("format.dns1123LabelPrefix", |_| named("dns1123LabelPrefix"))],
        ),
        constant(
            "format.dns1123SubdomainPrefix",
            &[of("format.dns1123SubdomainPrefix", |_| named("dns1123SubdomainPrefix"))],
        ),
        constant(
            "format.dns1035LabelPrefix",
            &[of("format.dns1035LabelPrefix", |_| named("dns1035LabelPrefix"))],
        ),
        constant("format.labelValue", &[of("format.labelValue", |_| named("labelValue"))]),
        constant("format.uri", &[of("format.uri", |_| named("uri"))]),
        constant("format.uuid", &[of("format.uuid", |_| named("uuid"))]),
        constant("format.byte", &[of("format.byte", |_| named("byte"))]),
        constant("format.date", &[of("format.date", |_| named("date"))]),
        constant("format.datetime", &[of("format.datetime", |_| named("datetime"))]),
    ],
};

const fn constant(name: &'static str, overloads: &'static [Overload]) -> Function {
    Function::new(name, overloads)
}

const fn of(id: &'static str, call: crate::functions::Native) -> Overload {
    Overload::global(id, &[], TYPE, call)
}

fn named<'a>(name: &str) -> Outcome<'a> {
    let format = Format::named(name).ok_or_else(EvalError::no_overload)?;
    Ok(Value::opaque(Named(format)))
}

impl Opaque for Named {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Named>().is_some_and(|other| self.0 == other.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[test]
fn every_format_has_its_function() {
    for format in super::FORMATS {
        let name = format!("format.{}", format.name);
        let function = LIBRARY.functions.iter().find(|function| function.name == name);
        let value = (function.expect(&name).overloads[0].call)(&[]).unwrap();
        assert_eq!(value.as_opaque::<Named>().unwrap().0.name, format.name);
    }
}
