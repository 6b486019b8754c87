-- Which songs are gone is asked for every link of a page; there are few of them. While it is made, songs can be read but not
-- written (0.3 s for a million). CONCURRENTLY would wait for every transaction of the database, those of other schemas too.
CREATE INDEX songs_deleted ON songs (id) WHERE deleted_at IS NOT NULL;
