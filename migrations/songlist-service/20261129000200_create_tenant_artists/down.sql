DROP TABLE tenant_artists;
