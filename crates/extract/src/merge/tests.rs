//! Layers as lists of entries, merged, against the packages and layers expected.
use super::*;
use crate::layer::{Head, Kind, LayerReader, Want};
use seawall_model::package::Ecosystem;

/// `PATH` directory with trailing slash, `PATH -> TARGET` link, `PATH => TARGET` hard link, `PATH: TEXT` file.
fn layer(entries: &[&str]) -> LayerFacts {
    let mut reader = LayerReader::new();
    for entry in entries {
        let split = |mark: &str| entry.split_once(mark);
        if let Some((path, target)) = split(" -> ") {
            add(&mut reader, path, Kind::Symlink, Some(target), "");
        } else if let Some((path, target)) = split(" => ") {
            add(&mut reader, path, Kind::HardLink, Some(target), "");
        } else if let Some((path, text)) = split(": ") {
            add(&mut reader, path, Kind::File, None, text);
        } else if let Some(path) = entry.strip_suffix('/') {
            add(&mut reader, path, Kind::Directory, None, "");
        } else {
            add(&mut reader, entry, Kind::File, None, "");
        }
    }
    reader.finish()
}

fn add(reader: &mut LayerReader, path: &str, kind: Kind, link: Option<&str>, text: &str) {
    let head = Head { path, kind, mode: 0o644, size: text.len() as u64, link };
    if let Want::Whole(_) = reader.want(&head) {
        reader.whole(&head, text.as_bytes());
    }
}

fn all(layers: &[&[&str]]) -> Contents {
    let layers: Vec<_> = layers.iter().map(|entries| layer(entries)).collect();
    merge(&layers.iter().map(Some).collect::<Vec<_>>(), true)
}

/// `name version@layer [owner]`, comma-separated, in report order.
#[track_caller]
fn check(layers: &[&[&str]], expected: &str) {
    let shown: Vec<_> = all(layers)
        .packages
        .iter()
        .map(|package| {
            let owner =
                package.owner.as_deref().map(|owner| format!(" [{owner}]")).unwrap_or_default();
            format!("{} {}@{}{owner}", package.name, package.version, package.layer.unwrap())
        })
        .collect();
    assert_eq!(shown.join(", "), expected);
}

const A1: &str = "s/a.dist-info/METADATA: Name: a\nVersion: 1\n";
const A2: &str = "s/a.dist-info/METADATA: Name: a\nVersion: 2\n";
const DB_A: &str = "var/lib/dpkg/status: Package: a\nVersion: 1\n";
const DB_AB: &str = "var/lib/dpkg/status: Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n";
const DB_B: &str = "var/lib/dpkg/status: Package: b\nVersion: 1\n";
const ETC: &str = "etc/os-release: ID=debian\nVERSION_ID=12\n";

#[test]
fn whiteouts_hide_lower_layers_only() {
    check(&[&[A1]], "a 1@0");
    check(&[&[A1], &["s/.wh.a.dist-info"]], "");
    check(&[&[A1], &["s/a.dist-info/.wh.METADATA"]], "");
    check(&[&[A1], &[".wh.s", A2]], "a 2@1");
    check(&[&[A1], &[A2, ".wh.s"]], "a 2@1");
    check(&[&[A1], &[".wh.s"], &[A1]], "a 1@2");
    check(&[&[A1, "s/.wh.a.dist-info"]], "a 1@0");
    check(&[&[A1], &["s/.wh.a.dist-inf"]], "a 1@0");
}

#[test]
fn opaque_directories_hide_wherever_they_stand() {
    let b = "s/b.dist-info/METADATA: Name: b\nVersion: 1\n";
    check(&[&[A1], &["s/.wh..wh..opq", b]], "b 1@1");
    check(&[&[A1], &[b, "s/.wh..wh..opq"]], "b 1@1");
    check(&[&[A1], &[".wh..wh..opq"]], "");
    check(&[&[A1], &["t/.wh..wh..opq"]], "a 1@0");
    check(&[&[A1], &["s/.wh..wh.plnk"]], "a 1@0");
}

#[test]
fn entries_replace_what_lies_below() {
    check(&[&[A1], &["s"]], "");
    check(&[&[A1], &["s/a.dist-info"]], "");
    check(&[&[A1], &["s/a.dist-info -> elsewhere"]], "");
    check(&[&[A1], &["s/a.dist-info/METADATA/"]], "");
    check(&[&[A1], &["s/", "s/a.dist-info/"]], "a 1@0");
    check(&[&[A1], &[A2]], "a 2@1");
    check(&[&[A1], &[A2], &[A1]], "a 1@2");
    check(&[&[A1], &[A1]], "a 1@0");
    check(&[&[A1, A2]], "a 2@0");
    check(&[&[A1, "s"]], "");
    check(&[&["x.egg-info: Name: x\nVersion: 1\n"], &["x.egg-info/"]], "");
}

#[test]
fn packages_belong_to_the_lowest_layer_of_the_run() {
    check(&[&[DB_A], &[DB_AB]], "a 1@0, b 1@1");
    check(&[&[DB_A], &["other"], &[DB_AB]], "a 1@0, b 1@2");
    check(&[&[DB_A], &[DB_B], &[DB_AB]], "a 1@2, b 1@1");
    check(&[&[DB_AB], &[DB_B]], "b 1@0");
    check(&[&[DB_A], &["var/lib/dpkg/.wh.status"], &[DB_A]], "a 1@2");
    check(&[&[DB_A], &["var/lib/dpkg/status/"]], "");
}

#[test]
fn links_resolve_in_the_merged_tree() {
    let lib = "lib/a.dist-info/METADATA: Name: a\nVersion: 2\n";
    let usr = "usr/lib/a.dist-info/METADATA: Name: a\nVersion: 1\n";
    check(&[&["lib -> usr/lib", usr], &[lib]], "a 2@1");
    check(&[&["lib -> usr/lib", usr], &["lib/a.dist-info/METADATA: ", "x"]], "");
    check(&[&["lib -> usr/lib", usr], &["lib/.wh.a.dist-info"]], "");
    check(&[&["lib -> usr/lib", usr], &["lib/a.dist-info"]], "");
    check(&[&["lib -> usr/lib", usr], &["lib/", lib]], "a 1@0, a 2@1");
    check(&[&["lib -> /usr/lib", usr], &["lib -> /usr/lib"]], "a 1@0");
    check(
        &[
            &["x/lib -> ../../../../usr/lib", usr],
            &["x/lib/a.dist-info/METADATA: Name: a\nVersion: 3\n"],
        ],
        "a 3@1",
    );
    let moved = "opt/dpkg/status: Package: a\nVersion: 1\n";
    check(&[&["var/lib/dpkg -> ../../opt/dpkg", moved]], "a 1@0");
    check(&[&["var/lib/dpkg -> /opt/dpkg"], &[moved]], "a 1@1");
    check(&[&[moved]], "");
    check(&[&["a -> b", "b -> a", "a/a.dist-info/METADATA: Name: a\nVersion: 1\n", A1]], "a 1@0");
}

#[test]
fn a_directory_that_holds_a_link_goes_without_its_target() {
    let lower = [ETC, DB_A, A1, "opt/app/", "opt/app/var -> /var", "opt/app/s -> ../../s"];
    check(&[&lower, &["opt/app -> /srv/app"]], "a 1@0, a 1@0");
    check(&[&lower, &["opt/app"]], "a 1@0, a 1@0");
    check(&[&lower, &["opt"]], "a 1@0, a 1@0");
    check(&[&lower, &["opt/.wh.app"]], "a 1@0, a 1@0");
    check(&[&lower, &["opt/app/var"]], "a 1@0, a 1@0");
    check(&[&lower, &["opt/app/var/lib/dpkg"]], "a 1@0");
    check(&[&lower, &["opt/app/", "opt/app/var/", "opt/app/var/lib/dpkg"]], "a 1@0, a 1@0");
}

#[test]
fn marks_in_a_directory_that_replaces_a_link_stay_in_it() {
    let lower = [A1, "opt/l -> ../s"];
    check(&[&lower, &["opt/l/", "opt/l/.wh..wh..opq"]], "a 1@0");
    check(&[&lower, &["opt/l/", "opt/l/.wh.a.dist-info"]], "a 1@0");
    check(&[&lower, &["opt/l/.wh..wh..opq"]], "");
    check(&[&lower, &["opt/l/.wh.a.dist-info"]], "");
    check(&[&lower, &["opt/.wh.l", "opt/l/a.dist-info"]], "a 1@0");
    check(&[&lower, &["opt/l -> ../t", "opt/l/a.dist-info"]], "a 1@0");
    check(&[&[A1], &["l -> s", "l/a.dist-info"]], "");
    check(&[&[A1], &["l -> s", "l/.wh.a.dist-info"]], "");
}

#[test]
fn layers_write_through_links_in_links() {
    let lower = [A1, "x/m -> ../s", "l -> x", "k -> l/m"];
    for name in ["x/m", "l/m", "k"] {
        check(&[&lower, &[&format!("{name}/a.dist-info")]], "");
        check(&[&lower, &[&format!("{name}/a.dist-info/")]], "a 1@0");
        check(&[&lower, &[&format!("{name}/a.dist-info/METADATA/")]], "");
    }
    check(&[&lower, &["l/m/", "l/m/a.dist-info"]], "a 1@0");
    check(&[&lower, &["l/", "l/m/a.dist-info"]], "a 1@0");
    check(&[&lower, &["l/m"]], "a 1@0");
    check(&[&[A1, "l -> /"], &["l/l/l/s"]], "");
    // A link below one that moves leads elsewhere.
    check(&[&[A1, "t/x", "k -> l/a.dist-info", "l -> s"], &["l -> t"], &["k/METADATA"]], "a 1@0");
}

#[test]
fn whiteouts_of_dots_hide_nothing_and_are_counted() {
    for name in ["var/.wh..", "var/.wh...", "var/lib/dpkg/.wh...", "var/.wh."] {
        check(&[&[DB_A], &[name]], "a 1@0");
        check_problems(&[&[ETC, DB_A], &[name]], "entry-dropped");
    }
}

#[test]
fn hard_links_count_as_their_own_path() {
    check(&[&["x.egg-info: Name: x\nVersion: 1\n", "y.egg-info => x.egg-info"]], "x 1@0");
    let linked = all(&[&["x.egg-info: Name: x\nVersion: 1\n", "y.egg-info => ./x.egg-info"]]);
    assert_eq!(linked.packages[0].locations, ["x.egg-info", "y.egg-info"]);
    check(
        &[&["x.egg-info: Name: x\nVersion: 1\n"], &["y.egg-info => x.egg-info", ".wh.x.egg-info"]],
        "",
    );
    let unread = all(&[&["blob: x", "var/lib/dpkg/status => blob"]]);
    assert_eq!(unread.problems[0].code, "hard-link-not-read");
}

#[test]
fn owned_evidence_names_its_owner() {
    let list = "var/lib/dpkg/info/a.list: /.\n/usr\n/s/a.dist-info/METADATA\n";
    check(&[&[DB_A, A2, list]], "a 1@0, a 2@0 [a]");
    check(&[&[DB_B, A2, list]], "b 1@0, a 2@0");
    check(
        &[&[
            DB_A,
            A2,
            "var/lib/dpkg/info/a:amd64.md5sums: d41d8cd98f00b204e9800998ecf8427e  s/a.dist-info/METADATA\n",
        ]],
        "a 1@0, a 2@0 [a]",
    );
    let usr = "usr/lib/x.egg-info: Name: x\nVersion: 1\n";
    check(
        &[&[DB_A, "lib -> usr/lib", usr, "var/lib/dpkg/info/a.list: /lib/x.egg-info\n"]],
        "a 1@0, x 1@0 [a]",
    );
    let distroless = [
        "var/lib/dpkg/status.d/YQ: Package: a\nVersion: 1\n",
        A2,
        "var/lib/dpkg/status.d/YQ.md5sums: d41d8cd98f00b204e9800998ecf8427e  s/a.dist-info/METADATA\n",
    ];
    check(&[&distroless], "a 1@0, a 2@0 [a]");
}

#[test]
fn distros() {
    #[track_caller]
    fn check(layers: &[&[&str]], id: Option<&str>, problem: Option<&str>) {
        let contents = all(layers);
        assert_eq!(contents.distro.as_ref().map(|distro| distro.id.as_str()), id);
        assert_eq!(contents.problems.first().map(|problem| problem.code.as_str()), problem);
    }
    check(&[&[ETC, DB_A]], Some("debian"), None);
    check(
        &[&["usr/lib/os-release: ID=debian\n", "etc/os-release -> ../usr/lib/os-release", DB_A]],
        Some("debian"),
        None,
    );
    check(&[&["usr/lib/os-release: ID=debian\n", DB_A]], Some("debian"), None);
    check(&[&[ETC, DB_A], &["etc/os-release: ID=ubuntu\n"]], Some("ubuntu"), None);
    // Of packages that are listed, matching says that nothing judges them.
    check(&[&["etc/os-release: ID=homemade\n", DB_A]], Some("homemade"), None);
    check(&[&[DB_A]], None, None);
    check(
        &[&["etc/os-release: ID=alpine\n", "lib/apk/db/installed: P:x\n"]],
        Some("alpine"),
        Some("malformed-package-file"),
    );
    check(
        &[&[ETC, DB_A, "lib/apk/db/installed: P:x\n"], &["lib/apk/db/.wh.installed"]],
        Some("debian"),
        None,
    );
    check(&[&[ETC, DB_A, "var/lib/opkg/status: "]], Some("debian"), Some("database-not-supported"));
    check(&[&[A1]], None, None);
}

/// `code file` of each problem, comma-separated.
#[track_caller]
fn check_problems(layers: &[&[&str]], expected: &str) {
    let problems = all(layers).problems;
    let shown = problems.iter().map(|problem| {
        let file = problem.file.as_deref().map(|file| format!(" {file}")).unwrap_or_default();
        format!("{}{file}", problem.code)
    });
    assert_eq!(shown.collect::<Vec<_>>().join(", "), expected);
}

const PACMAN: &str = "database-not-supported var/lib/pacman/local/ALPM_DB_VERSION, not-covered";

#[test]
fn packages_that_nothing_lists_are_a_gap() {
    #[track_caller]
    fn check(release: &str, others: &[&str], expected: &str) {
        let release = format!("etc/os-release: {release}\n");
        check_problems(&[&[&[release.as_str()], others].concat()], expected);
    }
    check("ID=void", &["var/db/xbps/pkgdb-0.38.plist"], "unknown-distro");
    check("ID=nixos", &[A1], "unknown-distro");
    check("NAME=nameless", &[], "unknown-distro");
    check("ID=gentoo", &["var/db/pkg/sys-libs/glibc-2.3/CONTENTS"], "not-covered");
    check("ID=fedora", &[], "not-covered");
    check("ID=arch", &[], "not-covered");
    check("ID=debian", &[], "database-missing");
    check("ID=Debian", &[], "database-missing");
    check("ID=debian", &["var/lib/dpkg/status: "], "database-missing");
    check("ID=rhel", &[], "database-missing");
    check("ID=rhel", &["var/lib/rpm/Packages"], "unreadable-package-file var/lib/rpm/Packages");
    check("ID=alpine", &["lib/apk/db/installed"], "database-missing");
    check("ID=arch", &["var/lib/pacman/local/ALPM_DB_VERSION"], PACMAN);
    check("ID=debian", &[DB_A], "");
    check("ID=debian", &["var/lib/dpkg/status.d/a: Package: a\nVersion: 1\n"], "");
    let vendor = "var/lib/dpkg/status: Package: a\nVersion: 1\nOrigin: Vendor\n";
    check("ID=debian", &[vendor], "");
    check("ID=homemade", &[vendor], "unknown-distro");
    check_problems(&[&["app"]], "");
}

#[test]
fn a_database_moved_out_of_sight_is_a_gap() {
    #[track_caller]
    fn check(layers: &[&[&str]], expected: &str) {
        let layers = [&[&[ETC, DB_B][..]], layers].concat();
        check_problems(&layers, expected);
    }
    let status = "var/lib/dpkg/status -> ../../../opt/packages";
    check(&[&[status, "opt/packages"]], "database-not-read opt/packages");
    check(&[&[status]], "database-missing");
    check(&[&[status, "opt/packages"], &["opt/.wh.packages"]], "database-missing");
    check(&[&[status, "opt/packages"], &["opt/.wh..wh..opq"]], "database-missing");
    check(
        &[&["var/lib/dpkg -> /opt/db", "opt/db/status", "opt/db/info/a.list"]],
        "database-not-read opt/db/status, database-not-read opt/db/info",
    );
    check(
        &[&["var/lib/dpkg -> /opt/db", "opt/db/status.d/a"]],
        "database-not-read opt/db/status.d",
    );
    check(&[&["var/lib/dpkg/status.d -> /opt/x", "opt/x/base"]], "database-not-read opt/x");
    check(&[&["var/lib/dpkg/status.d -> /opt/x", "opt/x/"]], "database-not-read opt/x");
    check(&[&["var/lib/dpkg/status.d -> /opt/x"]], "");
    check(&[&["var/lib/dpkg/status.d/a -> /opt/a", "opt/a"]], "database-not-read opt/a");
    check(&[&["s/a.dist-info/METADATA -> /opt/a", "opt/a"]], "database-not-read opt/a");
    check(&[&["s/a.dist-info -> /opt/a", "opt/a/METADATA"]], "database-not-read opt/a/METADATA");
    check(&[&["s/a.egg-info -> /opt/a", "opt/a/PKG-INFO"]], "database-not-read opt/a/PKG-INFO");
    check(&[&["s/b.dist-info -> a.dist-info", A1]], "");
    check(&[&["t -> s", A1]], "");
    check_problems(
        &[&["etc/os-release -> /opt/release", "opt/release: ID=debian\n"]],
        "database-not-read opt/release",
    );
}

#[test]
fn stanzas_behind_links_are_read() {
    let read = "opt/dpkg/status.d/a: Package: a\nVersion: 1\n";
    check(&[&["var/lib/dpkg/status.d -> /opt/dpkg/status.d", read]], "a 1@0");
    check(&[&["var/lib/dpkg/status.d/a -> /opt/dpkg/status.d/a", read]], "a 1@0");
}

#[test]
fn databases_behind_links_are_read_or_gaps() {
    let linked = "var/lib/rpm -> /opt/rpm";
    let read = "unreadable-package-file opt/rpm/rpmdb.sqlite";
    check_problems(&[&[linked, "opt/rpm/rpmdb.sqlite"]], read);
    check_problems(&[&["opt/rpm/rpmdb.sqlite"], &[linked]], read);
    check_problems(&[&["opt/rpm/rpmdb.sqlite"]], "");
    check_problems(&[&[linked, "opt/rpm/other"]], "");
    check_problems(&[&[linked, "opt/rpm/rpmdb.sqlite"], &["opt/.wh.rpm"]], "");
    let moved = "database-not-read opt/db/Packages";
    check_problems(&[&["var/lib/rpm -> /opt/db", "opt/db/Packages"]], moved);
    let file = ["var/lib/rpm/Packages.db -> /opt/db", "opt/db"];
    check_problems(&[&file], "database-not-read opt/db");
    let both = ["lib -> usr/lib", "usr/lib/apk/db/installed: P:a\nV:1\n"];
    check(&[&both], "a 1@0");
    check(&[&both, &["lib/apk/db/.wh.installed"]], "");
    check_problems(
        &[&["lib/apk/db/installed => db", "db"]],
        "hard-link-not-read lib/apk/db/installed",
    );
    let opkg = "database-not-supported opt/opkg/status";
    check_problems(&[&["var/lib/opkg -> /opt/opkg", "opt/opkg/status"]], opkg);
}

#[test]
fn one_database_of_a_package_manager_counts() {
    let (old, new) = ("lib/apk/db/installed: P:a\nV:1\n", "usr/lib/apk/db/installed: P:b\nV:1\n");
    check(&[&[old, new]], "a 1@0");
    check_problems(&[&[old, new]], "second-database usr/lib/apk/db/installed");
    check(&[&["lib/apk/db/installed", new]], "b 1@0");
    check_problems(&[&["lib/apk/db/installed", new]], "");
    // What cannot be read hides nothing, and is told.
    check(&[&["lib/apk/db/installed: x\n", new]], "b 1@0");
    let told =
        "malformed-package-file lib/apk/db/installed, malformed-package-file lib/apk/db/installed";
    check_problems(&[&["lib/apk/db/installed: x\n", new]], told);
    // Those of different package managers count side by side.
    let list = "var/lib/rpmmanifest/container-manifest-2: c\t1-1\t\t\t(none)\t\t\tnoarch\t0\tc-1-1.src.rpm\n";
    check(&[&[ETC, DB_A, list, old]], "a 1@0, c 1-1@0, a 1@0");
}

#[test]
fn packages_of_every_format_have_layers_owners_and_a_distro() {
    let release = "etc/os-release: ID=wolfi\n";
    let lower = "usr/lib/apk/db/installed: P:a\nV:1\n";
    let upper = "usr/lib/apk/db/installed: P:a\nV:1\nF:s/a.dist-info\nR:METADATA\n\nP:b\nV:1\n";
    check(&[&[release, lower], &[upper, A2]], "a 2@1 [a], a 1@0, b 1@1");
    let contents = all(&[&[release, upper]]);
    assert!(contents.packages.iter().all(|package| package.ecosystem == Ecosystem::Wolfi));
    let vendors = "var/lib/rpmmanifest/container-manifest-2: \
        a\t1-1\t\t\tMicrosoft Corporation\t\t\tnoarch\t0\ta-1-1.src.rpm\n\
        b\t1-1\t\t\tSomebody\t\t\tnoarch\t0\tb-1-1.src.rpm\n";
    let azure = all(&[&["etc/os-release: ID=azurelinux\n", vendors]]);
    let third: Vec<_> = azure.packages.iter().map(|package| package.third_party).collect();
    assert_eq!(third, [false, true]);
    let unknown = all(&[&["etc/os-release: ID=fedora\n", vendors]]);
    assert!(unknown.packages.iter().all(|package| !package.third_party));
}

#[test]
fn an_unwritten_log_of_the_database_that_counts_is_a_gap() {
    let log = format!("var/lib/rpm/rpmdb.sqlite-wal: {}", "x".repeat(64));
    let told = "unreadable-package-file var/lib/rpm/rpmdb.sqlite, unreadable-package-file var/lib/rpm/rpmdb.sqlite-wal";
    check_problems(&[&["var/lib/rpm/rpmdb.sqlite", &log]], told);
    check_problems(&[&[&log]], "");
    check_problems(
        &[&["var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite-wal: x"]],
        "unreadable-package-file var/lib/rpm/rpmdb.sqlite",
    );
}

#[test]
fn repositories_are_those_of_the_topmost_copies() {
    let contents = all(&[
        &["etc/apk/repositories: https://a.example/v3.18/main\n"],
        &["etc/apk/repositories: https://a.example/v3.19/main\nhttps://a.example/v3.19/main\n"],
    ]);
    assert_eq!(contents.repositories, ["https://a.example/v3.19/main"]);
}

#[test]
fn problems_of_replaced_files_are_gone() {
    let broken = "s/a.dist-info/METADATA: rubbish\n";
    assert_eq!(all(&[&[broken]]).problems.len(), 1);
    assert_eq!(all(&[&[broken], &[A1]]).problems, []);
    assert_eq!(all(&[&[broken], &[".wh.s"]]).problems, []);
}

#[test]
fn a_link_cycle_is_a_counted_note() {
    let contents = all(&[&["a -> b", "b -> a", "a/x.egg-info: Name: x\nVersion: 1\n"]]);
    assert!(contents.packages.is_empty());
    let [problem] = contents.problems.as_slice() else { panic!("one note") };
    assert_eq!(problem.code, "link-cycle");
    assert!(problem.message.starts_with("3 left out"), "{}", problem.message);
    check_problems(&[&["a -> b", "b -> a"], &["c -> c"]], "link-cycle a");
    check_problems(&[&["a -> b", "b -> a"], &[".wh.a"]], "");
}
