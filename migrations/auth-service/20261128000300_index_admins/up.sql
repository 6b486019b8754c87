-- The platform's lists of ADMINs are over all tenants.
CREATE INDEX users_admins ON users (created_at DESC, id DESC) WHERE role = 'ADMIN' AND deleted_at IS NULL;
CREATE INDEX users_admins_deleted ON users (deleted_at DESC, id DESC) WHERE role = 'ADMIN' AND deleted_at IS NOT NULL;
