use kit::Secret;
use ring::hmac;

/// Verifies an HMAC-SHA256 in constant time. It must be lower-case hex, as Razorpay sends it.
pub(crate) fn verify(secret: &Secret, message: &[u8], signature: &str) -> bool {
    let lower = signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    lower && hex::decode(signature).is_ok_and(|mac| hmac::verify(&key, message, &mac).is_ok())
}

/// The fields with which a browser returns from the hosted page.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallbackFields {
    pub payment_id: String,
    pub payment_link_id: String,
    pub reference_id: String,
    pub status: String,
    pub signature: String,
}

impl CallbackFields {
    /// True when Razorpay has signed these fields with the key secret. The form of each field is checked too, because a
    /// `|` in one of them would make the signed message ambiguous.
    pub(crate) fn verify(&self, key_secret: &Secret) -> bool {
        let id = |text: &str, prefix: &str| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
        };
        let shaped = id(&self.payment_link_id, "plink_")
            && id(&self.payment_id, "pay_")
            && !self.reference_id.contains('|')
            && matches!(self.status.as_str(), "paid" | "partially_paid");
        let message = format!("{}|{}|{}|{}", self.payment_link_id, self.reference_id, self.status, self.payment_id);
        shaped && verify(key_secret, message.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod vectors;
