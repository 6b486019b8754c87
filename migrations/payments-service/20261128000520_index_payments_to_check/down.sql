DROP INDEX payments_to_check;
