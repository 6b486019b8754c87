-- A page of a tenant's list shows these columns of the song: reading them through a join cost a tenth of the page. The
-- defaults add the columns without rewriting the table; the next migration fills them.
ALTER TABLE tenant_songs
    ADD COLUMN title text NOT NULL DEFAULT '',
    ADD COLUMN artist text NOT NULL DEFAULT '',
    ADD COLUMN album text NOT NULL DEFAULT '',
    ADD COLUMN duration smallint,
    ADD COLUMN artwork text,
    -- True for a song of the platform.
    ADD COLUMN is_global boolean NOT NULL DEFAULT false;
