ALTER TABLE tenant_songs
    DROP COLUMN title, DROP COLUMN artist, DROP COLUMN album, DROP COLUMN duration, DROP COLUMN artwork,
    DROP COLUMN is_global;
