//! One-time codes: six digits, stored only as a MAC over the code and everything that it is valid for.

use kit::{Error, Secret};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::store::challenges::{Challenge, OneTimeCode};

/// The keys of the stored codes, the newest first.
pub(crate) struct CodeKeys(Vec<(String, hmac::Key)>);

impl CodeKeys {
    /// Reads `id=hex,…`.
    ///
    /// # Errors
    /// When there is no key, or a key is shorter than 256 bits.
    pub(crate) fn parse(list: &Secret) -> anyhow::Result<Self> {
        let mut keys = Vec::new();
        for part in list.expose().split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, key) =
                part.split_once('=').ok_or_else(|| anyhow::anyhow!("AUTH_CODE_KEYS is written id=hex,…"))?;
            let bytes =
                hex::decode(key).map_err(|_bad| anyhow::anyhow!("AUTH_CODE_KEYS: the key {id} is not hexadecimal"))?;
            anyhow::ensure!(bytes.len() >= 32, "AUTH_CODE_KEYS: the key {id} is shorter than 256 bits");
            keys.push((id.to_owned(), hmac::Key::new(hmac::HMAC_SHA256, &bytes)));
        }
        anyhow::ensure!(!keys.is_empty(), "AUTH_CODE_KEYS is empty");
        Ok(Self(keys))
    }

    /// The MAC of a code under the newest key, with the key's id.
    pub(crate) fn seal(&self, challenge: &Challenge, code: &Secret) -> Result<(String, Vec<u8>), Error> {
        self.seal_text(&message(challenge, code))
    }

    /// The MAC of a text under the newest key, with the key's id.
    pub(crate) fn seal_text(&self, text: &str) -> Result<(String, Vec<u8>), Error> {
        let (id, key) = self.0.first().ok_or_else(|| Error::internal(anyhow::anyhow!("no code key")))?;
        Ok((id.clone(), hmac::sign(key, text.as_bytes()).as_ref().to_vec()))
    }

    /// True when `mac` is that of the text under the key with this id.
    pub(crate) fn is_of_text(&self, text: &str, key_id: &str, mac: &[u8]) -> bool {
        let key = self.0.iter().find(|(id, _)| id == key_id);
        key.is_some_and(|(_, key)| hmac::verify(key, text.as_bytes(), mac).is_ok())
    }

    /// True when `code` is one of the stored codes. Every stored code is compared, in constant time.
    pub(crate) fn matches(&self, challenge: &Challenge, stored: &[OneTimeCode], code: &Secret) -> bool {
        let message = message(challenge, code);
        stored.iter().fold(false, |found, row| found | self.is_of_text(&message, &row.key_id, &row.mac))
    }
}

/// The text under the MAC: the code, with the tenant, user, purpose and challenge that it is valid for.
fn message(challenge: &Challenge, code: &Secret) -> String {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    format!(
        "{}|{}|{}|{}|{}",
        id(challenge.tenant_id),
        id(challenge.user_id.or(challenge.registration_id)),
        challenge.purpose,
        challenge.id,
        code.expose()
    )
}

/// A random code of six digits; all codes are equally likely.
///
/// # Errors
/// `Internal` when the system's random number generator fails.
pub(crate) fn generate() -> Result<Secret, Error> {
    /// The largest multiple of a million in four bytes; larger random values are dropped, because they would favour
    /// small codes.
    const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
    let random = SystemRandom::new();
    loop {
        let mut bytes = [0_u8; 4];
        random.fill(&mut bytes).map_err(|_failed| Error::internal(anyhow::anyhow!("no randomness")))?;
        let value = u32::from_be_bytes(bytes);
        if value < FAIR {
            return Ok(Secret::new(format!("{:06}", value % 1_000_000)));
        }
    }
}

/// A challenge id that cannot be guessed: 128 random bits.
///
/// # Errors
/// `Internal` when the system's random number generator fails.
pub(crate) fn handle() -> Result<Uuid, Error> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_failed| Error::internal(anyhow::anyhow!("no randomness")))?;
    Ok(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ot_01_codes_are_uniform_six_digit_texts() {
        let mut counts = [0_u32; 10];
        let samples = 1_000_000_u32;
        for _ in 0..samples {
            let code = generate().unwrap();
            assert_eq!(code.expose().len(), 6);
            counts[usize::from(code.expose().as_bytes()[0] - b'0')] += 1;
        }
        let expected = f64::from(samples) / 10.0;
        let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // With 9 degrees of freedom the value is above 33.7 once in ten thousand runs.
        assert!(chi_square < 33.7, "chi-square {chi_square}, counts {counts:?}");
    }
}
