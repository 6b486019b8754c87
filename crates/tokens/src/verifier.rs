use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kit::Clock;
use moka::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::{Claims, KeySet, LEEWAY_SECS, MAX_TOKEN_BYTES, TokenKind};

/// The most verified tokens that are cached; about 1 KiB each.
const REMEMBERED: u64 = 10_000;

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not a token of this issuer for this use, or a wrong signature.
    Invalid,
    /// The token was valid, but its time is over.
    Expired,
    /// Signed with a key that is not in the set, which may be out of date.
    UnknownKey,
}

/// Verifies tokens of one kind from one issuer. The result of a signature check does not change until the token
/// expires, so valid tokens are cached by a hash of the whole token; times are checked every time.
pub struct Verifier {
    issuer: String,
    kind: TokenKind,
    clock: Clock,
    validation: Validation,
    /// The claims with the key that signed them.
    verified: Cache<[u8; 32], (String, Claims)>,
}

impl Verifier {
    /// A verifier of `kind` tokens whose `iss` is `issuer`.
    pub fn new(issuer: &str, kind: TokenKind, clock: Clock) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Times are checked below with the clock that tests can move. Issuer, audience and type are checked there too;
        // all are required.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self { issuer: issuer.to_owned(), kind, clock, validation, verified: Cache::new(REMEMBERED) }
    }

    /// The claims of a valid token.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(&self, token: &str, keys: &KeySet) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let fingerprint = fingerprint(token);
        let claims = match self.verified.get(&fingerprint) {
            // A key that was taken away verifies nothing any more.
            Some((kid, claims)) if keys.0.contains_key(&kid) => claims,
            _ => {
                let (kid, claims) = self.decode(token, keys)?;
                self.verified.insert(fingerprint, (kid, claims.clone()));
                claims
            }
        };
        let now = self.clock.now().timestamp();
        if claims.exp + LEEWAY_SECS < now {
            return Err(TokenError::Expired);
        }
        if claims.nbf - LEEWAY_SECS > now {
            return Err(TokenError::Invalid);
        }
        Ok(claims)
    }

    fn decode(&self, token: &str, keys: &KeySet) -> Result<(String, Claims), TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_bad| TokenError::Invalid)?;
        let foreign = header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some();
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(self.kind.typ()) || foreign {
            return Err(TokenError::Invalid);
        }
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let key = keys.0.get(&kid).ok_or(TokenError::UnknownKey)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_ed_der(&key.x), &self.validation)
            .map_err(|_bad| TokenError::Invalid)?;
        let claims = decoded.claims;
        let ours = claims.iss == self.issuer
            && claims.aud == self.kind.audience()
            && claims.token_type == self.kind.token_type()
            && claims.sub == claims.user_id.to_string()
            && claims.actor().is_some();
        if ours { Ok((kid, claims)) } else { Err(TokenError::Invalid) }
    }
}

fn fingerprint(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;
    use kit::caller::Role;
    use kit::ids::{SessionId, TenantId, UserId};
    use serde_json::{Map, Value};

    use super::*;
    use crate::{Issuer, SigningKey};

    struct Bench {
        clock: Clock,
        key: SigningKey,
        keys: KeySet,
        issuer: Issuer,
    }

    fn bench() -> Bench {
        crate::install().unwrap();
        let key = SigningKey::generate("k1".into()).unwrap();
        let keys = KeySet::new([key.public()]);
        Bench { clock: Clock::movable(), key, keys, issuer: Issuer::new("songlist") }
    }

    fn claims(clock: &Clock) -> Claims {
        let (user, now) = (UserId::new(), clock.now().timestamp());
        Claims {
            iss: String::new(),
            aud: String::new(),
            sub: user.to_string(),
            exp: now + 600,
            iat: now,
            nbf: now,
            jti: kit::ids::random(),
            sid: SessionId::new(),
            token_type: String::new(),
            user_id: user,
            role: Role::Listener,
            tenant_id: Some(TenantId::new()),
            ver: 1,
            tver: 1,
            auth_time: now,
        }
    }

    fn verifier(kind: TokenKind, clock: &Clock) -> Verifier {
        Verifier::new("songlist", kind, clock.clone())
    }

    #[test]
    fn tk_02_and_tk_04_each_kind_is_taken_by_its_own_verifier_only() {
        let bench = bench();
        for made in [TokenKind::Access, TokenKind::Refresh] {
            let token = bench.issuer.sign(&bench.key, made, claims(&bench.clock)).unwrap();
            for asked in [TokenKind::Access, TokenKind::Refresh] {
                assert_eq!(verifier(asked, &bench.clock).verify(&token, &bench.keys).is_ok(), made == asked);
            }
        }
    }

    /// A token of these two parts in JSON, signed with the key of the bench.
    fn signed(bench: &Bench, header: &str, claims: &Map<String, Value>) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", encode(header), encode(&serde_json::to_string(claims).unwrap()));
        let key = EncodingKey::from_ed_der(bench.key.pkcs8());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    }

    const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;

    fn whole(bench: &Bench) -> Map<String, Value> {
        let token = bench.issuer.sign(&bench.key, TokenKind::Access, claims(&bench.clock)).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn tk_01_other_algorithms_keys_and_embedded_keys_are_refused() {
        let bench = bench();
        let (access, whole) = (verifier(TokenKind::Access, &bench.clock), whole(&bench));
        assert!(access.verify(&signed(&bench, HEADER, &whole), &bench.keys).is_ok());
        for header in [
            r#"{"alg":"none","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"RS256","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"rt+jwt","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","jku":"https://evil.example"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","x5u":"https://evil.example"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"}}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
        ] {
            let forged = signed(&bench, header, &whole);
            assert_eq!(access.verify(&forged, &bench.keys), Err(TokenError::Invalid), "{header}");
        }
        let other = SigningKey::generate("k1".into()).unwrap();
        let stolen = bench.issuer.sign(&other, TokenKind::Access, claims(&bench.clock)).unwrap();
        assert_eq!(access.verify(&stolen, &bench.keys), Err(TokenError::Invalid));
        let unknown = SigningKey::generate("k2".into()).unwrap();
        let token = bench.issuer.sign(&unknown, TokenKind::Access, claims(&bench.clock)).unwrap();
        assert_eq!(access.verify(&token, &bench.keys), Err(TokenError::UnknownKey));
    }

    #[test]
    fn a_token_that_was_verified_before_is_refused_when_its_key_is_taken_away() {
        let bench = bench();
        let access = verifier(TokenKind::Access, &bench.clock);
        let token = bench.issuer.sign(&bench.key, TokenKind::Access, claims(&bench.clock)).unwrap();
        assert!(access.verify(&token, &bench.keys).is_ok());
        assert_eq!(access.verify(&token, &KeySet::new([])), Err(TokenError::UnknownKey));
    }

    #[test]
    fn tk_05_expiry_and_not_before_have_thirty_seconds_of_leeway_also_for_remembered_tokens() {
        let bench = bench();
        let access = verifier(TokenKind::Access, &bench.clock);
        let token = bench.issuer.sign(&bench.key, TokenKind::Access, claims(&bench.clock)).unwrap();
        bench.clock.advance(Duration::from_secs(629));
        assert!(access.verify(&token, &bench.keys).is_ok());
        bench.clock.advance(Duration::from_secs(2));
        assert_eq!(access.verify(&token, &bench.keys), Err(TokenError::Expired));
        let mut early = claims(&bench.clock);
        early.nbf += 32;
        let token = bench.issuer.sign(&bench.key, TokenKind::Access, early).unwrap();
        assert_eq!(access.verify(&token, &bench.keys), Err(TokenError::Invalid));
    }

    #[test]
    fn tk_07_a_token_over_four_kibibytes_is_refused() {
        let bench = bench();
        let access = verifier(TokenKind::Access, &bench.clock);
        let padded = |bytes: usize| {
            let mut claims = whole(&bench);
            claims.insert("pad".to_owned(), Value::String("a".repeat(bytes)));
            signed(&bench, HEADER, &claims)
        };
        let (short, long) = (padded(2_000), padded(MAX_TOKEN_BYTES));
        assert!(short.len() < MAX_TOKEN_BYTES && access.verify(&short, &bench.keys).is_ok());
        assert_eq!(access.verify(&long, &bench.keys), Err(TokenError::Invalid));
    }

    #[test]
    fn tk_03_a_token_without_a_claim_or_with_one_of_another_type_is_refused() {
        let bench = bench();
        let access = verifier(TokenKind::Access, &bench.clock);
        let whole = whole(&bench);
        let signed = |claims: &Map<String, Value>| signed(&bench, HEADER, claims);
        assert!(access.verify(&signed(&whole), &bench.keys).is_ok());
        for name in whole.keys() {
            let mut less = whole.clone();
            less.remove(name);
            // A SUPER_ADMIN has no tenant; a LISTENER without one is refused by the role.
            assert!(access.verify(&signed(&less), &bench.keys).is_err(), "without {name}");
            let mut other = whole.clone();
            other.insert(name.clone(), serde_json::json!([true]));
            assert!(access.verify(&signed(&other), &bench.keys).is_err(), "with another {name}");
        }
    }
}
