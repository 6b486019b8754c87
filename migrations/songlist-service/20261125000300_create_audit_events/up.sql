CREATE TABLE audit_events (
    id uuid CONSTRAINT audit_events_pkey PRIMARY KEY,
    tenant_id uuid,
    actor_id uuid,
    actor_role text,
    -- OWASP vocabulary where it has a word.
    action text NOT NULL,
    target_id uuid,
    result text NOT NULL,
    request_id text NOT NULL,
    -- /24 of an IPv4, /48 of an IPv6 address.
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
CREATE POLICY audit_events_write ON audit_events FOR INSERT WITH CHECK (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY audit_events_read ON audit_events FOR SELECT USING (
    tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
