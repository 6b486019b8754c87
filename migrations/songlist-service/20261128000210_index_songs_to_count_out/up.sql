-- There are few of them at any time: the count of a list looks at each.
CREATE INDEX songs_to_count_out ON songs (deleted_at, id) WHERE deleted_at IS NOT NULL AND NOT counted_out;
