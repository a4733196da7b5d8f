//! Kubernetes' function libraries: what the API server adds to CEL, one file or folder each.
//!
//! A library is plain Rust functions with Go's behaviour, and a table that binds them: types, the Kubernetes minors
//! that have them, prices. Source of the minors: k8s.io/apiserver/pkg/cel/environment/base.go at 1.37.
mod arguments;
pub mod authz;
mod cidr;
mod cost;
mod format;
mod go_text;
mod ip;
mod lists;
mod quantity;
pub(crate) mod regex;
mod semver;
mod sequences;
mod sets;
pub(crate) mod strings;
mod url;

use crate::functions::Library;

pub(crate) static LIBRARIES: &[&Library] = &[
    &url::functions::LIBRARY,
    &regex::functions::LIBRARY,
    &lists::LIBRARY,
    &lists::INCLUDES,
    &strings::functions::LIBRARY,
    &strings::functions::JOIN,
    &strings::functions::LIBRARY_2,
    &authz::LIBRARY,
    &authz::SELECTORS,
    &quantity::functions::LIBRARY,
    &sets::LIBRARY,
    &ip::functions::LIBRARY,
    &cidr::functions::LIBRARY,
    &format::functions::LIBRARY,
    &semver::functions::LIBRARY,
    &sequences::LIBRARY,
];
