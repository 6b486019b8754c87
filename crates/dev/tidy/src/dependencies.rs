//! Which crate may depend on which.

use std::process::Command;

use crate::root;

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

#[test]
fn nothing_that_runs_in_production_depends_on_crates_dev() {
    let production = [
        "kit",
        "kit-pg",
        "kit-redis",
        "outbox",
        "proto",
        "rpc",
        "tokens",
        "auth-service",
        "songlist-service",
        "payments-service",
        "scheduler-service",
        "gateway",
    ];
    for package in production {
        let tree = tree(package);
        for dev in ["cli", "devstack", "sandbox", "testkit", "tidy"] {
            let reaches = tree.lines().any(|line| line.split_whitespace().next() == Some(dev));
            assert!(!reaches, "{package} reaches {dev}");
        }
    }
}
