-- The artists of the lists that are there already, with a commit after each tenant. It may be repeated.
DO $$
DECLARE
    tenant uuid;
BEGIN
    PERFORM set_config('app.scope', 'worker', true);
    FOR tenant IN SELECT tenant_id FROM tenant_song_counts ORDER BY tenant_id LOOP
        PERFORM set_config('app.scope', 'worker', true);
        INSERT INTO tenant_artists (tenant_id, artist_norm)
        SELECT DISTINCT tenant_id, artist_norm FROM tenant_songs WHERE tenant_id = tenant AND deleted_at IS NULL ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
        COMMIT;
    END LOOP;
END $$;
