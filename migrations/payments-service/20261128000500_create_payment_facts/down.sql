DROP TABLE gateway_payments;
DROP TABLE payment_facts;
