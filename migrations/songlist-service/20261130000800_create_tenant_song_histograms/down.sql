DROP FUNCTION buckets_of(text, text, smallint);
DROP TABLE tenant_song_histograms;
