-- What a search looks through, made in Rust; empty in a row that is not filled in yet.
ALTER TABLE songs ADD COLUMN words text NOT NULL DEFAULT '';
