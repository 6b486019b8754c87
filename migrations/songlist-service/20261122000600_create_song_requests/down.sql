DROP TABLE song_requests;
