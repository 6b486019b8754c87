ALTER TABLE tenant_songs DROP COLUMN words;
