//! The web interface, embedded in the binary. Every address that is no file is the application's: it routes itself.
use crate::app::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, Uri, header};

#[derive(rust_embed::Embed)]
#[folder = "../../web/dist"]
struct Dist;

/// Shown where the binary was built without the interface.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Seawall</title>\
<h1>The web interface is not in this build</h1><p>Run <code>make web</code>, then build the hub again. \
The API answers under <code>/api/v1</code>.</p></html>\n";

/// Files with a hash in their name never change.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

pub(crate) async fn serve(State(app): State<App>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path != "index.html"
        && let Some(file) = Dist::get(path)
    {
        let kind = HeaderValue::from_str(file.metadata.mimetype())
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let cache = if path.starts_with("assets/") { FOR_EVER } else { NEVER };
        return ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], file.data)
            .into_response();
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let Some(index) = Dist::get("index.html") else {
        return ([(header::CONTENT_TYPE, html), (header::CACHE_CONTROL, NEVER)], NOT_BUILT)
            .into_response();
    };
    let nonce = app.entropy.secret();
    let page = String::from_utf8_lossy(&index.data).replace("__CSP_NONCE__", &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).expect("a nonce is URL-safe base64");
    let headers = [
        (header::CONTENT_TYPE, html),
        (header::CACHE_CONTROL, NEVER),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page).into_response()
}
