DROP TABLE challenge_codes;
DROP TABLE challenges;
