//! Access and refresh tokens: EdDSA (Ed25519) JWTs with fixed algorithm, type and audience. Used by auth-service, which
//! issues them, and by the gateway, which verifies them.

mod claims;
mod issuer;
mod keys;
mod provider;
mod verifier;

pub use claims::{Claims, TokenKind};
pub use issuer::Issuer;
pub use keys::{KeySet, PublicKey, SigningKey};
pub use provider::install;
pub use verifier::{TokenError, Verifier};

/// By how many seconds the clocks of issuer and verifier may differ.
pub const LEEWAY_SECS: i64 = 30;
/// The longest token in bytes; longer ones are refused without being parsed.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// How long a used refresh token may be sent again while nothing of its successor was used: the client may have lost the
/// answer.
pub const REPLAY_WINDOW: std::time::Duration = std::time::Duration::from_secs(60);
