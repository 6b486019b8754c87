DROP INDEX songs_global_search;
