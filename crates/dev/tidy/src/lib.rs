//! Rules of the repository, as tests.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
    }

    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                walk(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }

    fn files(places: &[&str], ending: &str) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for place in places {
            walk(&root().join(place), ending, &mut found);
        }
        found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    }

    fn rust() -> Vec<(PathBuf, String)> {
        files(&["crates", "services"], ".rs")
    }

    #[test]
    fn no_source_file_is_longer_than_five_hundred_lines() {
        // The policy table is one list by decision 1.
        let long: Vec<_> = rust()
            .into_iter()
            .filter(|(path, text)| text.lines().count() > 500 && !path.ends_with("policy/table.rs"))
            .map(|(path, _)| path)
            .collect();
        assert!(long.is_empty(), "{long:?}");
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
        for (path, text) in rust().into_iter().filter(|(path, _)| !path.ends_with("tidy/src/lib.rs")) {
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

    fn tree(package: &str) -> String {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none", "-p", package])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn crates_reach_only_what_they_may() {
        let services = ["auth-service", "songlist-service", "payments-service", "scheduler-service", "gateway"];
        let forbidden: [(&str, &[&str]); 11] = [
            ("kit", &["diesel", "redis", "actix-web", "proto", "kit-pg", "kit-redis"]),
            ("proto", &["kit"]),
            ("kit-pg", &["proto", "kit-redis", "tokens", "actix-web"]),
            ("kit-redis", &["proto", "kit-pg", "tokens", "diesel", "actix-web"]),
            ("tokens", &["proto", "kit-pg", "kit-redis", "diesel"]),
            ("outbox", &["proto", "kit-redis", "tokens"]),
            ("rpc", &["kit-redis", "tokens", "actix-web"]),
            ("gateway", &["diesel", "kit-pg", "outbox"]),
            ("auth-service", &["actix-web"]),
            ("songlist-service", &["actix-web", "tokens"]),
            ("scheduler-service", &["actix-web", "tokens"]),
        ];
        for (package, never) in forbidden {
            let tree = tree(package);
            let reaches = |name: &str| tree.lines().any(|line| line.split_whitespace().next() == Some(name));
            for name in never {
                assert!(!reaches(name), "{package} reaches {name}");
            }
            for service in services.iter().filter(|service| **service != package) {
                assert!(!reaches(service), "{package} reaches {service}");
            }
        }
    }

    #[test]
    fn su_02_there_is_one_tls_stack() {
        let tree = tree("cli");
        for name in ["openssl-sys", "native-tls", "aws-lc-sys", "aws-lc-rs"] {
            assert!(!tree.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name} is in the graph");
        }
    }
}
