use ring::hmac;

/// Lower-case hex of HMAC-SHA256, as Razorpay signs webhooks and callbacks.
pub(super) fn sign(secret: &str, message: &[u8]) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message))
}
