//! What a .NET program runs with: `*.deps.json`, beside each program and in each shared framework.
//! Source: dotnet/sdk "Runtime configuration files", `Microsoft.Extensions.DependencyModel.DependencyContextJsonReader`.
//!
//! Entries of type `project` and `reference` are the program's own. A package counts if it brings files: one whose files
//! the framework replaces, or that was compiled against alone, is listed without any.
use super::lenient;
use crate::prelude::*;
use serde_json::Value;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "dotnet-deps",
    title: ".NET dependencies of a program",
    route: Route::Files(&["**/*.deps.json"]),
    max_bytes: 32 * MIB, // 500 packages take 300 KiB.
    extract: Extract::Text(extract),
};

/// Kinds of files that are there when the program runs.
const ASSETS: [&str; 4] = ["runtime", "native", "resources", "runtimeTargets"];

fn extract(text: &str, found: &mut Found) {
    let deps = lenient::json(text, found);
    for (library, description) in deps["libraries"].as_object().into_iter().flatten() {
        let kind = description["type"].as_str().unwrap_or_default();
        if !matches!(kind, "package" | "runtimepack") || !is_deployed(&deps["targets"], library) {
            continue;
        }
        match library.split_once('/') {
            // The framework that a self-contained program brings along.
            Some((name, version)) if !name.is_empty() && !version.is_empty() => {
                let name = name.strip_prefix("runtimepack.").unwrap_or(name);
                found.package(Ecosystem::NuGet, name, version);
            }
            _ => found.malformed(
                format!("`{library}` is no `name/version`"),
                lenient::line_of(text, library),
            ),
        }
    }
}

/// A library that no target speaks of counts: nothing says that it is not there.
fn is_deployed(targets: &Value, library: &str) -> bool {
    let targets = targets.as_object().into_iter().flatten();
    let mut entries = targets.filter_map(|(_, target)| target.get(library)).peekable();
    let has_files = |entry: &Value| {
        ASSETS.iter().any(|kind| entry[kind].as_object().is_some_and(|files| !files.is_empty()))
    };
    entries.peek().is_none() || entries.any(has_files)
}

#[test]
fn table() {
    let program = r#"{
  "runtimeTarget": {"name": ".NETCoreApp,Version=v6.0", "signature": ""},
  "targets": {
    ".NETCoreApp,Version=v6.0": {
      "App/1.0.0": {"dependencies": {"Newtonsoft.Json": "13.0.1"}, "runtime": {"App.dll": {}}},
      "Newtonsoft.Json/13.0.1": {"runtime": {"lib/netstandard2.0/Newtonsoft.Json.dll": {"assemblyVersion": "13.0.0.0"}}},
      "System.Text.Json/6.0.0": {"dependencies": {"System.Buffers": "4.5.1"}},
      "SQLitePCLRaw.lib/2.1.2": {"runtimeTargets": {"runtimes/linux-x64/native/libe_sqlite3.so": {"rid": "linux-x64"}}},
      "Library/1.0.0": {"runtime": {"Library.dll": {}}}
    }
  },
  "libraries": {
    "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
    "Newtonsoft.Json/13.0.1": {"type": "package", "serviceable": true, "sha512": "sha512-x"},
    "System.Text.Json/6.0.0": {"type": "package"},
    "SQLitePCLRaw.lib/2.1.2": {"type": "package"},
    "Library/1.0.0": {"type": "project"},
    "odd": {"type": "package"}
  }
}"#;
    check(
        &EXTRACTOR,
        program,
        "Newtonsoft.Json 13.0.1, SQLitePCLRaw.lib 2.1.2; problem at line 18",
    );
    // `shared/Microsoft.NETCore.App/6.0.16/Microsoft.NETCore.App.deps.json`, with a byte order mark.
    let framework = "\u{feff}{\"targets\": {\".NETCoreApp,Version=v6.0/linux-x64\": {\"Microsoft.NETCore.App.Runtime.linux-x64/6.0.16\": {\"runtime\": {\"System.Private.CoreLib.dll\": {}}}}},\n\
        \"libraries\": {\"Microsoft.NETCore.App.Runtime.linux-x64/6.0.16\": {\"type\": \"package\"}}}";
    check(&EXTRACTOR, framework, "Microsoft.NETCore.App.Runtime.linux-x64 6.0.16");
    let contained = r#"{"libraries": {"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack"}}}"#;
    check(&EXTRACTOR, contained, "Microsoft.NETCore.App.Runtime.linux-x64 8.0.1");
    check(
        &EXTRACTOR,
        "{\"libraries\": {\"A/1\": {\"type\": \"package\"},\n\"B",
        "A 1; problem at line 2",
    );
}
