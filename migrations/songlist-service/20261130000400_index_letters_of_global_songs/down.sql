DROP INDEX songs_global_letters;
