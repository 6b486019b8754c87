CREATE TABLE playlists (
    id uuid CONSTRAINT playlists_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    name_norm text NOT NULL,
    description text NOT NULL DEFAULT '',
    -- Kept with every write of an entry; both count all entries, available or not.
    song_count bigint NOT NULL DEFAULT 0,
    total_duration bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX playlists_name_key ON playlists (tenant_id, user_id, name_norm) WHERE deleted_at IS NULL;
CREATE INDEX playlists_newest ON playlists (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE playlist_entries (
    playlist_id uuid NOT NULL CONSTRAINT playlist_entries_playlist_fkey REFERENCES playlists (id),
    tenant_song_id uuid NOT NULL CONSTRAINT playlist_entries_song_fkey REFERENCES tenant_songs (id),
    tenant_id uuid NOT NULL,
    -- From 1, without gaps.
    position bigint NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT playlist_entries_pkey PRIMARY KEY (playlist_id, tenant_song_id)
);
CREATE INDEX playlist_entries_in_order ON playlist_entries (tenant_id, playlist_id, position);

ALTER TABLE playlists ENABLE ROW LEVEL SECURITY;
ALTER TABLE playlists FORCE ROW LEVEL SECURITY;
CREATE POLICY playlists_scope ON playlists USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
ALTER TABLE playlist_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE playlist_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY playlist_entries_scope ON playlist_entries USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
