ALTER TABLE tenants ADD COLUMN is_deleted boolean NOT NULL DEFAULT false;
