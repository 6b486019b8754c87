//! The ledger: what moves between which accounts. Debits are positive and credits negative, so each entry sums to zero.

use std::collections::BTreeMap;

use super::facts::{DisputeRank, PaymentRank};
use super::state::PaymentState;

/// The accounts of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    /// What Razorpay has to pay out.
    GatewayReceivable,
    Revenue,
    /// What Razorpay keeps, without the tax on it.
    GatewayFee,
    GatewayFeeTax,
    /// Refunds that Razorpay has taken off and that have not arrived.
    RefundsSent,
}

impl Account {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GatewayReceivable => "gateway_receivable",
            Self::Revenue => "revenue",
            Self::GatewayFee => "gateway_fee",
            Self::GatewayFeeTax => "gateway_fee_tax",
            Self::RefundsSent => "refunds_sent",
        }
    }
}

/// The lines of an entry, in minor units.
pub(crate) type Lines = Vec<(Account, i64)>;

/// Every entry that a state implies, by its key. They only become more.
pub(crate) fn of(state: &PaymentState) -> BTreeMap<String, Lines> {
    use Account::{GatewayFee, GatewayFeeTax, GatewayReceivable, RefundsSent, Revenue};
    let moved = |to: Account, from: Account, amount: i64| vec![(to, amount), (from, -amount)];
    let mut all = BTreeMap::new();
    for payment in state.payments.values().filter(|payment| payment.rank == PaymentRank::Captured) {
        all.insert(format!("capture:{}", payment.id), moved(GatewayReceivable, Revenue, payment.amount));
        // An answer has both or none.
        if let (Some(fee), Some(tax)) = (payment.fee, payment.tax) {
            let lines = vec![(GatewayFee, fee - tax), (GatewayFeeTax, tax), (GatewayReceivable, -fee)];
            all.insert(format!("fee:{}", payment.id), lines);
        }
    }
    for (id, refund) in &state.refunds {
        let (sent, back) = (
            moved(RefundsSent, GatewayReceivable, refund.amount),
            moved(GatewayReceivable, RefundsSent, refund.amount),
        );
        all.insert(format!("refund:{id}:sent"), sent.clone());
        if refund.failed {
            all.insert(format!("refund:{id}:failed"), back);
        }
        if refund.failed && refund.processed {
            all.insert(format!("refund:{id}:sent_again"), sent);
        }
        if refund.processed {
            all.insert(format!("refund:{id}:processed"), moved(Revenue, RefundsSent, refund.amount));
        }
    }
    for dispute in state.disputes.values().filter(|dispute| dispute.rank == DisputeRank::Lost) {
        all.insert(format!("dispute:{}:lost", dispute.id), moved(Revenue, GatewayReceivable, dispute.amount));
    }
    all
}
