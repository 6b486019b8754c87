ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_session_fkey;
ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_session_fkey
    FOREIGN KEY (session_id) REFERENCES sessions (id) NOT VALID;
ALTER TABLE refresh_tokens VALIDATE CONSTRAINT refresh_tokens_session_fkey;
DROP INDEX sessions_by_end;
