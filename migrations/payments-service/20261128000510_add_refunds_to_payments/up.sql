ALTER TABLE payments
    -- When Razorpay is asked again; NULL when there is nothing left to learn. Payments of earlier releases are asked about once.
    ADD COLUMN check_after timestamptz DEFAULT now(),
    -- Money that bought nothing and has to go back.
    ADD COLUMN refund_due_minor bigint NOT NULL DEFAULT 0,
    -- Money that has gone back.
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded_at timestamptz,
    -- Who asked for the link, and gets the receipt.
    ADD COLUMN requested_by uuid;
