DROP INDEX challenges_of_address;
