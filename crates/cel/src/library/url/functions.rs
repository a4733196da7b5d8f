//! The functions on URLs.
use super::{Url, is_request_uri};
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{own, strings, text};
use crate::library::cost;
use crate::value::{Key, Made, Map, Opaque, Text, Value};
use std::any::Any;
use std::sync::Arc;

const TYPE: &str = "kubernetes.URL";

pub(crate) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "url",
            &[Overload::global("string_to_url", &["string"], TYPE, |arguments| {
                Url::parse(text(arguments, 0)?).map(Value::opaque).map_err(EvalError::Error)
            })],
            cost::reading,
        ),
        Function::new(
            "isURL",
            &[Overload::global("is_url_string", &["string"], "bool", |arguments| {
                Ok(Value::Bool(is_request_uri(text(arguments, 0)?).is_ok()))
            })],
        ),
        Function::new(
            "getScheme",
            &[Overload::member("url_get_scheme", &[TYPE], "string", |arguments| {
                Ok(Value::string(url(arguments)?.scheme()))
            })],
        ),
        Function::new(
            "getHost",
            &[Overload::member("url_get_host", &[TYPE], "string", |arguments| {
                Ok(Value::string(url(arguments)?.host()))
            })],
        ),
        Function::new(
            "getHostname",
            &[Overload::member("url_get_hostname", &[TYPE], "string", |arguments| {
                Ok(Value::string(url(arguments)?.hostname()))
            })],
        ),
        Function::new(
            "getPort",
            &[Overload::member("url_get_port", &[TYPE], "string", |arguments| {
                Ok(Value::string(url(arguments)?.port()))
            })],
        ),
        Function::new(
            "getEscapedPath",
            &[Overload::member("url_get_escaped_path", &[TYPE], "string", |arguments| {
                Ok(Value::string(url(arguments)?.escaped_path()))
            })],
        ),
        Function::new(
            "getQuery",
            &[Overload::member(
                "url_get_query",
                &[TYPE],
                "map(string, list(string))",
                |arguments| Ok(query(url(arguments)?)),
            )],
        ),
    ],
};

fn url<'v>(arguments: &'v [Value<'_>]) -> Result<&'v Url, EvalError> {
    own(arguments, 0)
}

fn query<'a>(url: &Url) -> Value<'a> {
    let mut made = Made::new();
    for (name, values) in url.query() {
        let name: Arc<str> = name.into();
        let key = Value::string(Arc::clone(&name));
        made.insert(Key::Text(Text::Shared(name)), (key, strings(values)));
    }
    Value::Map(Map::Made(Arc::new(made)))
}

impl Opaque for Url {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Url>().is_some_and(|other| self.text() == other.text())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
