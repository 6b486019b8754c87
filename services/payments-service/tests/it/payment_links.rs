//! Payment links for premium: a tenant has one open link, however often it is requested.

use kit::ids::TenantId;
use testkit::caller::{admin, repeatable};

use crate::service::Payments;

#[tokio::test]
async fn a_repeated_request_for_a_payment_link_gets_its_first_answer() {
    let (payments, boss) = (Payments::start().await, admin(TenantId::new()));
    let (first, first_replayed) = payments.create_link(&repeatable(&boss, "one")).await;
    let (again, again_replayed) = payments.create_link(&repeatable(&boss, "one")).await;
    assert_eq!(first, again);
    assert_eq!((first_replayed, again_replayed), (false, true));
    let (other, _) = payments.create_link(&repeatable(&boss, "two")).await;
    assert_eq!((first.created, other.created), (true, false), "one open link per tenant");
    assert_eq!(first.payment, other.payment);
}

#[tokio::test]
async fn case_44_requests_at_the_same_moment_get_the_same_link() {
    let (payments, boss) = (Payments::start().await, admin(TenantId::new()));
    let (one, two, three) =
        tokio::join!(payments.create_link(&boss), payments.create_link(&boss), payments.create_link(&boss));
    let link = |answer: &proto::payments::CreateLinkResponse| answer.payment.clone().unwrap().razorpay_payment_link_id;
    assert!(!link(&one.0).is_empty());
    assert_eq!((link(&one.0), link(&one.0)), (link(&two.0), link(&three.0)));
}

#[tokio::test]
async fn mf_02_of_fifty_requests_at_once_one_makes_the_link_and_all_get_it() {
    let (payments, boss) = (Payments::start().await, admin(TenantId::new()));
    let all = (0..50).map(|_| payments.create_link(&boss));
    let answers = futures_util::future::join_all(all).await;
    let made = answers.iter().filter(|(answer, _)| answer.created).count();
    assert_eq!(made, 1);
    let first = answers[0].0.payment.clone().unwrap().razorpay_payment_link_id;
    assert!(answers.iter().all(|(answer, _)| answer.payment.clone().unwrap().razorpay_payment_link_id == first));
}
