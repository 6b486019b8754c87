//! The generated files in the repository are equal to what the code generates now.

use std::path::Path;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(file)).unwrap_or_default()
}

fn compare(file: &str, expected: &str) {
    assert_eq!(read(file).trim_end(), expected.trim_end(), "{file} is old: run `make docs`");
}

#[test]
fn the_example_of_the_environment_is_what_the_config_types_read() {
    compare(".env.example", &cli::env_example());
}

#[test]
fn the_table_of_permissions_is_the_policy_table() {
    compare("docs/permissions.md", &gateway::permissions_table());
}

#[test]
fn the_list_of_error_codes_is_the_enum() {
    compare("docs/errors.md", &gateway::errors_table());
}

#[test]
fn no_message_between_services_changes_unnoticed() {
    let (accepted, current) = (read("proto/descriptor.lock"), proto::descriptor_lock().unwrap());
    let gone: Vec<&str> = accepted.lines().filter(|line| !current.lines().any(|now| now == *line)).collect();
    assert!(gone.is_empty(), "services of the release before this one break without {gone:#?}");
    let new: Vec<&str> = current.lines().filter(|line| !accepted.lines().any(|old| old == *line)).collect();
    assert!(new.is_empty(), "new, to be taken in by `make proto-accept`: {new:#?}");
}
