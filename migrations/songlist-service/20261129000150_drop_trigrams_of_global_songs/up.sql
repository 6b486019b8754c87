DROP INDEX songs_global_words;
