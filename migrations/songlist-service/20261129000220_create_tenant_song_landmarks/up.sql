-- Where a page in the middle of a long list begins: for some times, how many links of the list are older. A job makes them.
CREATE TABLE tenant_song_landmarks (
    tenant_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    older bigint NOT NULL,
    older_approved bigint NOT NULL,
    CONSTRAINT tenant_song_landmarks_pkey PRIMARY KEY (tenant_id, created_at)
);
ALTER TABLE tenant_song_landmarks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_song_landmarks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_song_landmarks_scope ON tenant_song_landmarks USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);

-- What has changed since: links that came onto a list or, with negative numbers, left it. They are added here and not to the landmarks,
-- so that nobody who changes a list waits for others. A reader adds both, and the job puts these into the landmarks.
CREATE TABLE tenant_song_landmark_changes (
    tenant_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    total bigint NOT NULL,
    approved bigint NOT NULL
);
CREATE INDEX tenant_song_landmark_changes_of_tenant ON tenant_song_landmark_changes (tenant_id, created_at);
ALTER TABLE tenant_song_landmark_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_song_landmark_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_song_landmark_changes_scope ON tenant_song_landmark_changes USING (
    CASE (SELECT current_setting('app.scope', true)) WHEN 'worker' THEN true
    ELSE tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) END
);
