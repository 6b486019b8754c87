-- Django's Argon2 hashes take longer than ours, as its PBKDF2 hashes do.
CREATE INDEX users_with_any_old_hash ON users (id)
    WHERE (password_hash LIKE 'pbkdf2%' OR password_hash LIKE 'argon2$%') AND deleted_at IS NULL;
