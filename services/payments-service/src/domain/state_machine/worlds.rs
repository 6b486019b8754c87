//! Every order of every set of facts, each any number of times. What is known only grows, so it is enough to look at one step from
//! every state that a set of facts can have led to: a fact that is in the set (a duplicate, or the repetition after a crash that
//! followed the commit) must change nothing, and any other must lead to the state of the larger set. A crash before the commit
//! leaves the state as it was, and the fact comes again.

use std::collections::{BTreeMap, VecDeque};

use super::facts::*;
use super::state::{Asked, PaymentState};
use super::*;

const PRICE: i64 = 49_900;

/// Whether the tenant may get premium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tenant {
    Free,
    /// Premium by another payment. For one that was deleted only the reason differs.
    Taken,
}

fn asked(reference: &str) -> Asked {
    Asked { reference: reference.to_owned(), amount: PRICE, currency: "INR".to_owned() }
}

fn link(rank: LinkRank) -> Fact {
    Fact::Link(LinkFact {
        id: "plink_1".to_owned(),
        url: "https://rzp.io/1".to_owned(),
        order: Some("order_1".to_owned()),
        reference: "sl-1".to_owned(),
        amount: PRICE,
        amount_paid: if rank == LinkRank::Paid { PRICE } else { 0 },
        currency: "INR".to_owned(),
        expires_at: None,
        rank,
    })
}

fn payment(id: &str, rank: PaymentRank, amount: i64) -> Fact {
    let captured = rank == PaymentRank::Captured;
    let (fee, tax) = if captured { (Some(1_178), Some(180)) } else { (None, None) };
    Fact::Payment(PaymentFact { id: id.to_owned(), rank, amount, currency: "INR".to_owned(), fee, tax })
}

fn refund(of: &str, rank: RefundRank) -> Fact {
    let (id, payment) = (format!("rfnd_{of}"), of.to_owned());
    Fact::Refund(RefundFact { id, payment, receipt: None, amount: PRICE, rank })
}

fn dispute(rank: DisputeRank) -> Fact {
    Fact::Dispute(DisputeFact { id: "disp_1".to_owned(), payment: "pay_A".to_owned(), amount: PRICE, rank })
}

/// The facts of one link: two payments of the price, one of another amount, refunds and a dispute.
fn alphabet() -> Vec<(&'static str, Fact)> {
    vec![
        ("link created", link(LinkRank::Created)),
        ("link expired", link(LinkRank::Expired)),
        ("link paid", link(LinkRank::Paid)),
        ("given up", Fact::Closed { why: Closed::NeverAppeared }),
        ("reported", Fact::Reported),
        ("A failed", payment("pay_A", PaymentRank::Failed, PRICE)),
        ("A captured", payment("pay_A", PaymentRank::Captured, PRICE)),
        ("B captured", payment("pay_B", PaymentRank::Captured, PRICE)),
        ("C captured", payment("pay_C", PaymentRank::Captured, 100)),
        ("A refund pending", refund("pay_A", RefundRank::Pending)),
        ("A refund failed", refund("pay_A", RefundRank::Failed)),
        ("A refund processed", refund("pay_A", RefundRank::Processed)),
        ("replaced", Fact::Closed { why: Closed::Superseded }),
        ("A dispute lost", dispute(DisputeRank::Lost)),
    ]
}

/// What a set of facts implies, said in other words than the state machine does.
fn expected(has: &dyn Fn(&str) -> bool, tenant: Tenant) -> (Status, i64) {
    let link = has("link created") || has("link expired") || has("link paid");
    let a_gone = has("A refund processed") || has("A dispute lost");
    let (a, b, c) = (has("A captured"), has("B captured"), has("C captured"));
    let bought = (a && !a_gone) || b;
    let due = |keeps: bool| {
        let price = i64::from(a && !a_gone) + i64::from(b) - i64::from(keeps);
        if link { price * PRICE + i64::from(c) * 100 } else { 0 }
    };
    if a && !bought {
        return (Status::Refunded, due(false));
    }
    if bought && link {
        let free = tenant == Tenant::Free;
        return (if free { Status::Activated } else { Status::Verified }, due(free));
    }
    let status = match () {
        () if a || b || c || has("link paid") || has("reported") => Status::Paid,
        () if has("link expired") || has("replaced") => Status::Failed,
        () if link => Status::Pending,
        () if has("given up") => Status::Failed,
        () => Status::Created,
    };
    (status, due(false))
}

/// One fact, and the store's answers to what it caused, as `recording` gives them in one transaction.
fn step(before: &PaymentState, fact: &Fact, tenant: Tenant) -> (PaymentState, Vec<Effect>) {
    let (mut state, mut all, mut facts) = (before.clone(), Vec::new(), VecDeque::from([fact.clone()]));
    while let Some(fact) = facts.pop_front() {
        let (next, effects) = apply(&state, &fact);
        state = next;
        for effect in &effects {
            match effect {
                Effect::Grant => facts.push_back(match tenant {
                    Tenant::Free => Fact::Granted,
                    Tenant::Taken => Fact::Withheld { why: Withheld::AlreadyPremium },
                }),
                Effect::End => facts.push_back(Fact::Ended),
                _ => {}
            }
        }
        all.extend(effects);
    }
    (state, all)
}

fn check_step(before: &PaymentState, after: &PaymentState, effects: &[Effect], what: &str) {
    let known = postings::of(before);
    let mut ledger = known.clone();
    for effect in effects {
        match effect {
            Effect::Post { key, lines } => {
                assert_eq!(lines.iter().map(|(_, amount)| amount).sum::<i64>(), 0, "{what}: {key}");
                assert!(ledger.insert(key.clone(), lines.clone()).is_none(), "posted twice: {what}: {key}");
            }
            Effect::Receipt => assert!(!before.granted, "a second receipt: {what}"),
            Effect::Alarm(Alarm::Contradiction) => panic!("{what}: {:?} to {:?}", before.status(), after.status()),
            _ => {}
        }
    }
    assert_eq!(ledger, postings::of(after), "an entry changed or is missing: {what}");
    assert_eq!(after.held, after.status() == Status::Activated, "premium without a payment, or none with one: {what}");
}

#[test]
fn mf_04_and_case_12_and_case_65_every_order_of_every_set_of_facts_leads_to_what_the_facts_imply() {
    let alphabet = alphabet();
    for tenant in [Tenant::Free, Tenant::Taken] {
        let mut states: BTreeMap<usize, Vec<PaymentState>> =
            BTreeMap::from([(0, vec![PaymentState::new(asked("sl-1"))])]);
        let mut steps = 0;
        for set in 0..1_usize << alphabet.len() {
            let reached = states.remove(&set).unwrap();
            let has =
                |name: &str| alphabet.iter().zip(0..).any(|((known, _), bit)| *known == name && set >> bit & 1 == 1);
            let implied = expected(&has, tenant);
            for state in reached {
                let names =
                    || alphabet.iter().zip(0..).filter(|(_, bit)| set >> bit & 1 == 1).map(|((name, _), _)| *name);
                assert_eq!((state.status(), state.due()), implied, "{tenant:?} {:?}", names().collect::<Vec<_>>());
                for ((name, fact), bit) in alphabet.iter().zip(0..) {
                    let (next, effects) = step(&state, fact, tenant);
                    steps += 1;
                    if set >> bit & 1 == 1 {
                        assert!(next == state && effects.is_empty(), "a known fact did something: {name}");
                        continue;
                    }
                    check_step(&state, &next, &effects, name);
                    let found = states.entry(set | 1 << bit).or_default();
                    if !found.contains(&next) {
                        found.push(next);
                    }
                }
            }
        }
        assert!(steps > 100_000, "{steps}");
    }
}

#[test]
fn case_32_two_links_of_a_tenant_that_are_both_paid_give_premium_once_and_the_rest_is_due() {
    let facts = |n: usize| {
        let own = |fact: Fact| match fact {
            Fact::Link(link) => Fact::Link(LinkFact { reference: format!("sl-{n}"), ..link }),
            other => other,
        };
        let refunded = refund("pay_A", RefundRank::Processed);
        [link(LinkRank::Created), link(LinkRank::Paid), payment("pay_A", PaymentRank::Captured, PRICE), refunded]
            .map(own)
    };
    type World = (Vec<PaymentState>, Option<usize>);
    let start: World = ((0..2).map(|n| PaymentState::new(asked(&format!("sl-{n}")))).collect(), None);
    let mut waiting = VecDeque::from([start.clone()]);
    let mut seen = vec![start];
    while let Some((states, holder)) = waiting.pop_front() {
        for (n, fact) in (0..2).flat_map(|n| facts(n).into_iter().map(move |fact| (n, fact))) {
            let tenant = if holder.is_some_and(|of| of != n) { Tenant::Taken } else { Tenant::Free };
            let (next, _) = step(states.get(n).unwrap(), &fact, tenant);
            let mut world = (states.clone(), if next.held { Some(n) } else { holder.filter(|of| *of != n) });
            world.0[n] = next;
            assert!(world.0.iter().filter(|state| state.held).count() <= 1, "two payments hold premium");
            let paid = world.0.iter().filter(|state| state.paying().is_some() && state.link.is_some()).count();
            let due: i64 = world.0.iter().map(PaymentState::due).sum();
            let kept = world.0.iter().filter(|state| state.held).count();
            assert_eq!(due, i64::try_from(paid - kept).unwrap() * PRICE, "{world:?}");
            if !seen.contains(&world) {
                seen.push(world.clone());
                waiting.push_back(world);
            }
        }
    }
    assert!(seen.iter().any(|(states, _)| states.iter().all(|state| state.paying().is_some())));
}

#[test]
fn case_28_what_was_paid_is_not_what_was_asked_for() {
    for wrong in [
        LinkFact { amount: 100, ..link_fact() },
        LinkFact { currency: "USD".to_owned(), ..link_fact() },
        LinkFact { reference: "sl-2".to_owned(), ..link_fact() },
    ] {
        let (state, _) = step(&PaymentState::new(asked("sl-1")), &Fact::Link(wrong), Tenant::Free);
        let (state, effects) = step(&state, &payment("pay_A", PaymentRank::Captured, PRICE), Tenant::Free);
        assert_eq!((state.status(), state.held), (Status::Paid, false));
        assert!(effects.contains(&Effect::Alarm(Alarm::Mismatch)));
        assert_eq!(state.due(), PRICE);
    }
}

fn link_fact() -> LinkFact {
    match link(LinkRank::Created) {
        Fact::Link(link) => link,
        _ => unreachable!(),
    }
}

#[test]
fn case_54_wishes_for_refunds_never_exceed_what_was_captured() {
    let wish = |key: &str, amount| Fact::RefundWanted { key: key.to_owned(), payment: "pay_A".to_owned(), amount };
    let mut state = PaymentState::new(asked("sl-1"));
    for fact in [link(LinkRank::Paid), payment("pay_A", PaymentRank::Captured, PRICE)] {
        state = step(&state, &fact, Tenant::Free).0;
    }
    assert_eq!((state.refundable("pay_A"), state.refundable("pay_B")), (PRICE, 0));
    state = step(&state, &wish("a", 30_000), Tenant::Free).0;
    assert_eq!(state.refundable("pay_A"), PRICE - 30_000);
    let refund = |rank| RefundFact {
        id: "rfnd_1".to_owned(),
        payment: "pay_A".to_owned(),
        receipt: Some("a".to_owned()),
        amount: 30_000,
        rank,
    };
    state = step(&state, &Fact::Refund(refund(RefundRank::Pending)), Tenant::Free).0;
    assert_eq!((state.refundable("pay_A"), state.unsent().count()), (PRICE - 30_000, 0), "the wish is the refund");
    state = step(&state, &Fact::Refund(refund(RefundRank::Failed)), Tenant::Free).0;
    assert_eq!(state.refundable("pay_A"), PRICE, "a refund that failed may be tried again");
    state = step(&state, &wish("b", PRICE), Tenant::Free).0;
    state = step(&state, &Fact::RefundRefused { key: "b".to_owned() }, Tenant::Free).0;
    assert_eq!(state.refundable("pay_A"), PRICE);
}

#[test]
fn case_32_the_money_that_bought_nothing_is_refunded_first() {
    let mut state = PaymentState::new(asked("sl-1"));
    for fact in [
        link(LinkRank::Paid),
        payment("pay_A", PaymentRank::Captured, PRICE),
        payment("pay_B", PaymentRank::Captured, PRICE),
    ] {
        state = step(&state, &fact, Tenant::Free).0;
    }
    let next = |state: &PaymentState| state.next_refund().map(|(payment, amount)| (payment.id.clone(), amount));
    assert_eq!((state.paying().unwrap().id.as_str(), next(&state)), ("pay_A", Some(("pay_B".to_owned(), PRICE))));
    state = step(&state, &refund("pay_B", RefundRank::Processed), Tenant::Free).0;
    assert_eq!((state.status(), next(&state)), (Status::Activated, Some(("pay_A".to_owned(), PRICE))));
    state = step(&state, &refund("pay_A", RefundRank::Processed), Tenant::Free).0;
    assert_eq!((state.status(), state.held, next(&state)), (Status::Refunded, false, None));
}

#[test]
fn an_odd_answer_about_the_link_does_not_end_premium_that_was_granted() {
    let mut state = PaymentState::new(asked("sl-1"));
    for fact in [link(LinkRank::Paid), payment("pay_A", PaymentRank::Captured, PRICE)] {
        state = step(&state, &fact, Tenant::Free).0;
    }
    let (state, effects) = step(&state, &Fact::Link(LinkFact { amount: 100, ..link_fact() }), Tenant::Free);
    assert_eq!((state.status(), state.held, state.due()), (Status::Activated, true, 0));
    assert!(!effects.contains(&Effect::End));
}

#[test]
fn case_51_a_link_that_was_replaced_is_cancelled_and_counts_when_it_is_paid_all_the_same() {
    let superseded = Fact::Closed { why: Closed::Superseded };
    let (state, _) = step(&PaymentState::new(asked("sl-1")), &link(LinkRank::Created), Tenant::Free);
    assert_eq!((state.status(), state.to_cancel()), (Status::Pending, false));
    let (state, _) = step(&state, &superseded, Tenant::Free);
    assert_eq!((state.status(), state.to_cancel()), (Status::Failed, true));
    let (state, _) = step(&state, &payment("pay_A", PaymentRank::Captured, PRICE), Tenant::Taken);
    assert_eq!((state.status(), state.due()), (Status::Verified, PRICE));
}
