-- Apps that show codes (RFC 6238). One that was not confirmed does not count yet.
CREATE TABLE authenticators (
    user_id uuid CONSTRAINT authenticators_pkey PRIMARY KEY CONSTRAINT authenticators_user_fkey REFERENCES users (id),
    tenant_id uuid,
    -- The secret, encrypted with AUTH_KEY_ENCRYPTION_KEY for this user.
    sealed bytea NOT NULL,
    nonce bytea NOT NULL,
    -- The time step of the last code that was accepted: no code is accepted twice.
    last_step bigint NOT NULL DEFAULT 0,
    confirmed_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX authenticators_of_tenant ON authenticators (tenant_id);

-- MACs of the codes for the day on which the app is lost.
CREATE TABLE recovery_codes (
    id uuid CONSTRAINT recovery_codes_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT recovery_codes_user_fkey REFERENCES users (id),
    tenant_id uuid,
    key_id text NOT NULL,
    mac bytea NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX recovery_codes_of_user ON recovery_codes (tenant_id, user_id);

ALTER TABLE challenges ADD COLUMN method text NOT NULL DEFAULT 'email'
    CONSTRAINT challenges_method_known CHECK (method IN ('email', 'totp'));

ALTER TABLE authenticators ENABLE ROW LEVEL SECURITY;
ALTER TABLE authenticators FORCE ROW LEVEL SECURITY;
-- Workers seal them again when the key changes.
CREATE POLICY authenticators_scope ON authenticators USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY recovery_codes_scope ON recovery_codes USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
);
