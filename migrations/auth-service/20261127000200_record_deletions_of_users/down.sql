DROP INDEX users_deleted;
DROP TABLE user_operations;
