-- There are none of them once a release that writes words has run for a while.
CREATE INDEX songs_without_words ON songs (id) WHERE words = '';
