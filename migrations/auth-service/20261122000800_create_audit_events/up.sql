CREATE TABLE audit_events (
    id uuid CONSTRAINT audit_events_pkey PRIMARY KEY,
    tenant_id uuid,
    actor_id uuid,
    actor_role text,
    -- OWASP vocabulary where it has a word, such as authn_login_success.
    action text NOT NULL,
    target_id uuid,
    result text NOT NULL,
    request_id text NOT NULL,
    client_net text,
    created_at timestamptz NOT NULL
);
CREATE INDEX audit_events_newest ON audit_events (tenant_id, created_at DESC, id DESC);
-- Append-only for the service.
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON audit_events FROM %I', replace(current_user, '_owner', '_rw'));
END $$;

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_events_scope ON audit_events USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
