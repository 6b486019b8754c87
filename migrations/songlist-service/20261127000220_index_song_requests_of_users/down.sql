DROP INDEX song_requests_of_user;
