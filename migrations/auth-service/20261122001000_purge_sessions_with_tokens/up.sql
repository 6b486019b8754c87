-- Old sessions are purged by the time they ended, and take their tokens with them.
CREATE INDEX sessions_by_end ON sessions (least(revoked_at, expires_at));
ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_session_fkey;
ALTER TABLE refresh_tokens
    ADD CONSTRAINT refresh_tokens_session_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE refresh_tokens VALIDATE CONSTRAINT refresh_tokens_session_fkey;
