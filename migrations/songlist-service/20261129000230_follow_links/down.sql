DROP TRIGGER songs_are_followed_when_counted_out ON songs;
DROP TRIGGER tenant_songs_are_followed_when_deleted ON tenant_songs;
DROP TRIGGER tenant_songs_are_followed_when_updated ON tenant_songs;
DROP TRIGGER tenant_songs_are_followed_when_inserted ON tenant_songs;
-- Without triggers they would become wrong. DELETE sees no rows here, where row-level security is forced and no scope is set.
TRUNCATE tenant_song_landmarks, tenant_song_landmark_changes;
DROP FUNCTION follow_counted_out_songs();
DROP FUNCTION follow_deleted_links();
DROP FUNCTION follow_updated_links();
DROP FUNCTION follow_inserted_links();
