-- Tables without a tenant have policies too.
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_read ON tenants FOR SELECT USING (id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid) OR (SELECT current_setting('app.scope', true)) IN ('platform', 'worker'));
CREATE POLICY tenants_worker ON tenants USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_events_worker ON webhook_events USING ((SELECT current_setting('app.scope', true)) = 'worker');
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY inbox_worker ON inbox USING ((SELECT current_setting('app.scope', true)) = 'worker');
