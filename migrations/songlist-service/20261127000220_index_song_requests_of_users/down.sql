DROP INDEX IF EXISTS song_requests_of_user;
