ALTER TABLE challenges DROP COLUMN username, DROP COLUMN place;
