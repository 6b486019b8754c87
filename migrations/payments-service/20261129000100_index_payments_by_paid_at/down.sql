DROP INDEX payments_by_paid_at;
