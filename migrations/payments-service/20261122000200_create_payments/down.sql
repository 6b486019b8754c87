DROP TABLE payment_changes;
DROP TABLE payments;
