DROP TABLE ledger_lines;
DROP FUNCTION check_ledger_entry;
