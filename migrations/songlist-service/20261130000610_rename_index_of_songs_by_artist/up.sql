-- Apart, as that of links.
DROP INDEX songs_by_artist;
ALTER INDEX songs_covering RENAME TO songs_by_artist;
