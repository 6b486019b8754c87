ALTER TABLE challenges DROP COLUMN by_operator;
DROP TABLE address_guesses;
