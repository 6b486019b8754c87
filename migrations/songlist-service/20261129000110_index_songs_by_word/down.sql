DROP INDEX songs_by_word;
