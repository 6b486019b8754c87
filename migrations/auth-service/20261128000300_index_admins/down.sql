DROP INDEX users_admins_deleted;
DROP INDEX users_admins;
