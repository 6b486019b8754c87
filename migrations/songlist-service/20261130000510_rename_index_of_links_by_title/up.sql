-- Apart from the index that replaces it: this needs a lock for a moment, and building an index again after a failure takes long.
DROP INDEX tenant_songs_by_title;
ALTER INDEX tenant_songs_covering RENAME TO tenant_songs_by_title;
