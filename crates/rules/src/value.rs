//! What a field of an event holds, and the types that rules compare.
use std::borrow::Cow;
use std::net::IpAddr;

/// A value taken from an event, borrowed where the event holds it as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'e> {
    Text(Cow<'e, str>),
    /// Wide enough for every signed and unsigned 64-bit field.
    Number(i128),
    Bool(bool),
    Address(IpAddr),
    /// Several values of one field: see [`Quantity`].
    Many(Vec<Value<'e>>),
}

/// The type of a field; each operator accepts some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Number,
    Bool,
    /// An IP address; compares with addresses and networks.
    Address,
}

impl Kind {
    /// The word for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Bool => "boolean",
            Self::Address => "IP address",
        }
    }
}

/// How many values a field has, and what a comparison with several means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    One,
    /// True if any value compares so: ancestors without an index.
    Any,
    /// As `Any`, but `!=` demands that all differ: both ends of a connection (libsinsp `compare_ip`).
    Ends,
    /// A list: `in` means all of its values, `intersects` any, and only `exists` besides.
    List,
}

impl<'e> Value<'e> {
    pub(crate) fn text(text: &'e str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn owned(text: String) -> Value<'e> {
        Self::Text(Cow::Owned(text))
    }

    /// As outputs print it.
    pub fn render(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Address(address) => Cow::Owned(address.to_string()),
            Self::Many(values) => {
                Cow::Owned(values.iter().map(|value| value.render()).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// As `output_fields` and recordings carry it. A number beyond 64 bits becomes text.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_ref().into(),
            Self::Number(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => number.to_string().into(),
            },
            Self::Bool(value) => (*value).into(),
            Self::Address(address) => address.to_string().into(),
            Self::Many(values) => values.iter().map(Value::json).collect(),
        }
    }

    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Value::Number(number),
            Self::Bool(value) => Value::Bool(value),
            Self::Address(address) => Value::Address(address),
            Self::Many(values) => Value::Many(values.into_iter().map(Value::into_owned).collect()),
        }
    }
}

/// Reads a number as conditions write it: decimal, `0x` hexadecimal, or with an exponent that leaves it whole.
pub(crate) fn parse_number(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i128::from_str_radix(digits, 16).ok();
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    // Beyond 2^53 a double no longer names one integer.
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i128)
}

/// Reads a boolean as Falco does.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "TRUE" | "True" | "1" => Some(true),
        "false" | "FALSE" | "False" | "0" => Some(false),
        _ => None,
    }
}
