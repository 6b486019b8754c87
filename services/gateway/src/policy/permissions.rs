use std::fmt::Write as _;

use kit::caller::Role;

use super::rules;
use crate::http::rule::{Access, Rule};

/// `docs/permissions.md`, made from the table.
pub fn permissions_table() -> String {
    let mut text = String::from(
        "# Who may call what\n\nMade from the policy table of the gateway by `make docs`; a test compares the two.\n\n\
         | Method | Path | LISTENER | ADMIN | SUPER_ADMIN | Reach | Rate |\n|---|---|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let cell = |role| cell(rule, role);
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} | {} |",
            rule.method.name(),
            rule.full_path(),
            cell(Role::Listener),
            cell(Role::Admin),
            cell(Role::SuperAdmin),
            rule.reach.text(),
            rule.rate.text()
        );
    }
    text
}

fn cell(rule: &Rule, role: Role) -> &'static str {
    match rule.access {
        Access::Public => "public",
        Access::Roles(_) if rule.allows(role) => "yes",
        Access::Roles(_) => "403",
    }
}
