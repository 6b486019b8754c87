-- Razorpay's events, stored before they are acknowledged. Its event id names an event for ever: support may replay it
-- fifteen days later.
CREATE TABLE webhook_events (
    event_id text CONSTRAINT webhook_events_pkey PRIMARY KEY,
    event text NOT NULL,
    body jsonb NOT NULL,
    body_hash text NOT NULL,
    state text NOT NULL CONSTRAINT webhook_events_state_known
        CHECK (state IN ('pending', 'applied', 'ignored', 'conflict', 'quarantined')),
    note text NOT NULL DEFAULT '',
    deliveries integer NOT NULL DEFAULT 1,
    attempts integer NOT NULL DEFAULT 0,
    -- The database's clock.
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz
);
CREATE INDEX webhook_events_due ON webhook_events (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_events_by_age ON webhook_events (received_at);
