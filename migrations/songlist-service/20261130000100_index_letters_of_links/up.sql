-- Parts of titles and albums without a trigram: a word of two letters, signs. Links whose title and album are of the letters a to z and
-- digits alone have no entries, because most are such.
CREATE INDEX tenant_songs_letters ON tenant_songs
    USING gin (tenant_id, letters_and_pairs(title_norm), letters_and_pairs(album_norm)) WITH (gin_pending_list_limit = 512)
    WHERE deleted_at IS NULL AND (title_norm ~ '[^a-z0-9]' OR album_norm ~ '[^a-z0-9]');
