ALTER TABLE tenants DROP COLUMN is_deleted;
