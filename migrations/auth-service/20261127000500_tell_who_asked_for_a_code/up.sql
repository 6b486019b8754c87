-- What the mail of a code tells: for which user, and from where it was asked for.
ALTER TABLE challenges
    ADD COLUMN username text NOT NULL DEFAULT '',
    ADD COLUMN place text NOT NULL DEFAULT '';
