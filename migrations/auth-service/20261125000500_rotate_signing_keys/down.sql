ALTER TABLE signing_keys DROP COLUMN changed_at;
