ALTER TABLE payments
    DROP COLUMN check_after,
    DROP COLUMN refund_due_minor,
    DROP COLUMN refunded_minor,
    DROP COLUMN refunded_at,
    DROP COLUMN requested_by;
