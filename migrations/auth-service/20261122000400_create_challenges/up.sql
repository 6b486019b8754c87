-- A challenge is what a one-time code answers. It owns the counter of tries, so that a resend cannot reset it; its life
-- runs from the first dispatch.
CREATE TABLE challenges (
    id uuid CONSTRAINT challenges_pkey PRIMARY KEY,
    tenant_id uuid,
    user_id uuid,
    registration_id uuid,
    purpose text NOT NULL CONSTRAINT challenges_purpose_known CHECK (purpose IN ('LOGIN', 'VERIFY', 'RESET')),
    email text NOT NULL,
    email_norm text NOT NULL,
    ttl_secs integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    sends integer NOT NULL DEFAULT 0,
    last_sent_at timestamptz,
    expires_at timestamptz,
    consumed_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX challenges_by_address ON challenges (tenant_id, email_norm, purpose, created_at DESC) WHERE consumed_at IS NULL;
CREATE INDEX challenges_by_user ON challenges (user_id) WHERE consumed_at IS NULL;

-- HMAC-SHA-256 of the codes sent; the two newest are good.
CREATE TABLE challenge_codes (
    id uuid CONSTRAINT challenge_codes_pkey PRIMARY KEY,
    challenge_id uuid NOT NULL CONSTRAINT challenge_codes_challenge_fkey REFERENCES challenges (id) ON DELETE CASCADE,
    tenant_id uuid,
    key_id text NOT NULL,
    mac bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX challenge_codes_by_challenge ON challenge_codes (challenge_id, created_at DESC);

ALTER TABLE challenges ENABLE ROW LEVEL SECURITY;
ALTER TABLE challenges FORCE ROW LEVEL SECURITY;
CREATE POLICY challenges_scope ON challenges USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE challenge_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE challenge_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY challenge_codes_scope ON challenge_codes USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
