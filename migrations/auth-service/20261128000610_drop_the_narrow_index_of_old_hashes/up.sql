DROP INDEX users_with_old_hash;
