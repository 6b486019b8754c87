BEGIN;
SELECT set_config('app.tenant', :tenant, true), set_config('app.scope', 'tenant', true);
SELECT total, approved FROM tenant_song_counts WHERE tenant_id = :tenant::uuid;
SELECT t.*, s.* FROM tenant_songs t INNER JOIN songs s ON t.song_id = s.id WHERE t.tenant_id = :tenant::uuid AND t.deleted_at IS NULL AND s.deleted_at IS NULL AND t.is_active = true ORDER BY t.created_at DESC, t.id DESC LIMIT 21 OFFSET 0;
SELECT id, name FROM genres WHERE id = ANY(ARRAY(SELECT genre_id FROM tenant_songs WHERE tenant_id = :tenant::uuid LIMIT 1));
COMMIT;
