//! Rules for the form of source files and migrations.

use crate::{files, rust};

#[test]
fn files_are_short() {
    let mut lengths: Vec<_> = rust().into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= 500, "{} has {longest} lines", path.display());
    let (p90, path) = &lengths[lengths.len() * 9 / 10];
    assert!(*p90 < 250, "nine files of ten have at most {p90} lines, up to {}", path.display());
}

#[test]
fn only_store_knows_diesel_and_only_grpc_and_the_edges_know_proto() {
    for (path, text) in files(&["services"], ".rs") {
        let name = path.to_string_lossy().into_owned();
        if name.contains("/domain/") {
            assert!(!text.contains("use diesel") && !text.contains("use proto"), "{name}");
        }
        if name.contains("/grpc/") {
            assert!(!text.contains("use diesel"), "{name}");
        }
        if name.contains("/store/") {
            assert!(!text.contains("use proto") && !text.contains("tonic"), "{name}");
        }
    }
}

#[test]
fn every_library_and_layer_begins_with_what_it_is_for() {
    for (path, text) in rust() {
        let layer = ["grpc/mod.rs", "store/mod.rs", "domain/mod.rs"].iter().any(|end| path.ends_with(end));
        let of_a_service = path.to_string_lossy().contains("/services/");
        if path.ends_with("src/lib.rs") || (layer && of_a_service) {
            assert!(text.starts_with("//!"), "{}", path.display());
        }
    }
}

#[test]
fn every_migration_can_be_undone_and_names_its_constraints() {
    for (path, text) in files(&["migrations"], "up.sql") {
        assert!(path.with_file_name("down.sql").is_file(), "{} has no down.sql", path.display());
        for line in text
            .lines()
            .filter(|line| line.contains("PRIMARY KEY") || line.contains("REFERENCES") || line.contains("CHECK ("))
        {
            let policy = line.contains("WITH CHECK") || line.trim_start().starts_with("CHECK");
            assert!(policy || line.contains("CONSTRAINT"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn nothing_unfinished_is_left() {
    for (path, text) in rust().into_iter().filter(|(path, _)| !path.ends_with("tidy/src/source.rs")) {
        for mark in ["todo!(", "unimplemented!(", "// TODO", "// FIXME", "#[ignore"] {
            assert!(!text.contains(mark), "{} holds {mark}", path.display());
        }
    }
}

#[test]
fn one_test_binary_per_package() {
    for (path, text) in files(&["crates", "services"], "Cargo.toml") {
        assert!(text.matches("[[test]]").count() <= 1 && text.contains("autotests = false"), "{}", path.display());
    }
}
