-- A page of a tenant's list shows these columns of the song: reading them through a join cost a tenth of the page. The defaults
-- add the columns without rewriting the table; the update fills them.
ALTER TABLE tenant_songs
    ADD COLUMN title text NOT NULL DEFAULT '',
    ADD COLUMN artist text NOT NULL DEFAULT '',
    ADD COLUMN album text NOT NULL DEFAULT '',
    ADD COLUMN duration smallint,
    ADD COLUMN artwork text,
    -- True for a song of the platform.
    ADD COLUMN is_global boolean NOT NULL DEFAULT false;

-- Row-level security is forced for the owner too.
SELECT set_config('app.scope', 'worker', true);
UPDATE tenant_songs t
SET title = s.title, artist = s.artist, album = s.album, duration = s.duration, artwork = s.artwork,
    is_global = s.tenant_id IS NULL
FROM songs s WHERE s.id = t.song_id;

-- Which songs are gone is asked for every link of a page; there are few of them.
CREATE INDEX songs_deleted ON songs (id) WHERE deleted_at IS NOT NULL;
