//! What Composer installed: `vendor/composer/installed.json`. Source: `Composer\Repository\FilesystemRepository`.
use super::{composer_lock, lenient};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "composer-installed",
    title: "Composer's list of installed packages",
    route: Route::Files(&["**/vendor/composer/installed.json"]),
    max_bytes: 32 * MIB, // As the lock file, whose entries it holds.
    extract: Extract::Text(extract),
};

/// Composer 2 writes an object, Composer 1 wrote the list alone.
fn extract(text: &str, found: &mut Found) {
    let installed = lenient::json(text, found);
    let list = if installed.is_array() { &installed } else { &installed["packages"] };
    composer_lock::packages(list, text, found);
}

#[test]
fn table() {
    let two = "{\"packages\": [\n{\"name\": \"twig/twig\", \"version\": \"v3.5.1\", \"version_normalized\": \"3.5.1.0\", \"install-path\": \"../twig/twig\"}], \"dev\": false, \"dev-package-names\": []}";
    check(&EXTRACTOR, two, "twig/twig 3.5.1");
    check(&EXTRACTOR, r#"[{"name": "Twig/Twig", "version": "1.42.0"}]"#, "twig/twig 1.42.0");
    check(&EXTRACTOR, &two[..two.len() - 60], "twig/twig 3.5.1; problem at line 2");
    check(&EXTRACTOR, "", "problem at line 1");
}
