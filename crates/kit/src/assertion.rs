//! How the caller is sent from service to service: as a signed assertion, never as unsigned metadata.
//!
//! An assertion is `kid.payload.mac`: `kid` names the calling service, the payload is JSON in base64url, the MAC is
//! HMAC-SHA256 under the key of this pair of services. It names audience, method and the digest of the message, and is
//! valid for 30 s. Only the
//! gateway may assert users. A bad assertion is not the client's fault: the answer is `Unavailable`, with an alarm.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::caller::{Actor, Caller};
use crate::{Clock, Error, Secret};

/// The keys of each pair of services in development and tests. They are public and refused in production.
pub const DEV_PAIRS: &str = "\
gateway>auth=74b8526f5b534674a63e0a3ca1c82d01b017a9fb1c5a1920d060025b0ad9c14a,\
gateway>songlist=053af1e8379ac207a00fd7377f263dfa4b6038cb337a4d7e1d9436b3bb73ea6e,\
gateway>payments=1bfdb4c2d53bf71818cd2da1d2ddbde0169845c609a50cecc4afc5a9571cc92a,\
gateway>scheduler=f71ba338a6b266eaba0fbd7f0bfeed843fe48b6a9bcbc7e7dfe41b656189393a,\
auth>songlist=b8d4f3c1920b3d28f867927a6e8428d5e2dc2ab1fea281b6e9ad9e2247e8ba3f,\
auth>payments=e0a1b76932cb204493666f0a2cc209db08b190cf4cd7356e89ed7e5131f947d9,\
songlist>auth=d3f4b8ee3e5ad5c11715dc37f8132dd18cd96f173910fdab60dc7dd0551574b6,\
songlist>payments=f5fab52bd9e177c6c9336a7b419b6e8aa272060bc0135650909bfc1dc60492a5,\
payments>auth=2c5756fce0b97beaa9e60755a8e2f5577e7414da134a8cd7980be13208225189,\
payments>songlist=5f62326e9e7688619e1ecf6d6b65e606878a9089cb738c20c42a276863e9e86c,\
scheduler>auth=316b8dbd96147173d6f4dacd3a39cc2569b7dbd1b049761f14d4a0301bc18552,\
scheduler>songlist=be135fc45319a014bd6168c7c3b62337749b28c57e986170105df4dcd8e50d6d,\
scheduler>payments=aff1a9d987deddb6338553a14a8f803b0e78c7d05ea1b55ccff6d260b32f7f23,\
cli>scheduler=7e0bb3cb389b608f302102b157f0df36ccf76051a1201a6e4d20980a8c9b275e";

/// By how much the time of an assertion may differ from the callee's clock, in either direction.
const LIFETIME_SECS: i64 = 30;
/// How the reason begins when an assertion is refused because of its time.
pub(crate) const EXPIRED: &str = "expired";
/// The only service that may assert users.
const GATEWAY: &str = "gateway";

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    method: String,
    /// Missing when a service of the previous release signs.
    #[serde(default)]
    digest: Option<Digest>,
    iat: i64,
    caller: Caller,
}

/// What an assertion says about the message: its SHA-256, cut to 128 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// The digest of a whole message.
    pub fn of(message: &[u8]) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, message);
        Self(URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default()))
    }

    /// Of a stream, whose messages are not known when the assertion is made.
    pub fn of_a_stream() -> Self {
        Self(String::new())
    }
}

/// The keys of one service: to sign the calls that it makes and to verify those that it receives. Clones share them.
#[derive(Clone, Default)]
pub struct KeyRing(Arc<Keys>);

#[derive(Default)]
struct Keys {
    me: String,
    to: HashMap<String, hmac::Key>,
    /// Several per caller while a key is replaced.
    from: HashMap<String, Vec<hmac::Key>>,
    clock: Clock,
    /// Whether an assertion was refused because of its time.
    expired: AtomicBool,
}

impl KeyRing {
    /// True when an assertion was refused because of its time since this was asked last: one of two clocks is wrong.
    pub fn clocks_disagree(&self) -> bool {
        self.0.expired.swap(false, Ordering::Relaxed)
    }

    /// Notes that a peer has refused an assertion because of its time.
    pub(crate) fn note_expired(&self) {
        self.0.expired.store(true, Ordering::Relaxed);
    }

    /// Reads `caller>callee=hex,…` and keeps the pairs of which `me` is a part. A pair may stand there twice while its key is
    /// replaced: the first key signs, all of them verify.
    ///
    /// # Errors
    /// A sentence that names the wrong pair, never its key; keys below 256 bits are refused.
    pub fn parse(me: &str, pairs: &Secret, clock: Clock) -> Result<Self, String> {
        let mut ring = Keys { me: me.to_owned(), clock, ..Keys::default() };
        for pair in pairs.expose().split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (names, key) = pair.split_once('=').ok_or("a pair is written caller>callee=hex")?;
            let (from, to) = names.split_once('>').ok_or("a pair is written caller>callee=hex")?;
            let bytes = hex::decode(key).map_err(|_bad| format!("the key of {names} is not hexadecimal"))?;
            if bytes.len() < 32 {
                return Err(format!("the key of {names} is shorter than 256 bits"));
            }
            let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
            if from == me {
                ring.to.entry(to.to_owned()).or_insert(key);
            } else if to == me {
                ring.from.entry(from.to_owned()).or_default().push(key);
            }
        }
        Ok(Self(Arc::new(ring)))
    }

    /// Reads `INTERNAL_KEYS`.
    pub fn from_env(env: &mut crate::env::Env, me: &str, clock: Clock) -> Self {
        let pairs = env.secret(
            "INTERNAL_KEYS",
            DEV_PAIRS,
            64,
            "Keys between services: caller>callee=64 hex digits, comma-separated; give each service its own pairs only",
        );
        Self::parse(me, &pairs, clock).unwrap_or_else(|problem| {
            env.problem(format!("INTERNAL_KEYS: {problem}"));
            Self::default()
        })
    }

    /// Signs a caller for one call to `audience`; `method` is `package.Service/Method`.
    ///
    /// # Errors
    /// `Internal` when there is no key for this pair: such calls are not allowed.
    pub fn sign(&self, audience: &str, method: &str, digest: &Digest, caller: &Caller) -> Result<String, Error> {
        let key = self
            .0
            .to
            .get(audience)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("no key for the pair {}>{audience}", self.0.me)))?;
        let claims = Claims {
            aud: audience.to_owned(),
            method: method.to_owned(),
            digest: Some(digest.clone()),
            iat: self.0.clock.now().timestamp(),
            caller: caller.clone(),
        };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).map_err(Error::internal)?);
        let mac = URL_SAFE_NO_PAD.encode(hmac::sign(key, payload.as_bytes()));
        Ok(format!("{}.{payload}.{mac}", self.0.me))
    }

    /// Verifies an assertion that arrived for `method`.
    ///
    /// # Errors
    /// `Unavailable` with the reason for the operator: a bad assertion is an error of a service, not of the client.
    pub fn verify(&self, assertion: &str, method: &str, digest: &Digest) -> Result<Caller, Error> {
        self.check(assertion, method, digest).map_err(|reason| {
            tracing::error!(
                alarm = "caller_assertion_refused",
                method,
                reason = reason.as_ref(),
                "a call without a valid caller was refused"
            );
            Error::unavailable(anyhow::anyhow!("caller assertion refused: {reason}"))
        })
    }

    fn check(&self, assertion: &str, method: &str, digest: &Digest) -> Result<Caller, Cow<'static, str>> {
        let mut parts = assertion.split('.');
        let (Some(kid), Some(payload), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("malformed".into());
        };
        let keys = self.0.from.get(kid).ok_or("unknown caller")?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_bad| "malformed")?;
        if !keys.iter().any(|key| hmac::verify(key, payload.as_bytes(), &mac).is_ok()) {
            return Err("wrong signature".into());
        }
        let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_bad| "malformed")?;
        let claims: Claims = serde_json::from_slice(&bytes).map_err(|_bad| "malformed")?;
        if claims.aud != self.0.me {
            return Err("wrong audience".into());
        }
        if claims.method != method {
            return Err("wrong method".into());
        }
        // Services of the previous release sign none; it is required from the next release on.
        if claims.digest.as_ref().is_some_and(|signed| signed != digest) {
            return Err("another message".into());
        }
        let apart = self.0.clock.now().timestamp() - claims.iat;
        if apart.abs() > LIFETIME_SECS {
            self.0.expired.store(true, Ordering::Relaxed);
            return Err(format!("{EXPIRED}: the clocks of {kid} and {} are {apart} s apart", self.0.me).into());
        }
        match &claims.caller.actor {
            Actor::System { service } if service == kid => Ok(claims.caller),
            Actor::System { .. } => Err("speaks for another service".into()),
            _ if kid == GATEWAY => Ok(claims.caller),
            _ => Err("only the gateway speaks for users".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::caller::{Role, Session};
    use crate::ids::{SessionId, TenantId, UserId};

    const KEYS: &str = "gateway>auth=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f,payments>auth=100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const METHOD: &str = "songlist.auth.v1.Users/Get";

    fn ring(me: &str, clock: &Clock) -> KeyRing {
        KeyRing::parse(me, &Secret::new(KEYS), clock.clone()).unwrap()
    }

    fn listener() -> Caller {
        let session = Session { id: SessionId::new(), ver: 1, auth_time: Clock::system().now() };
        let actor = Actor::User { id: UserId::new(), tenant: TenantId::new(), role: Role::Listener, session };
        Caller { actor, ..Caller::system("x") }
    }

    #[test]
    fn gr_03_an_assertion_holds_for_its_audience_method_and_time_only() {
        let clock = Clock::movable();
        let (gateway, auth) = (ring("gateway", &clock), ring("auth", &clock));
        let caller = listener();
        let assertion = gateway.sign("auth", METHOD, &Digest::of(b"m"), &caller).unwrap();
        assert_eq!(auth.verify(&assertion, METHOD, &Digest::of(b"m")).unwrap(), caller);
        assert!(auth.verify(&assertion, "songlist.auth.v1.Users/Delete", &Digest::of(b"m")).is_err());
        assert!(ring("payments", &clock).verify(&assertion, METHOD, &Digest::of(b"m")).is_err());
        assert!(gateway.sign("songlist", METHOD, &Digest::of(b"m"), &caller).is_err(), "there is no key for that pair");
        clock.advance(Duration::from_secs(31));
        assert!(auth.verify(&assertion, METHOD, &Digest::of(b"m")).is_err());
    }

    #[test]
    fn sf_22_a_caught_assertion_serves_for_no_other_message() {
        let clock = Clock::system();
        let assertion = ring("gateway", &clock).sign("auth", METHOD, &Digest::of(b"one"), &listener()).unwrap();
        assert!(ring("auth", &clock).verify(&assertion, METHOD, &Digest::of(b"one")).is_ok());
        assert!(ring("auth", &clock).verify(&assertion, METHOD, &Digest::of(b"two")).is_err());
    }

    #[test]
    fn gr_03_only_the_gateway_speaks_for_users_and_a_service_for_itself() {
        let clock = Clock::system();
        let (payments, auth) = (ring("payments", &clock), ring("auth", &clock));
        let forged = payments.sign("auth", METHOD, &Digest::of(b"m"), &listener()).unwrap();
        assert!(auth.verify(&forged, METHOD, &Digest::of(b"m")).is_err());
        let borrowed = payments.sign("auth", METHOD, &Digest::of(b"m"), &Caller::system("gateway")).unwrap();
        assert!(auth.verify(&borrowed, METHOD, &Digest::of(b"m")).is_err());
        let own = payments.sign("auth", METHOD, &Digest::of(b"m"), &Caller::system("payments")).unwrap();
        assert_eq!(auth.verify(&own, METHOD, &Digest::of(b"m")).unwrap().service().unwrap(), "payments");
    }

    #[test]
    fn gr_03_a_changed_assertion_is_refused() {
        let clock = Clock::system();
        let assertion = ring("gateway", &clock).sign("auth", METHOD, &Digest::of(b"m"), &listener()).unwrap();
        for bad in [assertion.replace('.', ""), assertion.replacen("gateway", "payments", 1), format!("{assertion}A")] {
            assert!(ring("auth", &clock).verify(&bad, METHOD, &Digest::of(b"m")).is_err(), "{bad}");
        }
    }

    #[test]
    fn sc_02_a_key_between_services_is_replaced_without_an_outage() {
        let ring = |me: &str, keys: &str| KeyRing::parse(me, &Secret::new(keys), Clock::system()).unwrap();
        let (old, new) = (format!("gateway>auth={}", "0a".repeat(32)), format!("gateway>auth={}", "0b".repeat(32)));
        let callee = ring("auth", &format!("{new},{old}"));
        for caller in [&old, &new, &format!("{new},{old}")] {
            let assertion =
                ring("gateway", caller).sign("auth", METHOD, &Digest::of(b"m"), &Caller::system("gateway")).unwrap();
            assert!(callee.verify(&assertion, METHOD, &Digest::of(b"m")).is_ok());
        }
        let assertion =
            ring("gateway", &old).sign("auth", METHOD, &Digest::of(b"m"), &Caller::system("gateway")).unwrap();
        assert!(ring("auth", &new).verify(&assertion, METHOD, &Digest::of(b"m")).is_err());
    }

    #[test]
    fn sc_01_a_short_key_is_refused() {
        assert!(KeyRing::parse("auth", &Secret::new("gateway>auth=00ff"), Clock::system()).is_err());
    }
}
