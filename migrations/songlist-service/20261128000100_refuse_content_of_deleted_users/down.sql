ALTER TABLE user_versions DROP COLUMN is_deleted;
