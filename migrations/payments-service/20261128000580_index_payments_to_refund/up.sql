CREATE INDEX payments_to_refund ON payments (created_at DESC, id DESC) WHERE refund_due_minor > 0;
