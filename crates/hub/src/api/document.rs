//! `/openapi.json`: the API's own description, made of the routes and what all of them share.
use super::{Route, problem, table};
use crate::auth::Access;
use crate::auth::session::COOKIE;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr,
    Required, ResponseBuilder,
};

/// Names of the two ways to show who is calling.
const BEARER: &str = "token";
const SESSION: &str = "session";

/// The API's own description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "openapi",
    responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn get() -> axum::Json<serde_json::Value> {
    axum::Json(openapi())
}

/// The OpenAPI document of the API; committed as `openapi.json`.
pub fn openapi() -> serde_json::Value {
    // utoipa names an alias by what it stands for; clients get a type with the alias's name.
    let text = serde_json::to_string(&document()).expect("an OpenAPI document serialises");
    let text = text.replace("\"#/components/schemas/i64\"", "\"#/components/schemas/Millis\"");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("it was just written");
    let schemas =
        value.pointer_mut("/components/schemas").and_then(|schemas| schemas.as_object_mut());
    if let Some(schemas) = schemas
        && schemas.remove("i64").is_some()
    {
        let millis = serde_json::json!({"type": "integer", "format": "int64", "description": "Epoch milliseconds, UTC."});
        schemas.insert("Millis".to_owned(), millis);
    }
    value
}

fn document() -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    for Route { access, handler: (schemas, own, _) } in table() {
        components = components.schemas_from_iter(schemas);
        for (path, mut item) in own.paths {
            let operations = [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    describe(operation, method, &path, access);
                }
            }
            match paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => {
                    paths.paths.insert(path, item);
                }
            }
        }
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = components
        .schema_from::<problem::ProblemDetails>()
        .schema_from::<problem::Pointed>()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    let info = InfoBuilder::new()
        .title("Seawall hub")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Lists take filter, sort, limit, after and fields; errors are problem+json.",
        ))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

/// What all operations share: their id, the action they take, what they are sent and how they fail.
fn describe(operation: &mut Operation, method: &str, path: &str, access: Access) {
    operation.operation_id = Some(operation_id(method, path));
    let needs = match access {
        Access::Public => "Needs nothing.".to_owned(),
        Access::SignedIn => "Needs a session or token.".to_owned(),
        Access::May(action) => format!("Needs the action `{}`.", action.as_str()),
    };
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\n{needs}"),
        None => needs,
    });
    if access != Access::Public {
        let none: [&str; 0] = [];
        let schemes = [BEARER, SESSION].map(|name| SecurityRequirement::new(name, none));
        operation.security = Some(schemes.to_vec());
    }
    let parameters = operation.parameters.get_or_insert_default();
    for name in placeholders(path) {
        let is_known =
            |known: &RefOr<Parameter>| matches!(known, RefOr::T(known) if known.name == name);
        if !parameters.iter().any(is_known) {
            parameters.push(RefOr::T(parameter(name, ParameterIn::Path, Required::True, None)));
        }
    }
    // As the router has it: `idempotency::replay` stands before routes with an action.
    if method == "post" && matches!(access, Access::May(_)) {
        let text = "Sent again within 24 hours, the request is done once and answered the same.";
        let key = parameter("Idempotency-Key", ParameterIn::Header, Required::False, Some(text));
        parameters.push(RefOr::T(key));
    }
    let exports =
        parameters.iter().any(|known| matches!(known, RefOr::T(known) if known.name == "fields"));
    if exports && let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") {
        for kind in ["text/csv", "application/x-ndjson"] {
            let text = ContentBuilder::new().schema(Some(String::schema())).build();
            answer.content.insert(kind.to_owned(), RefOr::T(text));
        }
    }
    let problem =
        ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDetails"))).build();
    let refused = ResponseBuilder::new()
        .description("The request was refused.")
        .content("application/problem+json", problem)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(refused));
}

fn parameter(name: &str, place: ParameterIn, required: Required, text: Option<&str>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(text)
        .schema(Some(String::schema()))
        .build()
}

/// The names in braces.
fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// `get_images_id_packages` of `GET /api/v1/images/{id}/packages`: as unique as the two.
fn operation_id(method: &str, path: &str) -> String {
    let parts =
        path.trim_start_matches("/api/v1").split(['/', '-', '.']).filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.trim_matches(['{', '}']));
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("_")
}
