-- The distinct artists from one compared form on to before another one, in order. The index is entered again for each artist:
-- reading every song of a frequent one would take as long as the artist has songs.
CREATE OR REPLACE FUNCTION suggest_artists(of_tenant uuid, low text, high text, approved_only boolean, most integer) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    artists text[] := '{}';
    last text;
    link record;
BEGIN
    LOOP
        SELECT l.artist, l.artist_norm INTO link FROM tenant_songs l
        WHERE l.tenant_id = of_tenant AND l.deleted_at IS NULL
          AND l.artist_norm >= low AND l.artist_norm < high AND (last IS NULL OR l.artist_norm > last)
          AND (l.is_active OR NOT approved_only)
          AND NOT EXISTS (SELECT FROM songs s WHERE s.id = l.song_id AND s.deleted_at IS NOT NULL)
        ORDER BY l.artist_norm, l.id LIMIT 1;
        EXIT WHEN NOT FOUND;
        artists := artists || link.artist;
        EXIT WHEN cardinality(artists) >= most;
        -- The next artist begins behind this one.
        last := link.artist_norm;
        low := link.artist_norm;
    END LOOP;
    RETURN artists;
END $$;
