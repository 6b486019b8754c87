CREATE OR REPLACE FUNCTION follow_inserted_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT DISTINCT tenant_id, artist_norm FROM inserted i
    WHERE NOT EXISTS (SELECT FROM tenant_artists a WHERE a.tenant_id = i.tenant_id AND a.artist_norm = i.artist_norm);
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, count(*), count(*) FILTER (WHERE is_active) FROM inserted
    WHERE deleted_at IS NULL GROUP BY tenant_id, created_at;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION follow_updated_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT tenant_id, artist_norm FROM (
        SELECT tenant_id, artist_norm FROM after WHERE deleted_at IS NULL
        EXCEPT
        SELECT tenant_id, artist_norm FROM before WHERE deleted_at IS NULL
    ) n
    WHERE NOT EXISTS (SELECT FROM tenant_artists a WHERE a.tenant_id = n.tenant_id AND a.artist_norm = n.artist_norm);
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
