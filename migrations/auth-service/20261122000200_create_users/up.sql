CREATE TABLE users (
    id uuid CONSTRAINT users_pkey PRIMARY KEY,
    -- NULL for SUPER_ADMINs.
    tenant_id uuid CONSTRAINT users_tenant_fkey REFERENCES tenants (id),
    role text NOT NULL CONSTRAINT users_role_known CHECK (role IN ('LISTENER', 'ADMIN', 'SUPER_ADMIN')),
    username text NOT NULL,
    username_norm text NOT NULL,
    email text NOT NULL,
    email_norm text NOT NULL,
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    phone_no text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    is_verified boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    totp_enabled boolean NOT NULL DEFAULT false,
    -- Raised when every token of the user has to die.
    token_version bigint NOT NULL DEFAULT 1,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deleted_by uuid,
    CONSTRAINT users_role_fits_tenant CHECK ((role = 'SUPER_ADMIN') = (tenant_id IS NULL))
);
CREATE UNIQUE INDEX users_email_key ON users (tenant_id, email_norm) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX users_username_key ON users (tenant_id, username_norm) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX users_platform_email_key ON users (email_norm) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE UNIQUE INDEX users_platform_username_key ON users (username_norm) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX users_newest ON users (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
-- The platform sees its SUPER_ADMINs and, to run them, the ADMINs of every tenant; no LISTENER.
CREATE POLICY users_scope ON users
    USING (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR ((SELECT current_setting('app.scope', true)) = 'platform' AND role IN ('SUPER_ADMIN', 'ADMIN'))
        OR (SELECT current_setting('app.scope', true)) = 'worker'
    )
    WITH CHECK (
        tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
        OR ((SELECT current_setting('app.scope', true)) = 'platform' AND tenant_id IS NULL)
    );
