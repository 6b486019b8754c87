DROP INDEX songs_texts;
