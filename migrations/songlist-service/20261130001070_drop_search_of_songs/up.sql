DROP INDEX songs_search, songs_letters, songs_global_search, songs_global_letters;
