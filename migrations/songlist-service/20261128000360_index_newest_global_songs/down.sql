DROP INDEX songs_global_newest;
