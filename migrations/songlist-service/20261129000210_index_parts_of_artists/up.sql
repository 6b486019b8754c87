CREATE INDEX tenant_artists_parts ON tenant_artists USING gin (tenant_id, artist_norm gin_trgm_ops);
