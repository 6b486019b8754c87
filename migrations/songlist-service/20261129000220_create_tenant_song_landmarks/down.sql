DROP TABLE tenant_song_landmark_changes;
DROP TABLE tenant_song_landmarks;
