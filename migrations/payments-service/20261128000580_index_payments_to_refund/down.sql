DROP INDEX payments_to_refund;
