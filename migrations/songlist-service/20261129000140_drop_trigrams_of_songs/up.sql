-- Apart from the index that replaces it: this needs a lock for a moment, and building an index again after a failure takes long.
DROP INDEX songs_words;
