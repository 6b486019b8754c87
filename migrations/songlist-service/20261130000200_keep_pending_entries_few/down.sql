ALTER INDEX tenant_songs_titles RESET (gin_pending_list_limit);
ALTER INDEX tenant_artists_parts RESET (gin_pending_list_limit);
ALTER INDEX search_words_alike RESET (gin_pending_list_limit);
ALTER INDEX songs_search RESET (gin_pending_list_limit);
ALTER INDEX songs_global_search RESET (gin_pending_list_limit);
