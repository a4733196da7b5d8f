//! One conformance suite for both engines: every case runs on a fresh SQLite directory and on a fresh database of a
//! PostgreSQL that the test starts itself.
#![expect(
    clippy::unwrap_used,
    reason = "cases are functions of a table, which clippy does not know as tests"
)]
#![expect(clippy::print_stdout, reason = "a skipped engine says so")]
mod access;
mod admission;
mod bench;
mod estate;
mod filters;
mod hostile;
mod ingest;
mod lists;
mod policy_sets;
mod postgres;
mod results;
mod running;
mod visibility;

use bench::{Bench, Case};
use seawall_store::{Error, Location, Store};

/// Every case, by name. Each gets a store of its own.
const CASES: &[(&str, Case)] = &[
    ("users_and_sessions", |bench| Box::pin(access::users_and_sessions(bench))),
    ("there_is_one_first_owner", |bench| Box::pin(access::one_first_owner(bench))),
    ("the_last_owner_stays", |bench| Box::pin(access::the_last_owner_stays(bench))),
    ("tokens_expire", |bench| Box::pin(access::tokens_expire(bench))),
    ("the_audit_log_shows_tampering", |bench| {
        Box::pin(access::the_audit_log_shows_tampering(bench))
    }),
    ("an_audited_write_commits_with_its_entry", |bench| Box::pin(access::an_audited_write(bench))),
    ("idempotency_keys", |bench| Box::pin(access::idempotency_keys(bench))),
    ("a_claimed_write", |bench| Box::pin(access::a_claimed_write(bench))),
    ("settings", |bench| Box::pin(access::settings(bench))),
    ("scopes_form_a_tree", |bench| Box::pin(estate::scopes_form_a_tree(bench))),
    ("enrolment_refuses", |bench| Box::pin(estate::enrolment_refuses(bench))),
    ("an_acceptance_is_spent", |bench| Box::pin(estate::acceptance_is_spent(bench))),
    ("agents_come_and_go", |bench| Box::pin(estate::agents_come_and_go(bench))),
    ("a_key_is_one_clusters", |bench| Box::pin(estate::a_key_is_one_clusters(bench))),
    ("agents_join", |bench| Box::pin(estate::agents_join(bench))),
    ("silent_pods_are_retired", |bench| Box::pin(estate::silent_pods_are_retired(bench))),
    ("revocations_hold", |bench| Box::pin(estate::revocations_hold(bench))),
    ("assignments_hold_downwards", |bench| Box::pin(admission::assignments_hold_downwards(bench))),
    ("what_agents_say_of_admission", |bench| {
        Box::pin(admission::what_agents_say_of_admission(bench))
    }),
    ("times_of_admission_are_bounded", |bench| {
        Box::pin(admission::times_of_admission_are_bounded(bench))
    }),
    ("decisions_and_gaps_end", |bench| Box::pin(admission::decisions_and_gaps_end(bench))),
    ("policy_sets_are_kept", |bench| Box::pin(policy_sets::policy_sets_are_kept(bench))),
    ("trials_replace", |bench| Box::pin(policy_sets::trials_replace(bench))),
    ("a_set_refuses_once_it_was_tried", |bench| {
        Box::pin(policy_sets::a_set_refuses_once_it_was_tried(bench))
    }),
    ("nodes_keep_what_was_left_out", |bench| {
        Box::pin(results::nodes_keep_what_was_left_out(bench))
    }),
    ("firings_join_alerts", |bench| Box::pin(ingest::firings_join_alerts(bench))),
    ("an_agents_clock_is_bounded", |bench| Box::pin(ingest::an_agents_clock_is_bounded(bench))),
    ("batches_commit_once", |bench| Box::pin(ingest::batches_commit_once(bench))),
    ("agents_tell_what_is_theirs", |bench| Box::pin(ingest::agents_tell_what_is_theirs(bench))),
    ("agents_of_one_cluster_meet", |bench| Box::pin(ingest::agents_of_one_cluster_meet(bench))),
    ("alerts_follow_the_state_machine", |bench| {
        Box::pin(ingest::alerts_follow_the_state_machine(bench))
    }),
    ("bulk_steps", |bench| Box::pin(ingest::bulk_steps(bench))),
    ("assessments_replace", |bench| Box::pin(results::assessments_replace(bench))),
    ("tallies_follow", |bench| Box::pin(results::tallies_follow(bench))),
    ("nodes_are_judged", |bench| Box::pin(results::nodes_are_judged(bench))),
    ("what_is_said_of_a_node_ends_with_it", |bench| {
        Box::pin(results::what_is_said_of_a_node(bench))
    }),
    ("failing_resources_count_once", |bench| Box::pin(results::failing_resources(bench))),
    ("a_full_listing_ends_what_it_misses", |bench| Box::pin(results::a_full_listing_ends(bench))),
    ("vulnerabilities_replace", |bench| Box::pin(results::vulnerabilities_replace(bench))),
    ("evidence_moves_recommendations", |bench| Box::pin(results::evidence_moves(bench))),
    ("exemptions_count_matches", |bench| Box::pin(results::exemptions_count_matches(bench))),
    ("scores_keep_their_moves", |bench| Box::pin(results::scores_keep_their_moves(bench))),
    ("images_run_somewhere", |bench| Box::pin(running::images_run_somewhere(bench))),
    ("packages_across_the_estate", |bench| Box::pin(running::packages_across_the_estate(bench))),
    ("pages_meet", |bench| Box::pin(lists::pages_meet(bench))),
    ("pages_are_bounded_in_bytes", |bench| Box::pin(lists::pages_are_bounded_in_bytes(bench))),
    ("exports_hold_all_that_was_there", |bench| {
        Box::pin(lists::exports_hold_all_that_was_there(bench))
    }),
    ("a_filter_stays_inside_its_list", |bench| Box::pin(lists::a_filter_stays_inside(bench))),
    ("cursors_belong_to_their_list", |bench| Box::pin(lists::cursors_belong(bench))),
    ("facets_counts_and_search", |bench| Box::pin(lists::facets_counts_and_search(bench))),
    ("errors_point_at_their_place", |bench| Box::pin(lists::errors_point_at_their_place(bench))),
    ("the_change_feed_resumes", |bench| Box::pin(visibility::the_change_feed_resumes(bench))),
    ("tenants_are_apart", |bench| Box::pin(visibility::tenants_are_apart(bench))),
    ("namespaces_narrow", |bench| Box::pin(visibility::namespaces_narrow(bench))),
    ("hostile_text_is_stored", |bench| Box::pin(hostile::hostile_text_is_stored(bench))),
    ("ten_thousand_filters_agree", |bench| Box::pin(filters::ten_thousand_filters_agree(bench))),
];

fn run_all(engine: &str, mut open: impl FnMut(&str) -> (Location, Option<tempfile::TempDir>)) {
    let runtime = bench::runtime();
    // One case by name, as `cargo test` would filter functions.
    let only = std::env::var("SEAWALL_STORE_CASE").ok();
    let mut failed = Vec::new();
    for (name, case) in CASES {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let (location, directory) = open(name);
        println!("{engine}: {name}");
        // One failing case does not hide the others.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let bench = Bench::open(location).await;
                case(&bench).await;
                bench.store.close().await;
            });
        }));
        if done.is_err() {
            failed.push(*name);
        }
        drop(directory);
    }
    assert!(failed.is_empty(), "{engine}: {failed:?}");
}

#[test]
fn sqlite() {
    run_all("sqlite", |_| {
        let directory = tempfile::tempdir().unwrap();
        (Location::Directory(directory.path().join("data")), Some(directory))
    });
}

#[test]
fn postgres() {
    let Some(server) = postgres::Server::start() else { return };
    run_all("postgres", |name| (server.database(name), None));
}

/// SQLite serves one process; the second is told what to do, and may start once the first is gone.
#[test]
fn a_second_hub_on_sqlite_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Directory(directory.path().to_owned());
    bench::runtime().block_on(async {
        let first = Bench::open(location.clone()).await;
        let second = Store::open(&location, bench::context(&first.clock)).await;
        let error = second.err().unwrap();
        assert!(matches!(error, Error::InUse { .. }));
        assert!(error.to_string().contains("PostgreSQL"), "{error}");
        first.store.close().await;
        drop(first);
        let third = Bench::open(location).await;
        third.store.close().await;
    });
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    bench::runtime().block_on(async {
        let clock = bench::clock();
        let location = Location::Directory(file.join("data"));
        let error = Store::open(&location, bench::context(&clock)).await.err().unwrap();
        assert!(error.to_string().contains("file/data"), "{error}");
    });
}

#[test]
fn locations() {
    let parse = |text: &str| text.parse::<Location>();
    assert!(matches!(parse("postgres://u@h/d"), Ok(Location::Url(_))));
    assert!(matches!(parse("/var/lib/seawall"), Ok(Location::Directory(_))));
    assert!(matches!(parse("mysql://h/d"), Err(Error::Url { .. })));
}

/// Both engines have the same tables, columns and indexes: the migrations differ in types only.
#[test]
fn migrations_agree() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let names = |engine: &str| {
        let mut names: Vec<_> = std::fs::read_dir(format!("{root}/{engine}"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    for name in names("sqlite") {
        let read =
            |engine: &str| std::fs::read_to_string(format!("{root}/{engine}/{name}")).unwrap();
        let statements = |text: &str| {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
            lines.map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        };
        let postgres = read("postgres").replace(" COLLATE \"C\"", "").replace("BYTEA", "BLOB");
        // Every engine has its own way to walk JSON.
        let postgres = postgres
            .replace(
                "jsonb_each(CAST(v.not_applicable AS jsonb)) r",
                "json_each(v.not_applicable) r",
            )
            .replace("jsonb_array_elements_text(r.value) c(value)", "json_each(r.value) c");
        assert_eq!(statements(&read("sqlite")), statements(&postgres), "{name}");
    }
}
