-- First name, last name and username in the form that filters compare: without case and accents.
ALTER TABLE users ADD COLUMN name_norm text NOT NULL DEFAULT '';
