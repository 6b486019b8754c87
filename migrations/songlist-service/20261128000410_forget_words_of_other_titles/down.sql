DROP TRIGGER songs_forget_words ON songs;
DROP TRIGGER tenant_songs_forget_words ON tenant_songs;
DROP FUNCTION forget_words();
