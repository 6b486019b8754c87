-- Each artist is looked up by itself, in the index. As a join that NOT EXISTS is, it was planned while statistics said that there are
-- few, and sessions kept that plan: a batch then compared each of its artists with all there were, until the statement timed out.
CREATE OR REPLACE FUNCTION follow_inserted_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT DISTINCT tenant_id, artist_norm FROM inserted i
    WHERE (
        SELECT a.artist_norm FROM tenant_artists a WHERE a.tenant_id = i.tenant_id AND a.artist_norm = i.artist_norm LIMIT 1
    ) IS NULL;
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, count(*), count(*) FILTER (WHERE is_active) FROM inserted
    WHERE deleted_at IS NULL GROUP BY tenant_id, created_at;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION follow_updated_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT tenant_id, artist_norm FROM (
        SELECT tenant_id, artist_norm FROM after WHERE deleted_at IS NULL
        EXCEPT
        SELECT tenant_id, artist_norm FROM before WHERE deleted_at IS NULL
    ) n
    WHERE (
        SELECT a.artist_norm FROM tenant_artists a WHERE a.tenant_id = n.tenant_id AND a.artist_norm = n.artist_norm LIMIT 1
    ) IS NULL;
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, sum(total), sum(approved)
    FROM (
        SELECT tenant_id, created_at, 1 AS total, is_active::integer AS approved FROM after WHERE deleted_at IS NULL
        UNION ALL
        SELECT tenant_id, created_at, -1, -is_active::integer FROM before WHERE deleted_at IS NULL
    ) changes
    GROUP BY tenant_id, created_at HAVING sum(total) <> 0 OR sum(approved) <> 0;
    RETURN NULL;
END $$;
