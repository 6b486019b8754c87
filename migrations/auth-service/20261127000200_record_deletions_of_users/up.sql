-- Every deletion and restoration of a user. Other services replay them in the order of their versions.
CREATE TABLE user_operations (
    id uuid CONSTRAINT user_operations_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL CONSTRAINT user_operations_user_fkey REFERENCES users (id),
    -- The user's version after it.
    version bigint NOT NULL,
    kind text NOT NULL CONSTRAINT user_operations_kind_known CHECK (kind IN ('DELETE', 'RESTORE')),
    actor_id uuid NOT NULL,
    -- Of a restoration: what others than the user have deleted comes back.
    restore_data boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    CONSTRAINT user_operations_in_order UNIQUE (tenant_id, user_id, version)
);
ALTER TABLE user_operations ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_operations FORCE ROW LEVEL SECURITY;
CREATE POLICY user_operations_read ON user_operations FOR SELECT USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
CREATE POLICY user_operations_insert ON user_operations FOR INSERT WITH CHECK (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
);
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON user_operations FROM %I', replace(current_user, '_owner', '_rw'));
END $$;
CREATE INDEX users_deleted ON users (tenant_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
