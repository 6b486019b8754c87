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
mod tests {
    use super::*;

    const D1: &str = r#"{"account_id":"acc_SimMerchant001","contains":["payment_link","order","payment"],"created_at":1760000000,"entity":"event","event":"payment_link.paid","payload":{"order":{"entity":{"amount":49900,"amount_due":0,"amount_paid":49900,"id":"order_SimOrder000001","receipt":"t1-sub-000001","status":"paid"}},"payment":{"entity":{"amount":49900,"captured":true,"currency":"INR","fee":1178,"id":"pay_SimPay00000001","order_id":"order_SimOrder000001","status":"captured","tax":180}},"payment_link":{"entity":{"amount":49900,"amount_paid":49900,"currency":"INR","id":"plink_SimLink0000001","reference_id":"t1-sub-000001","status":"paid"}}}}"#;
    const CURRENT: &str = "whsec_sim_current_01";

    fn good(secret: &str, body: &str, signature: &str) -> bool {
        verify(&Secret::new(secret), body.as_bytes(), signature)
    }

    #[test]
    fn case_01_and_case_04_the_raw_bytes_are_what_is_signed() {
        let signature = "88700f76873ea1c1a7a3209b23244ea2234cef58a38a09819eea6f0c87fef310";
        assert!(good(CURRENT, D1, signature));
        assert!(good("whsec_sim_previous_00", D1, "9a2de65a1def44dbdf9813b39ffd74b5901f1f1b66e70cf44c619c579cbd25b4"));
        assert!(good(CURRENT, &format!("{D1}\n"), "091650372ba5876b88bb5b4c5c6220c9fe24cd413d848899de0d4ff87650cfbe"));
        assert!(!good(CURRENT, &format!("{D1}\n"), signature));
        assert!(good(
            CURRENT,
            r#"{"u":"https://a.b/"}"#,
            "6238284ac9778f61373fd660648b7c911a4537d9ec267f57479cfe0524f5a628"
        ));
        assert!(!good(
            CURRENT,
            r#"{"u":"https:\/\/a.b\/"}"#,
            "6238284ac9778f61373fd660648b7c911a4537d9ec267f57479cfe0524f5a628"
        ));
        assert!(good(
            CURRENT,
            r#"{"name":"₹499 रमेश"}"#,
            "0c5628d292c353c26a3384064ba8b309083d242557221899aadb0b3e1b064450"
        ));
        assert!(good(
            "123456",
            r#"{"a":1,"b":2,"c":{"d":3}}"#,
            "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"
        ));
    }

    #[test]
    fn case_02_a_malformed_signature_is_refused() {
        let right = "88700f76873ea1c1a7a3209b23244ea2234cef58a38a09819eea6f0c87fef310";
        let short: String = right.chars().skip(1).collect();
        for bad in ["", &short, &format!("{right}0"), &right.to_uppercase(), &right.replace('8', "g")] {
            assert!(!good(CURRENT, D1, bad), "{bad}");
        }
    }

    fn callback(link: &str, reference: &str, status: &str, payment: &str, signature: &str) -> CallbackFields {
        CallbackFields {
            payment_id: payment.into(),
            payment_link_id: link.into(),
            reference_id: reference.into(),
            status: status.into(),
            signature: signature.into(),
        }
    }

    #[test]
    fn case_03_and_case_37_callbacks_are_signed_with_the_key_secret_over_fixed_fields() {
        let secret = Secret::new("sim_key_secret_0001");
        let c1 = "7b53c55505992a7c60ca0126b66fc26ffb732826c6020b5e67b4d57c483a089a";
        let fields = |status: &str, signature: &str| {
            callback("plink_SimLink0000001", "t1-sub-000001", status, "pay_SimPay00000001", signature)
        };
        assert!(fields("paid", c1).verify(&secret));
        assert!(!fields("partially_paid", c1).verify(&secret), "an edited status");
        assert!(!fields("paid", c1).verify(&Secret::new(CURRENT)), "the webhook secret");
        assert!(!fields("paid", "c942ec7088287ab72b9db808adbbb7f4fb6f3bb06817cfec83327fc36dbc6ef0").verify(&secret));
        let empty = "34ebce9f7993b636c6f7208dfd2807c2ca9d5a8409cd6f81e28c8e01f4d468fc";
        assert!(callback("plink_SimLink0000001", "", "paid", "pay_SimPay00000001", empty).verify(&secret));
    }

    #[test]
    fn case_41_a_pipe_inside_a_part_is_refused() {
        let secret = Secret::new("sim_key_secret_0001");
        let c1 = "7b53c55505992a7c60ca0126b66fc26ffb732826c6020b5e67b4d57c483a089a";
        assert!(!callback("plink_SimLink0000001", "t1-sub-000001|paid", "", "pay_SimPay00000001", c1).verify(&secret));
    }
}
