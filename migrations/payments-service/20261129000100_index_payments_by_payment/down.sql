DROP INDEX payments_by_payment;
