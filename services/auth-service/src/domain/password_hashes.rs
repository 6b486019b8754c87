//! Stored password hashes that are verified: Argon2id, as this service makes them, and the PBKDF2 ones that Django made.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kit::{Error, Secret};
use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};
use std::num::NonZeroU32;

/// Memory in KiB, passes and lanes of Argon2id, as OWASP recommends.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// The most of each that a stored hash may ask for: it decides what verifying costs. Django makes (102,400, 2, 8).
const MAX_COST: (u32, u32, u32) = (102_400, 10, 8);
/// The most rounds of PBKDF2; Django 6.0 makes 1,200,000.
const MAX_ROUNDS: u32 = 2_000_000;

/// A hash of a random password that nobody knows, with the same cost. It is verified for unknown accounts, so that
/// these take the same time.
pub(super) const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ySDe5zMqulPpMtcUeGCwkw$CQHt/K1JdvLMhaOrXDAOFPHrQTMqk+z9buB9Zs7BwI0";

/// The memory of one thread. Asking the system for 19 MiB per hash stalls other threads more than hashing does.
pub(super) type Memory = Vec<Block>;

/// A stored hash whose cost can be borne.
pub(super) enum StoredHash {
    Argon2id {
        params: Params,
        salt: Salt,
        expected: Output,
    },
    /// `pbkdf2_sha256$<rounds>$<salt>$<base64>`; the salt is used as its text.
    Pbkdf2 {
        rounds: NonZeroU32,
        salt: String,
        expected: Vec<u8>,
    },
}

impl StoredHash {
    /// `None` for hashes of other kinds, unusable ones (`!…`) and those that would cost too much.
    pub(super) fn parse(hash: &str) -> Option<Self> {
        match hash.strip_prefix("pbkdf2_sha256$") {
            Some(rest) => Self::of_django(rest),
            None => Self::of_phc(hash),
        }
    }

    fn of_django(rest: &str) -> Option<Self> {
        let mut parts = rest.splitn(3, '$');
        let rounds = parts.next()?.parse().ok().and_then(NonZeroU32::new).filter(|n| n.get() <= MAX_ROUNDS)?;
        let salt = parts.next()?.to_owned();
        let expected = STANDARD.decode(parts.next()?).ok().filter(|hash| hash.len() == 32)?;
        Some(Self::Pbkdf2 { rounds, salt, expected })
    }

    fn of_phc(hash: &str) -> Option<Self> {
        // Django writes `argon2$argon2id$…`.
        let phc = hash.strip_prefix("argon2").filter(|rest| rest.starts_with('$')).unwrap_or(hash);
        let parsed = PasswordHash::new(phc).ok().filter(|parsed| parsed.algorithm == ARGON2ID_IDENT)?;
        let version = parsed.version.and_then(|version| Version::try_from(version).ok())?;
        let params = Params::try_from(&parsed).ok()?;
        let bearable = params.m_cost() <= MAX_COST.0 && params.t_cost() <= MAX_COST.1 && params.p_cost() <= MAX_COST.2;
        (version == Version::V0x13 && bearable).then_some(Self::Argon2id {
            params,
            salt: parsed.salt?,
            expected: parsed.hash?,
        })
    }

    /// True for a hash as new passwords have.
    pub(super) fn is_current(&self) -> bool {
        match self {
            Self::Argon2id { params, .. } => (params.m_cost(), params.t_cost(), params.p_cost()) == COST,
            Self::Pbkdf2 { .. } => false,
        }
    }

    /// True when it is the hash of the password.
    pub(super) fn verify(self, memory: &mut Memory, password: &Secret) -> Result<bool, Error> {
        match self {
            Self::Argon2id { params, salt, expected } => {
                Ok(compute(memory, params, password, &salt, expected.len())? == expected)
            }
            Self::Pbkdf2 { rounds, salt, expected } => Ok(pbkdf2::verify(
                pbkdf2::PBKDF2_HMAC_SHA256,
                rounds,
                salt.as_bytes(),
                password.expose().as_bytes(),
                &expected,
            )
            .is_ok()),
        }
    }
}

/// True for a hash as new passwords have; another one is replaced when its user signs in.
pub(crate) fn is_current(hash: &str) -> bool {
    !hash.starts_with("argon2$") && StoredHash::parse(hash).is_some_and(|stored| stored.is_current())
}

/// The PHC string of a password.
pub(super) fn make(memory: &mut Memory, password: &Secret) -> Result<String, Error> {
    let mut salt = [0_u8; 16];
    SystemRandom::new().fill(&mut salt).map_err(failed)?;
    let (memory_cost, passes, lanes) = COST;
    let params = Params::new(memory_cost, passes, lanes, None).map_err(failed)?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(failed)?,
        hash: Some(compute(memory, params, password, &salt, Params::DEFAULT_OUTPUT_LEN)?),
        salt: Some(Salt::new(&salt).map_err(failed)?),
    };
    Ok(hash.to_string())
}

fn compute(
    memory: &mut Memory,
    params: Params,
    password: &Secret,
    salt: &[u8],
    length: usize,
) -> Result<Output, Error> {
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = vec![0_u8; length];
    argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut out, memory).map_err(failed)?;
    Output::new(&out).map_err(failed)
}

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(anyhow::anyhow!("password hashing: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django's `make_password("correct horse battery", salt)`; see `tests/django_hashes.py` for the versions.
    const DJANGO: [&str; 3] = [
        "pbkdf2_sha256$1000000$kq3mZ8yXw1bTn5Rd$HiSg1tQhki4cEM/iqU1KWw/Jwvn9oqyAjyA6YpmiOBs=",
        "pbkdf2_sha256$1200000$Zt6uPq0sLd9vHc2x$war0X7TXcT3CV/l/wCpRbhwfVRkkNl1EhJtR5F/l6js=",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$aTU4VUFmUjE3aWN4SWR4dnl2ODA2ZQ$0mqNS9qGH9FLa7vxHL2snoJ3YNDr99IndBodjxz05QQ",
    ];

    fn is_of(hash: &str, password: &str) -> bool {
        StoredHash::parse(hash).unwrap().verify(&mut Memory::new(), &Secret::new(password)).unwrap()
    }

    #[test]
    fn pw_10_hashes_made_by_django_verify() {
        for hash in DJANGO {
            assert!(is_of(hash, "correct horse battery") && !is_of(hash, "correct horse batterz"), "{hash}");
            assert!(!is_current(hash), "it is replaced at the next sign-in");
        }
    }

    #[test]
    fn sf_33_and_pw_13_a_stored_hash_that_costs_too_much_or_is_no_hash_is_not_computed() {
        assert!(StoredHash::parse(DECOY).is_some());
        assert!(StoredHash::parse(&DECOY.replace("m=19456", "m=2097152")).is_none());
        assert!(StoredHash::parse(&DECOY.replace("t=2", "t=1000")).is_none());
        for bad in [
            "!",
            "",
            "md5$x$y",
            "pbkdf2_sha256$4000000000$salt$AAAA",
            "pbkdf2_sha256$0$salt$AAAA",
            "pbkdf2_sha256$1000$salt$not base64",
            "pbkdf2_sha256$1000",
        ] {
            assert!(StoredHash::parse(bad).is_none(), "{bad}");
        }
    }
}
