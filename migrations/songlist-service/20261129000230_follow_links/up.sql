-- Triggers write down which artists a list has and how its length changes, once per statement, whichever release writes the links.
CREATE FUNCTION follow_inserted_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT DISTINCT tenant_id, artist_norm FROM inserted ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
    SELECT tenant_id, created_at, count(*), count(*) FILTER (WHERE is_active) FROM inserted
    WHERE deleted_at IS NULL GROUP BY tenant_id, created_at;
    RETURN NULL;
END $$;
CREATE FUNCTION follow_updated_links() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_artists (tenant_id, artist_norm)
    SELECT tenant_id, artist_norm FROM after EXCEPT SELECT tenant_id, artist_norm FROM before ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
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
-- A deleted song leaves all lists when it is taken out of their counts; until then readers subtract it.
CREATE FUNCTION follow_counted_out_song() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.tenant_id IS NULL THEN
        INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
        SELECT tenant_id, created_at, -1, -is_active::integer FROM tenant_songs
        WHERE is_global AND song_id = NEW.id AND deleted_at IS NULL;
    ELSE
        INSERT INTO tenant_song_landmark_changes (tenant_id, created_at, total, approved)
        SELECT tenant_id, created_at, -1, -is_active::integer FROM tenant_songs
        WHERE tenant_id = NEW.tenant_id AND song_id = NEW.id AND deleted_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tenant_songs_are_followed_when_inserted AFTER INSERT ON tenant_songs
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION follow_inserted_links();
CREATE TRIGGER tenant_songs_are_followed_when_updated AFTER UPDATE ON tenant_songs
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION follow_updated_links();
CREATE TRIGGER songs_are_followed_when_counted_out AFTER UPDATE OF counted_out ON songs FOR EACH ROW
    WHEN (NEW.counted_out AND NOT OLD.counted_out) EXECUTE FUNCTION follow_counted_out_song();
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION follow_inserted_links(), follow_updated_links(), follow_counted_out_song() TO %I',
                   replace(current_user, '_owner', '_rw'));
END $$;
