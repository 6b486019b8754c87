DROP INDEX songs_covering;
