//! Installed npm packages: the `package.json` at a package's root below `node_modules`.
//! Source: npm "package.json" and "Folder Structures Used by npm". Packages have more files of that name further down,
//! to say whether a folder holds ES modules or to be a test's fixture. The name in the file is the real one, whatever
//! alias the folder is called by.
use super::lenient;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "npm-package-json",
    title: "npm package",
    route: Route::Files(&["**/node_modules/*/package.json", "**/node_modules/@*/*/package.json"]),
    max_bytes: 16 * MIB, // The largest published, with generated export lists, stay under 1 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    // A folder of npm's own, such as `node_modules/.cache`, or a scope.
    let folder = found.path.rsplit('/').nth(1).unwrap_or_default();
    if folder.starts_with('.') || folder.starts_with('@') {
        return;
    }
    let value = lenient::json(text, found);
    match (value["name"].as_str(), value["version"].as_str()) {
        (Some(name), Some(version)) if !name.is_empty() && !version.is_empty() => {
            found.package(Ecosystem::Npm, name, version);
        }
        // npm writes both; what was put there by other means may have neither, and says nothing then.
        (Some(name), _) if found.problems.is_empty() => {
            let message = format!("npm package {} has no version", name.escape_debug());
            found.note("npm-package-without-version", message);
        }
        _ => {}
    }
}

#[test]
fn table() {
    // As `npm install` leaves it.
    let is_odd = "{\n  \"name\": \"is-odd\",\n  \"version\": \"3.0.1\",\n  \"dependencies\": {\"is-number\": \"^6.0.0\"}\n}\n";
    check(&EXTRACTOR, is_odd, "is-odd 3.0.1");
    check(&EXTRACTOR, r#"{"name": "@babel/core", "version": "7.22.0"}"#, "@babel/core 7.22.0");
    check(&EXTRACTOR, r#"{"type": "module"}"#, "");
    check(&EXTRACTOR, r#"{"name": "x"}"#, "note npm-package-without-version");
    check(
        &EXTRACTOR,
        "{\"version\": \"1.0.0\",\n\"name\": \"cut\", \"x",
        "cut 1.0.0; problem at line 2",
    );
    check(&EXTRACTOR, "", "problem at line 1");
    check_at(&EXTRACTOR, "a/node_modules/@scope/package.json", is_odd, "");
    check_at(&EXTRACTOR, "a/node_modules/.cache/package.json", is_odd, "");
}

#[test]
fn only_the_root_of_a_package() {
    #[track_caller]
    fn check(path: &str, expected: bool) {
        let extractor = crate::layer::by_path(path).map(|extractor| extractor.id);
        assert_eq!(extractor == Some(EXTRACTOR.id), expected, "{path}");
    }
    check("usr/lib/node_modules/npm/package.json", true);
    check("app/node_modules/@babel/core/package.json", true);
    check("app/node_modules/a/node_modules/b/package.json", true);
    check("app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", true);
    check("app/node_modules/a/dist/esm/package.json", false);
    check("app/node_modules/@babel/core/lib/package.json", false);
    check("app/package.json", false);
}
