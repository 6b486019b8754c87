-- Who deleted a row; the user's own deletions never come back.
ALTER TABLE playlists ADD COLUMN deleted_by uuid;
ALTER TABLE song_requests ADD COLUMN deleted_by uuid;

-- The newest deletion or restoration of each user that was applied here.
CREATE TABLE user_versions (
    user_id uuid CONSTRAINT user_versions_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX user_versions_of_tenant ON user_versions (tenant_id);
ALTER TABLE user_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY user_versions_scope ON user_versions USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
