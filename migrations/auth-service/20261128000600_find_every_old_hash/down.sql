DROP INDEX users_with_any_old_hash;
