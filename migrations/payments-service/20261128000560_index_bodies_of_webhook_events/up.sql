-- The id of an event stands in a header that nobody has signed; its body is signed.
CREATE INDEX webhook_events_by_body ON webhook_events (body_hash);
