//! What is known about one payment, and what follows from it. Every part only grows, so facts may come in any order and any
//! number of times.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{
    Closed, DisputeFact, DisputeRank, Fact, LinkFact, LinkRank, PaymentFact, PaymentRank, RefundFact, RefundRank,
    Withheld,
};
use crate::domain::status::Status;

/// What was frozen when the link was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub reference: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
}

/// A refund, from all that was said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refund {
    pub payment: String,
    pub amount: i64,
    pub failed: bool,
    /// Final, also when it had failed before.
    pub processed: bool,
}

impl Refund {
    /// True while the money may still go back or has gone.
    pub(crate) fn counts(&self) -> bool {
        self.processed || !self.failed
    }
}

/// A refund that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub payment: String,
    pub amount: i64,
}

/// The state of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentState {
    pub asked: Asked,
    pub link: Option<LinkFact>,
    /// False once an answer about the link showed another reference, amount or currency than was asked for.
    pub fits: bool,
    pub closed: BTreeSet<Closed>,
    pub reported: bool,
    pub payments: BTreeMap<String, PaymentFact>,
    pub refunds: BTreeMap<String, Refund>,
    pub disputes: BTreeMap<String, DisputeFact>,
    /// By key.
    wishes: BTreeMap<String, Wish>,
    /// The keys to which Razorpay has given a refund.
    answered: BTreeSet<String>,
    /// The keys to which Razorpay has refused one.
    refused: BTreeSet<String>,
    pub granted: bool,
    pub withheld: Option<Withheld>,
    /// True while the tenant is premium for this payment.
    pub held: bool,
}

impl PaymentState {
    /// Nothing is known yet.
    pub(crate) fn new(asked: Asked) -> Self {
        Self {
            asked,
            link: None,
            fits: true,
            closed: BTreeSet::new(),
            reported: false,
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            wishes: BTreeMap::new(),
            answered: BTreeSet::new(),
            refused: BTreeSet::new(),
            granted: false,
            withheld: None,
            held: false,
        }
    }

    /// Adds a fact to what is known.
    pub(super) fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Link(link) => self.learn_link(link),
            Fact::Closed { why } => {
                self.closed.insert(*why);
            }
            Fact::Reported => self.reported = true,
            Fact::Payment(payment) => {
                let known = self.payments.entry(payment.id.clone()).or_insert_with(|| payment.clone());
                known.rank = known.rank.max(payment.rank);
                known.fee = known.fee.max(payment.fee);
                known.tax = known.tax.max(payment.tax);
            }
            Fact::Refund(refund) => self.learn_refund(refund),
            Fact::Dispute(dispute) => {
                let known = self.disputes.entry(dispute.id.clone()).or_insert_with(|| dispute.clone());
                known.rank = known.rank.max(dispute.rank);
            }
            Fact::RefundWanted { key, payment, amount } => {
                let wish = Wish { payment: payment.clone(), amount: *amount };
                self.wishes.entry(key.clone()).or_insert(wish);
            }
            Fact::RefundRefused { key } => {
                self.refused.insert(key.clone());
            }
            Fact::Granted => (self.granted, self.held) = (true, true),
            Fact::Withheld { why } => self.withheld = self.withheld.max(Some(*why)),
            Fact::Ended => self.held = false,
        }
    }

    fn learn_link(&mut self, link: &LinkFact) {
        let fits = link.reference == self.asked.reference
            && link.amount == self.asked.amount
            && link.currency == self.asked.currency;
        let known = self.link.get_or_insert_with(|| link.clone());
        // Razorpay has one link for a reference.
        if known.id != link.id {
            return;
        }
        self.fits &= fits;
        known.rank = known.rank.max(link.rank);
        known.amount_paid = known.amount_paid.max(link.amount_paid);
        known.expires_at = known.expires_at.max(link.expires_at);
        if known.order.is_none() {
            known.order.clone_from(&link.order);
        }
    }

    fn learn_refund(&mut self, refund: &RefundFact) {
        let known = self.refunds.entry(refund.id.clone()).or_insert_with(|| Refund {
            payment: refund.payment.clone(),
            amount: refund.amount,
            failed: false,
            processed: false,
        });
        known.failed |= refund.rank == RefundRank::Failed;
        known.processed |= refund.rank == RefundRank::Processed;
        self.answered.extend(refund.receipt.clone());
    }

    /// The payments whose money was taken.
    pub(crate) fn captured(&self) -> impl Iterator<Item = &PaymentFact> {
        self.payments.values().filter(|payment| payment.rank == PaymentRank::Captured)
    }

    /// The captured payments whose money is still here.
    fn live(&self) -> impl Iterator<Item = &PaymentFact> {
        self.captured().filter(|payment| !self.lost(&payment.id) && self.refunded(&payment.id) < payment.amount)
    }

    /// What has gone back of a payment.
    fn refunded(&self, payment: &str) -> i64 {
        let of_payment = self.refunds.values().filter(|refund| refund.processed && refund.payment == payment);
        of_payment.map(|refund| refund.amount).sum()
    }

    fn lost(&self, payment: &str) -> bool {
        self.disputes.values().any(|dispute| dispute.payment == payment && dispute.rank == DisputeRank::Lost)
    }

    fn is_price(&self, payment: &PaymentFact) -> bool {
        payment.amount == self.asked.amount && payment.currency == self.asked.currency
    }

    /// The payment that pays for premium. Of several it is the one with the smallest id.
    pub(crate) fn paying(&self) -> Option<&PaymentFact> {
        self.live().find(|payment| self.is_price(payment))
    }

    /// True when link and payment agree with what was asked for. Once premium was granted only money that goes back ends it: one
    /// odd answer about the link does not.
    fn verified(&self) -> bool {
        let link = self.link.as_ref();
        let full = link.is_some_and(|link| link.rank != LinkRank::Paid || link.amount_paid >= self.asked.amount);
        self.paying().is_some() && (self.granted || (full && self.fits))
    }

    /// True when the money that could have bought premium has come and gone back.
    fn returned(&self) -> bool {
        let any = self.captured().any(|payment| self.is_price(payment));
        let live = self.live().any(|payment| !any || self.is_price(payment));
        self.captured().next().is_some() && !live
    }

    /// True when the money that is here is not what was asked for. It is not known before the link was seen.
    pub(crate) fn mismatch(&self) -> bool {
        self.link.is_some() && self.live().next().is_some() && !self.verified() && !self.returned()
    }

    /// What the API shows.
    pub(crate) fn status(&self) -> Status {
        if self.returned() {
            return Status::Refunded;
        }
        if self.verified() {
            return if self.granted && self.withheld.is_none() { Status::Activated } else { Status::Verified };
        }
        match self.link.as_ref().map(|link| link.rank) {
            _ if self.reported || self.captured().next().is_some() => Status::Paid,
            Some(LinkRank::Paid) => Status::Paid,
            Some(LinkRank::Cancelled | LinkRank::Expired) => Status::Failed,
            Some(_) if self.closed.contains(&Closed::Superseded) => Status::Failed,
            Some(LinkRank::Created | LinkRank::PartiallyPaid) => Status::Pending,
            None if self.closed.is_empty() => Status::Created,
            None => Status::Failed,
        }
    }

    /// True when the tenant should be premium for this payment.
    pub(crate) fn entitled(&self) -> bool {
        self.verified() && self.withheld.is_none()
    }

    /// The money that has to go back: what exceeds the price, and all of it when it bought nothing.
    pub(crate) fn due(&self) -> i64 {
        if self.link.is_none() {
            return 0;
        }
        let paying = self.paying().filter(|_| self.entitled()).map(|payment| payment.id.as_str());
        let back = self.live().filter(|payment| Some(payment.id.as_str()) != paying);
        back.map(|payment| payment.amount - self.refunded(&payment.id)).sum()
    }

    /// All that has gone back.
    pub(crate) fn gone_back(&self) -> i64 {
        self.payments.keys().map(|payment| self.refunded(payment)).sum()
    }

    /// What may still be refunded of a payment: refunds on their way and wishes without an answer are taken off.
    pub(crate) fn refundable(&self, payment: &str) -> i64 {
        let captured = self.captured().find(|known| known.id == payment).filter(|_| !self.lost(payment));
        let sent = self.refunds.values().filter(|refund| refund.payment == payment && refund.counts());
        let wished = self.unsent().filter(|(_, wish)| wish.payment == payment).map(|(_, wish)| wish.amount);
        let taken = sent.map(|refund| refund.amount).chain(wished).sum::<i64>();
        captured.map_or(0, |known| (known.amount - taken).max(0))
    }

    /// What is refunded next, and how much of it: money that bought nothing before that which pays for premium.
    pub(crate) fn next_refund(&self) -> Option<(&PaymentFact, i64)> {
        let pays =
            |payment: &PaymentFact| self.entitled() && self.paying().is_some_and(|paying| paying.id == payment.id);
        let left = self.captured().map(|payment| (payment, self.refundable(&payment.id)));
        left.filter(|(_, amount)| *amount > 0).min_by_key(|(payment, _)| pays(payment))
    }

    /// Refunds that are wanted and to which Razorpay has given no answer.
    pub(crate) fn unsent(&self) -> impl Iterator<Item = (&String, &Wish)> {
        self.wishes.iter().filter(|(key, _)| !self.answered.contains(*key) && !self.refused.contains(*key))
    }

    /// True when Razorpay makes no refund for this wish.
    pub(crate) fn is_refund_refused(&self, key: &str) -> bool {
        self.refused.contains(key) && !self.answered.contains(key)
    }

    /// True when Razorpay has refused to make the link.
    pub(crate) fn is_refused(&self) -> bool {
        self.link.is_none() && self.closed.contains(&Closed::Refused)
    }

    /// True when the link is closed and nobody has tried to pay it: the first try makes an order.
    pub(crate) fn was_never_tried(&self) -> bool {
        let closed = |link: &LinkFact| matches!(link.rank, LinkRank::Cancelled | LinkRank::Expired);
        self.link.as_ref().is_some_and(|link| closed(link) && link.order.is_none()) && self.payments.is_empty()
    }

    /// True when a link is open at Razorpay that must not be paid any more.
    pub(crate) fn to_cancel(&self) -> bool {
        let open = self.link.as_ref().is_some_and(|link| link.rank == LinkRank::Created);
        open && self.closed.contains(&Closed::Superseded)
    }
}
