-- The truth about dead tokens; Redis and the gateways hold copies. A row matters for as long as an access token lives.
CREATE TABLE revocations (
    id uuid CONSTRAINT revocations_pkey PRIMARY KEY,
    subject text NOT NULL CONSTRAINT revocations_subject_known CHECK (subject IN ('session', 'user', 'tenant')),
    subject_id uuid NOT NULL,
    -- Tokens of a lower version are dead.
    min_version bigint NOT NULL,
    -- The database's clock: readers look back over a window of it.
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocations_by_age ON revocations (created_at);
