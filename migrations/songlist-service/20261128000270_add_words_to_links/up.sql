-- A copy of the song's, as everything that lists compare.
ALTER TABLE tenant_songs ADD COLUMN words text NOT NULL DEFAULT '';
