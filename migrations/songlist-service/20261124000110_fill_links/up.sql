-- Fills the columns in batches with a commit after each, so that no list is locked for longer than a batch takes. It may be
-- repeated. Row-level security is forced for the owner too, so each batch says which scope it has.
DO $$
DECLARE
    after uuid := '00000000-0000-0000-0000-000000000000';
    next uuid;
BEGIN
    LOOP
        PERFORM set_config('app.scope', 'worker', true);
        SELECT (array_agg(id ORDER BY id DESC))[1] INTO next
        FROM (SELECT id FROM tenant_songs WHERE id > after ORDER BY id LIMIT 5000) batch;
        EXIT WHEN next IS NULL;
        UPDATE tenant_songs t
        SET title = s.title, artist = s.artist, album = s.album, duration = s.duration, artwork = s.artwork,
            is_global = s.tenant_id IS NULL
        FROM songs s WHERE s.id = t.song_id AND t.id > after AND t.id <= next AND t.title = '';
        after := next;
        COMMIT;
    END LOOP;
END $$;
