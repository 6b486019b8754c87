-- Since when a key is in its state: a new key is published before it is used, and an old one as long as its tokens live.
ALTER TABLE signing_keys ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
