//! `gradle.lockfile`, that of build scripts, and the older one file for each configuration.
//! Source: Gradle "Locking dependency versions", "Lock state location and format".
//! All configurations count, those of tests too, see `npm_lock`.
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "gradle-lock",
    title: "Gradle lock file",
    route: Route::Locked(&[
        "**/gradle.lockfile",
        "**/*-gradle.lockfile",
        "**/gradle/dependency-locks/*.lockfile",
    ]),
    max_bytes: 16 * MIB, // 1,000 modules take 150 KiB.
    extract: Extract::Text(extract),
};

/// `group:artifact:version=configuration,…`; `empty=…` names configurations without dependencies.
fn extract(text: &str, found: &mut Found) {
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let module = line.split('=').next().unwrap_or_default();
        match module.split(':').collect::<Vec<_>>().as_slice() {
            [group, artifact, version]
                if [group, artifact, version].iter().all(|part| !part.is_empty()) =>
            {
                found.package(Ecosystem::Maven, format!("{group}:{artifact}"), *version);
            }
            _ => found.malformed("line is no `group:artifact:version`", index + 1),
        }
    }
}

#[test]
fn table() {
    let lock = "# This is a Gradle generated file for dependency locking.\n# Manual edits can break the build and are not advised.\n# This file is expected to be part of source control.\n\
        com.fasterxml.jackson.core:jackson-core:2.14.2=compileClasspath,runtimeClasspath\njunit:junit:4.13.2=testCompileClasspath\nempty=annotationProcessor\n";
    check(&EXTRACTOR, lock, "com.fasterxml.jackson.core:jackson-core 2.14.2, junit:junit 4.13.2");
    check(&EXTRACTOR, "org.a:b:1.0\n", "org.a:b 1.0");
    check(
        &EXTRACTOR,
        "<<<<<<< HEAD\na:b:1=x\na:b\n",
        "a:b 1; problem at line 1; problem at line 3",
    );
    check(&EXTRACTOR, "", "");
}
