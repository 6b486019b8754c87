//! The rules: who may do what, which input is valid, and which queries run in which transaction.

pub(crate) mod audit;
pub(crate) mod audit_events;
pub(crate) mod authenticators;
pub(crate) mod challenges;
pub(crate) mod codes;
pub(crate) mod deleted_users;
pub(crate) mod events;
pub(crate) mod hasher;
pub(crate) mod identity;
pub(crate) mod limits;
pub(crate) mod managed;
pub(crate) mod password_changes;
mod password_hashes;
pub(crate) mod password_resets;
pub(crate) mod passwords;
pub(crate) mod premium;
pub(crate) mod profiles;
pub(crate) mod reauthentication;
pub(crate) mod registrations;
pub(crate) mod revocations;
pub(crate) mod sealing;
pub(crate) mod session_lists;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod signing_keys;
pub(crate) mod tenants;
pub(crate) mod users;
