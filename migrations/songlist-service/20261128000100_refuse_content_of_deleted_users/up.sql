-- Whether a user is deleted after the newest operation that was applied: nothing is made for such a user.
ALTER TABLE user_versions ADD COLUMN is_deleted boolean NOT NULL DEFAULT false;
