-- A release that knows no words changes titles and leaves the words; the job fills in what this empties.
CREATE FUNCTION forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.words := '';
    RETURN NEW;
END $$;
CREATE TRIGGER songs_forget_words BEFORE UPDATE ON songs FOR EACH ROW
    WHEN (NEW.words = OLD.words AND (NEW.title, NEW.artist, NEW.album) IS DISTINCT FROM (OLD.title, OLD.artist, OLD.album))
    EXECUTE FUNCTION forget_words();
CREATE TRIGGER tenant_songs_forget_words BEFORE UPDATE ON tenant_songs FOR EACH ROW
    WHEN (NEW.words = OLD.words AND (NEW.title, NEW.artist, NEW.album) IS DISTINCT FROM (OLD.title, OLD.artist, OLD.album))
    EXECUTE FUNCTION forget_words();
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION forget_words() TO %I', replace(current_user, '_owner', '_rw'));
END $$;
