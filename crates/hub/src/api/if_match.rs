//! `If-Match`: which revision of an object a change is based on. Source: RFC 9110, 13.1.1.
use super::list::Lookup;
use super::problem::Refusal;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{StatusCode, header};
use seawall_store::Noun;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

/// What the header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    Absent,
    /// `*`: whatever the revision is.
    Any,
    /// One of these. None of them fits where all tags were weak or of somebody else: those are never equal.
    Revisions(Vec<u64>),
}

impl IfMatch {
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let mut revisions = Vec::new();
        let mut rest = text.trim();
        loop {
            let is_weak = rest.starts_with("W/");
            let tag = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
            let (tag, after) = tag.split_once('"')?;
            revisions.extend(tag.parse::<u64>().ok().filter(|_| !is_weak));
            rest = after.trim_start();
            if rest.is_empty() {
                return Some(Self::Revisions(revisions));
            }
            rest = rest.strip_prefix(',')?.trim_start();
        }
    }

    /// For updates, which need the header: 428 without it.
    pub(crate) fn required(self) -> Result<Self, Refusal> {
        match self {
            Self::Absent => Err(Refusal::new(
                StatusCode::PRECONDITION_REQUIRED,
                "send `If-Match` with the revision you changed",
            )),
            given => Ok(given),
        }
    }

    /// The revision that the store has to find; `None` where any will do.
    pub(crate) async fn expected<N: Noun>(&self, lookup: &Lookup) -> Result<Option<u64>, Refusal> {
        match self {
            Self::Absent | Self::Any => Ok(None),
            Self::Revisions(revisions) if revisions.len() == 1 => Ok(Some(revisions[0])),
            Self::Revisions(revisions) => {
                let object = lookup.object::<N>().await?;
                let object = serde_json::to_value(&object).map_err(Refusal::internal)?;
                let current = object.get("revision").and_then(serde_json::Value::as_u64);
                let current = current.unwrap_or_default();
                match revisions.contains(&current) {
                    // The store looks again: it may change until then.
                    true => Ok(Some(current)),
                    false => Err(Refusal::stale(current)),
                }
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let values = parts.headers.get_all(header::IF_MATCH).iter();
        let texts: Vec<&str> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        if texts.is_empty() {
            return Ok(Self::Absent);
        }
        Self::parse(&texts.join(",")).ok_or_else(|| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "`If-Match` is no list of tags: expected \"7\" as the `ETag` gave it",
            )
        })
    }
}

fn parameter(required: Required, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(String::schema()))
        .build()
}

/// The header of updates.
pub(crate) struct RequiredIfMatch;

/// The header of actions.
pub(crate) struct OptionalIfMatch;

impl IntoParams for RequiredIfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(Required::True, "The `ETag` that the change is based on, or `*`.")]
    }
}

impl IntoParams for OptionalIfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(Required::False, "Refused with 412 where the object's `ETag` is another.")]
    }
}

#[test]
fn tags_are_read_as_lists() {
    #[track_caller]
    fn check(text: &str, expected: Option<&[u64]>) {
        let expected = expected.map(|revisions| IfMatch::Revisions(revisions.to_vec()));
        assert_eq!(IfMatch::parse(text), expected, "{text}");
    }
    assert_eq!(IfMatch::parse(" * "), Some(IfMatch::Any));
    check("\"7\"", Some(&[7]));
    check("\"7\", \"8\" ,\"other\"", Some(&[7, 8]));
    // Weak tags are never equal: the object is another one.
    check("W/\"7\"", Some(&[]));
    check("W/\"7\", \"8\"", Some(&[8]));
    check("7", None);
    check("\"7", None);
    check("\"7\" \"8\"", None);
    check("", None);
}
