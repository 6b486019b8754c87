//! The signatures that Razorpay's clients publish in their tests (P, W), and others over invented data (D, C); a name that ends with
//! `n` is of a body that must not verify with the signature of the other.

use super::*;

/// The body of a test of PyPI's razorpay 2.0.1 (`tests/mocks/fake_payment_authorized_webhook.json`, MIT), with its final line feed.
const F: &str = include_str!("payment_authorized.json");
const D1: &str = r#"{"account_id":"acc_SimMerchant001","contains":["payment_link","order","payment"],"created_at":1760000000,"entity":"event","event":"payment_link.paid","payload":{"order":{"entity":{"amount":49900,"amount_due":0,"amount_paid":49900,"id":"order_SimOrder000001","receipt":"t1-sub-000001","status":"paid"}},"payment":{"entity":{"amount":49900,"captured":true,"currency":"INR","fee":1178,"id":"pay_SimPay00000001","order_id":"order_SimOrder000001","status":"captured","tax":180}},"payment_link":{"entity":{"amount":49900,"amount_paid":49900,"currency":"INR","id":"plink_SimLink0000001","reference_id":"t1-sub-000001","status":"paid"}}}}"#;
const W1: &str = r#"{"a":1,"b":2,"c":{"d":3}}"#;
const CURRENT: &str = "whsec_sim_current_01";
const KEY: &str = "EnLs21M47BllR3X8PSFtjtbd";

fn good(secret: &str, body: &str, signature: &str) -> bool {
    verify(&Secret::new(secret), body.as_bytes(), signature)
}

/// Secret, message, and the signature of both.
fn signed() -> Vec<(&'static str, String, &'static str)> {
    let d1 = D1.to_owned();
    let own = |body: &str, signature| (CURRENT, body.to_owned(), signature);
    let two = |secret, body: &str, signature| (secret, body.to_owned(), signature);
    vec![
        // Orders and subscriptions, signed in the same way.
        two(
            KEY,
            "order_IEIaMR65cu6nz3|pay_IH4NVgf4Dreq1l",
            "0d4e745a1838664ad6c9c9902212a32d627d68e917290b0ad5f08ff4561bc50f",
        ),
        two(
            KEY,
            "pay_IDZNwZZFtnjyym|sub_ID6MOhgkcoHj9I",
            "601f383334975c714c91a7d97dd723eb56520318355863dcf3821c0d07a17693",
        ),
        two(
            "key_secret",
            "fake_order_id|fake_payment_id",
            "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89",
        ),
        two(
            "key_secret",
            "fake_other_id|fake_payment_id",
            "965ee2de4c5c4e6f006fb0a5a1736d992e5d4d52f9fe10b98c9b97ee169ebe18",
        ),
        two(
            "key_secret",
            "fake_payment_id|fake_other_id",
            "3dabcab8ca113e7994cf78c80f8d50974ddfb2d380029743f30a6d67934cd845",
        ),
        // Webhooks.
        two("123456", W1, "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"),
        two(
            "123456",
            r#"{"a": 1, "b": 2, "c": {"d": 3}}"#,
            "57f94903947dc007141c0817e7b2cd5ee0e17f17b966eed8a0cc85a3c0b888d5",
        ),
        two(
            "chosen_webhook_secret",
            "order_123456789|pay_1234567890",
            "0c24222f628d6c36a0bd4604537228b9bae972d3986dc89172c60abafbd3c232",
        ),
        two("key_secret", F, "d60e67fd884556c045e9be7dad57903e33efc7172c17c6e3ef77db42d2b366e9"),
        two("chosen_webhook_secret", F, "dda9ca344c56ccbd90167b1be0fd99dfa92fe2b827020f27e2a46024e31c7c99"),
        two("key_secret", F.trim_end(), "0971cde1d9216765d9aa72c766aef4a913fedfd2d36cc05cbca5de1ef90c12e4"),
        two("chosen_webhook_secret", F.trim_end(), "e5846d2087aa4e7397ec94d2b0ff1e930f06cbb514d8c78110ffda51b218ce47"),
        two("123456", "", "b946ccc987465afcda7e45b1715219711a13518d1f1663b8c53b848cb0143441"),
        own(D1, "88700f76873ea1c1a7a3209b23244ea2234cef58a38a09819eea6f0c87fef310"),
        two("whsec_sim_previous_00", D1, "9a2de65a1def44dbdf9813b39ffd74b5901f1f1b66e70cf44c619c579cbd25b4"),
        own(&format!("{d1}\n"), "091650372ba5876b88bb5b4c5c6220c9fe24cd413d848899de0d4ff87650cfbe"),
        own(&spaced(D1), "ee6820b8ad4cd8955688fd130bb97a76476f4a62cf88e8e16b2c6ae8faa54449"),
        own(r#"{"name":"₹499 रमेश"}"#, "0c5628d292c353c26a3384064ba8b309083d242557221899aadb0b3e1b064450"),
        own(
            r#"{"name":"\u20b9499 \u0930\u092e\u0947\u0936"}"#,
            "445f7c140d4ff7c18ee864d5efb5b54ccf4d1a589261937f179e2b66543a0e9a",
        ),
        own(r#"{"u":"https:\/\/a.b\/"}"#, "67a582546904a974505ea5e270c144f74aff3c0bea50fc344c1c2193e11eddf7"),
        own(r#"{"u":"https://a.b/"}"#, "6238284ac9778f61373fd660648b7c911a4537d9ec267f57479cfe0524f5a628"),
        own("", "216f6feee6124a5778b85c111a990c1b19a09e4066d2762ae3e6a71f1ca71973"),
        own(
            &d1.replacen(r#""amount_paid":49900,"currency""#, r#""amount_paid":1,"currency""#, 1),
            "85faae1da7770218da5e610bec6af4425044dbce9f839fc98aa2a5b65a483970",
        ),
    ]
}

/// The same JSON as Python writes it.
fn spaced(body: &str) -> String {
    let (mut text, mut quoted) = (String::new(), false);
    for letter in body.chars() {
        quoted ^= letter == '"';
        text.push(letter);
        if !quoted && matches!(letter, ',' | ':') {
            text.push(' ');
        }
    }
    text
}

#[test]
fn case_01_and_case_04_the_raw_bytes_are_what_is_signed() {
    let signed = signed();
    assert_eq!(signed.len(), 23);
    for (place, (secret, body, signature)) in signed.iter().enumerate() {
        assert!(good(secret, body, signature), "{place}: {body}");
        for (other, (other_secret, other_body, another)) in signed.iter().enumerate() {
            let same = (secret, body) == (other_secret, other_body);
            assert!(same || !good(secret, body, another), "{place} with the signature of {other}");
        }
        let mut changed = body.clone().into_bytes();
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
            assert!(!verify(&Secret::new(*secret), &changed, signature), "{place} with another byte");
        }
    }
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
    let p = |reference: &str, status: &str, signature: &str| {
        callback("plink_IH3cNucfVEgV68", reference, status, "pay_IH3d0ara9bSsjQ", signature).verify(&Secret::new(KEY))
    };
    assert!(p("TSsd1989", "paid", "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b"));
    assert!(p("TSsd1989", "partially_paid", "49a67ad27c645486e56c26996fbad894d947a6877731cc05e7acdb8cc85c328e"));
    assert!(p("", "paid", "aa1218e69086ecc956cd54c8b29af6508c3effd0edacdaa0bfe4f9aa4ebf21c5"));
    let first = "0ca75d7bb263a88255a63ac24b2d9f755934292742de807d306f2d355f730d7d";
    assert!(!p("TSsd1989", "paid", first), "signed with the id of the payment first");
    let secret = Secret::new("sim_key_secret_0001");
    let c1 = "7b53c55505992a7c60ca0126b66fc26ffb732826c6020b5e67b4d57c483a089a";
    let fields = |reference: &str, status: &str, signature: &str| {
        callback("plink_SimLink0000001", reference, status, "pay_SimPay00000001", signature)
    };
    let of_link = |status: &str, signature: &str| fields("t1-sub-000001", status, signature);
    assert!(of_link("paid", c1).verify(&secret));
    let partial = "eefbe38667ea8c4d235ab9bbe6f4730ed4e2f22b49a8b6bea4e8900fcb8135c3";
    assert!(of_link("partially_paid", partial).verify(&secret));
    let empty = "34ebce9f7993b636c6f7208dfd2807c2ca9d5a8409cd6f81e28c8e01f4d468fc";
    assert!(fields("", "paid", empty).verify(&secret));
    assert!(!of_link("partially_paid", c1).verify(&secret), "an edited status");
    assert!(!of_link("paid", c1).verify(&Secret::new(CURRENT)), "the webhook secret");
    assert!(!of_link("paid", "c942ec7088287ab72b9db808adbbb7f4fb6f3bb06817cfec83327fc36dbc6ef0").verify(&secret));
}

/// The ids of this published signature are not shaped as Razorpay's are, so only the signature itself is checked.
#[test]
fn the_signature_that_the_client_for_ruby_publishes_verifies() {
    let message = "fake_razorpay_payment_link_id|fake_reference_id|paid|pay_IH3d0ara9bSsjQ";
    assert!(good("key_secret", message, "b8a6acda585c9b74e9da393c7354c7e685e37e69d30ae654730f042e674e0283"));
}

#[test]
fn case_41_a_pipe_inside_a_part_is_refused() {
    let secret = Secret::new("sim_key_secret_0001");
    let c1 = "7b53c55505992a7c60ca0126b66fc26ffb732826c6020b5e67b4d57c483a089a";
    assert!(!callback("plink_SimLink0000001", "t1-sub-000001|paid", "", "pay_SimPay00000001", c1).verify(&secret));
}
