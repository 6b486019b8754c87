//! The policy table: the rules of every resource, collected. The router, the permission check, the OpenAPI document and
//! `docs/permissions.md` are made from it.

mod errors;
mod openapi;
mod permissions;

pub use errors::errors_table;
pub use openapi::document as openapi_document;
pub use permissions::permissions_table;

use crate::http::rule::Rule;
use crate::routes::{
    audit_events, auth, authenticators, deleted_users, genres, media, payments, platform, playlists, sessions,
    song_requests, songs, tenant_songs, tenants, users,
};

/// The resources, in the order of the contract.
const RESOURCES: &[&[Rule]] = &[
    auth::RULES,
    users::RULES,
    deleted_users::RULES,
    sessions::RULES,
    authenticators::RULES,
    audit_events::RULES,
    tenants::RULES,
    genres::RULES,
    songs::RULES,
    tenant_songs::RULES,
    playlists::RULES,
    song_requests::RULES,
    media::RULES,
    payments::RULES,
    platform::RULES,
];

/// Every route of the API.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RESOURCES.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::http::rule::{Access, Body, Method};

    #[test]
    fn every_rule_says_who_may_call_it_and_what_it_is_for() {
        for rule in rules() {
            let what = format!("{} {}", rule.method.name(), rule.path);
            assert!(rule.access != Access::Roles(&[]), "{what} has neither roles nor public()");
            assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{what} needs a summary");
            let is_page = ["//docs/", "//docs/{asset}/", "//healthz/", "//readyz/"].contains(&rule.path);
            assert!(rule.id.is_empty() == is_page, "{what} needs an id() for generated clients");
            assert!(rule.path.starts_with('/') && rule.path.ends_with('/'), "{what}: paths have both slashes");
        }
    }

    #[test]
    fn no_two_rules_share_method_and_path() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert((rule.method.name(), rule.full_path())), "{} {}", rule.method.name(), rule.path);
        }
    }

    #[test]
    fn what_a_rule_takes_and_answers_fits_its_method() {
        for rule in rules() {
            let what = format!("{} {}", rule.method.name(), rule.path);
            if rule.method == Method::Get {
                assert!(matches!(rule.body, Body::None) && !rule.repeatable, "{what} changes nothing");
            } else {
                assert!(!rule.is_list(), "{what} is no list");
            }
            assert!(!rule.repeatable || rule.access != Access::Public, "{what}: a key belongs to somebody");
        }
    }
}
