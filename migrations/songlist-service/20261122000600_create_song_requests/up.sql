CREATE TABLE song_requests (
    id uuid CONSTRAINT song_requests_pkey PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    song_title text NOT NULL,
    artist_name text NOT NULL,
    album_name text NOT NULL DEFAULT '',
    additional_notes text NOT NULL DEFAULT '',
    title_norm text NOT NULL,
    artist_norm text NOT NULL,
    status text NOT NULL CONSTRAINT song_requests_status_known
        CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED', 'FULFILLED')),
    reviewed_by uuid,
    reviewed_at timestamptz,
    rejection_reason text NOT NULL DEFAULT '',
    fulfilled_song uuid CONSTRAINT song_requests_song_fkey REFERENCES songs (id),
    fulfilled_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
-- One open request per tenant and song.
CREATE UNIQUE INDEX song_requests_open_key ON song_requests (tenant_id, title_norm, artist_norm)
    WHERE deleted_at IS NULL AND status IN ('PENDING', 'APPROVED');
CREATE INDEX song_requests_newest ON song_requests (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

ALTER TABLE song_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE song_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY song_requests_scope ON song_requests USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
