CREATE TABLE sessions (
    id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
    tenant_id uuid,
    user_id uuid NOT NULL CONSTRAINT sessions_user_fkey REFERENCES users (id),
    -- Coarse: what a person recognises a device by.
    client_net text,
    user_agent text,
    auth_time timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    -- The absolute end, whatever is refreshed.
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_cause text
);
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE revoked_at IS NULL;

-- One row per refresh token, holding nothing that is a token: the same claims are signed again to answer a replay.
CREATE TABLE refresh_tokens (
    id uuid CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
    tenant_id uuid,
    session_id uuid NOT NULL CONSTRAINT refresh_tokens_session_fkey REFERENCES sessions (id),
    parent_id uuid CONSTRAINT refresh_tokens_one_successor UNIQUE,
    kid text NOT NULL,
    access_id uuid NOT NULL,
    ver bigint NOT NULL,
    tver bigint NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_scope ON sessions USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY refresh_tokens_scope ON refresh_tokens USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
