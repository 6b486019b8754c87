DROP INDEX tenant_artists_parts;
