CREATE INDEX tenant_songs_without_words ON tenant_songs (id) WHERE words = '';
