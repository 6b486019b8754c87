-- With one plan for all values, a condition that may be switched off is no condition of the index: the next artist begins
-- behind the last one in the order of texts instead.
CREATE OR REPLACE FUNCTION suggest_artists(of_tenant uuid, low text, high text, approved_only boolean, most integer) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    artists text[] := '{}';
    link record;
BEGIN
    LOOP
        SELECT l.artist, l.artist_norm INTO link FROM tenant_songs l
        WHERE l.tenant_id = of_tenant AND l.deleted_at IS NULL AND l.artist_norm >= low AND l.artist_norm < high
          AND (l.is_active OR NOT approved_only)
          AND NOT EXISTS (SELECT FROM songs s WHERE s.id = l.song_id AND s.deleted_at IS NOT NULL)
        ORDER BY l.artist_norm, l.id LIMIT 1;
        EXIT WHEN NOT FOUND;
        artists := artists || link.artist;
        EXIT WHEN cardinality(artists) >= most;
        low := link.artist_norm || chr(1);
    END LOOP;
    RETURN artists;
END $$;
