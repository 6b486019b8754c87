DROP INDEX songs_deleted;
