DROP INDEX songs_without_words;
