-- What SUPER_ADMINs did to ADMINs is recorded with the tenant; the platform sees it too.
CREATE INDEX audit_events_of_platform ON audit_events (created_at DESC, id DESC)
    WHERE tenant_id IS NULL OR actor_role = 'SUPER_ADMIN';
DROP POLICY audit_events_scope ON audit_events;
CREATE POLICY audit_events_scope ON audit_events USING (
    tenant_id = nullif(current_setting('app.tenant', true), '')::uuid
    OR ((SELECT current_setting('app.scope', true)) = 'platform' AND (tenant_id IS NULL OR actor_role = 'SUPER_ADMIN'))
    OR (SELECT current_setting('app.scope', true)) = 'worker'
);
