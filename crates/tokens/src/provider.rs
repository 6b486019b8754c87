use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use signature::{Error, Signer, Verifier};

/// EdDSA with ring; every other algorithm is refused before a key is read.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs the signature algorithm for this process and tests it. Without it jsonwebtoken would panic, and only at the
/// first token.
///
/// # Errors
/// When a signature made here does not verify.
pub fn install() -> kit::Result<()> {
    // The error of a second call can be ignored: the first call has installed the same provider.
    let _ = PROVIDER.install_default();
    let key = crate::SigningKey::generate("self-test".to_owned())?;
    let outcome = jsonwebtoken::crypto::sign(b"self-test", &EncodingKey::from_ed_der(key.pkcs8()), Algorithm::EdDSA)
        .and_then(|signature| {
            let public = DecodingKey::from_ed_der(&key.public().x);
            jsonwebtoken::crypto::verify(&signature, b"self-test", &public, Algorithm::EdDSA)
        });
    match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(kit::Error::internal(anyhow::anyhow!("the signature self-test failed"))),
        Err(error) => Err(kit::Error::internal(error)),
    }
}

struct EdSigner(Ed25519KeyPair);

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes()).map_err(|_bad| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(EdSigner(pair)))
}

impl Signer<Vec<u8>> for EdSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for EdSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct EdVerifier(Vec<u8>);

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(EdVerifier(key.try_get_as_bytes()?.to_vec())))
}

impl Verifier<Vec<u8>> for EdVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_wrong| Error::new())
    }
}

impl JwtVerifier for EdVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
