use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kit::Error;

use crate::{Claims, SigningKey, TokenKind};

/// Signs tokens. Ed25519 is deterministic: the same claims give the same token, so a repeated refresh can be answered
/// without storing tokens.
pub struct Issuer {
    name: String,
}

impl Issuer {
    /// An issuer whose tokens carry `name` as `iss`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Signs `claims` as a token of `kind`; issuer, audience and type are set here.
    ///
    /// # Errors
    /// `Internal` when the key cannot sign.
    pub fn sign(&self, key: &SigningKey, kind: TokenKind, mut claims: Claims) -> Result<String, Error> {
        claims.iss = self.name.clone();
        claims.aud = kind.audience().to_owned();
        claims.token_type = kind.token_type().to_owned();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(kind.typ().to_owned());
        header.kid = Some(key.kid.clone());
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&key.pkcs8)).map_err(Error::internal)
    }
}
