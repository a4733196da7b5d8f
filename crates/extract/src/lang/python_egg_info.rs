//! Python distributions of setuptools' older form: `*.egg-info`, a file or a folder with `PKG-INFO`.
//! Source: setuptools "The Internal Structure of Python Eggs".
use super::python_dist_info;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "python-egg-info",
    title: "Python egg",
    route: Route::Files(&["**/*.egg-info", "**/*.egg-info/PKG-INFO", "**/EGG-INFO/PKG-INFO"]),
    max_bytes: 16 * MIB, // As METADATA, whose fields it holds.
    extract: Extract::Text(python_dist_info::extract),
};

#[test]
fn table() {
    check(
        &EXTRACTOR,
        "Metadata-Version: 1.1\nName: PyYAML\nVersion: 5.3\nSummary: x\n",
        "pyyaml 5.3",
    );
    check(&EXTRACTOR, "Name: cut", "unreadable");
    check(&EXTRACTOR, "", "unreadable");
}
