-- What a person asked to be registered as; becomes a user when the code of its challenge is proven.
CREATE TABLE registrations (
    id uuid CONSTRAINT registrations_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL CONSTRAINT registrations_tenant_fkey REFERENCES tenants (id),
    username text NOT NULL,
    username_norm text NOT NULL,
    email text NOT NULL,
    email_norm text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    phone_no text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX registrations_by_age ON registrations (tenant_id, created_at);

ALTER TABLE registrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE registrations FORCE ROW LEVEL SECURITY;
CREATE POLICY registrations_scope ON registrations USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
