DROP INDEX songs_words;
