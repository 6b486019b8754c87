//! Generated papers are what the code would generate now.

use std::path::Path;

fn compare(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found.trim_end(), expected.trim_end(), "{file} is old: run `make docs`");
}

#[test]
fn the_example_of_the_environment_is_what_the_config_types_read() {
    compare(".env.example", &cli::env_example());
}

#[test]
fn the_table_of_permissions_is_the_policy_table() {
    compare("docs/permissions.md", &gateway::permissions_table());
}
