DROP INDEX playlist_entries_of_link;
