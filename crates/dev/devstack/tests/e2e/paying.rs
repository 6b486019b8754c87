//! An ADMIN pays for premium.

use devstack::World;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_repeated_request_for_a_payment_link_gets_its_first_answer() {
    let world = World::start().await;
    let tenant = world.tenant("Alpha").await;
    let admin = world.admin(&tenant).await;
    let ask = |key: &'static str| {
        let request = admin.client.request(Method::POST, "/payments/create-payment-link/");
        admin.client.send(request.header("idempotency-key", key).json(&json!({})))
    };
    let (first, again, other) = (ask("one").await.unwrap(), ask("one").await.unwrap(), ask("two").await.unwrap());
    assert_eq!((first.status, again.status, other.status), (201, 201, 200), "{}", other.text);
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers.get("idempotency-replayed").unwrap(), "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(first.at("/data/payment_link_id"), other.at("/data/payment_link_id"), "one open link per tenant");
    world.stop().await;
}

#[tokio::test]
async fn mf_06_a_payer_sees_whom_is_paid_on_the_hosted_page_and_when_coming_back() {
    let world = World::start().await;
    let tenant = world.tenant("Blue <b>Frog").await;
    let admin = world.admin(&tenant).await;
    let link = admin.client.post("/payments/create-payment-link/", json!({})).await.unwrap().expect(201).unwrap();
    let page = link.text_at("/data/payment_link_url").unwrap();
    let shown = admin.client.get(&page).await.unwrap();
    for text in ["Blue &lt;b&gt;Frog", "INR 999.00", "sl-", "Pay INR"] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let pay = browser.post(format!("{page}/pay")).form(&[("outcome", "success")]);
    let url = pay.send().await.unwrap().headers().get("location").unwrap().to_str().unwrap().to_owned();
    let path = format!("/payments/{}", url.split("/payments/").nth(1).unwrap());
    testkit::eventually("the page says that premium is active", || async {
        let page = world.client().get(&path).await.unwrap().expect(200).unwrap();
        let named = ["Blue &lt;b&gt;Frog", "INR 999.00", "sl-"].iter().all(|text| page.text.contains(text));
        (named && page.text.contains("Premium is active")).then_some(())
    })
    .await;
    // Somebody who has the address but not the signature learns nothing.
    let forged = format!("{}{}", path.split("razorpay_signature=").next().unwrap(), "razorpay_signature=00");
    let page = world.client().get(&forged).await.unwrap().expect(200).unwrap();
    assert!(
        page.text.contains("Thank you") && !page.text.contains("Frog") && !page.text.contains("sl-"),
        "{}",
        page.text
    );
    world.stop().await;
}

#[tokio::test]
async fn a_receipt_is_mailed_to_whoever_asked_for_the_link() {
    let world = World::start().await;
    let tenant = world.tenant("Alpha").await;
    let admin = world.admin(&tenant).await;
    devstack::world::pay(&admin).await;
    let search = format!("{}/api/v1/search?query=to:{}", world.stack.mailbox_url, tenant.slug);
    testkit::eventually("the receipt arrives", || async {
        let mails = world.client().get(&search).await.unwrap().text;
        (mails.contains("Your receipt - Alpha") && mails.contains("INR 999.00")).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_super_admin_sees_the_payments_of_all_tenants_and_refunds_one() {
    let world = World::start().await;
    let (alpha, beta) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let root = &world.root.client;
    let all = root.get("/payments/super-admin/payments/?status=ACTIVATED").await.unwrap().expect(200).unwrap();
    assert_eq!(all.at("/count"), &json!(2));
    let own = format!("/payments/super-admin/payments/?tenant_id={}", alpha.tenant.id);
    let own = root.get(&own).await.unwrap().expect(200).unwrap();
    assert_eq!((own.at("/count"), own.at("/data/0/tenant_name")), (&json!(1), &json!("Alpha")));
    let due = root.get("/payments/super-admin/payments/?refund_due=true").await.unwrap().expect(200).unwrap();
    assert_eq!(due.at("/count"), &json!(0));
    let refunded = root.post(&format!("/payments/{}/refund/", alpha.payment), json!({})).await.unwrap();
    refunded.expect(200).unwrap();
    testkit::eventually("premium has ended", || async {
        let found = alpha.admin.client.get("/payments/subscription/").await.unwrap();
        (found.at("/data/is_premium") == &json!(false)).then_some(())
    })
    .await;
    let premium = root.get("/payments/super-admin/subscriptions/?is_premium=true").await.unwrap().expect(200).unwrap();
    assert_eq!((premium.at("/count"), premium.at("/data/0/tenant_id")), (&json!(1), &json!(beta.tenant.id)));
    // The gate of songlist-service closes with the same event.
    testkit::eventually("no song can be added any more", || async {
        let new = json!({ "title": "Late", "artist": "Too", "genre": alpha.genre });
        let refused = alpha.admin.client.post("/songs/", new).await.unwrap();
        (refused.at("/code") == &json!("premium_required")).then_some(())
    })
    .await;
    let again = root.post(&format!("/payments/{}/refund/", alpha.payment), json!({})).await.unwrap();
    assert_eq!((again.status, again.at("/code")), (409, &json!("payment_not_refundable")));
    world.stop().await;
}
