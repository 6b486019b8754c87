-- Apart, as that of links.
DROP INDEX songs_global_by_title;
ALTER INDEX songs_covering RENAME TO songs_global_by_title;
