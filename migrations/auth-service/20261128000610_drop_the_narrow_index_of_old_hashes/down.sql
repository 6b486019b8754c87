CREATE INDEX users_with_old_hash ON users (id) WHERE password_hash LIKE 'pbkdf2%' AND deleted_at IS NULL;
