DROP INDEX ledger_lines_by_time;
