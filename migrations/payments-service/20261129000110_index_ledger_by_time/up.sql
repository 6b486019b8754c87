-- For exports of a span of time.
CREATE INDEX ledger_lines_by_time ON ledger_lines (created_at, entry, account);
