DROP INDEX challenges_by_address;
