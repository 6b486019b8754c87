//! The tables that the migrations make; a test compares the two.

diesel::table! {
    tenants (id) {
        id -> Uuid,
        name -> Text,
        is_active -> Bool,
        version -> BigInt,
        is_deleted -> Bool,
    }
}

diesel::table! {
    payments (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        reference_id -> Text,
        status -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        attempt_number -> Integer,
        razorpay_payment_link_id -> Nullable<Text>,
        razorpay_order_id -> Nullable<Text>,
        razorpay_payment_id -> Nullable<Text>,
        payment_link_url -> Nullable<Text>,
        error_message -> Text,
        expires_at -> Nullable<Timestamptz>,
        paid_at -> Nullable<Timestamptz>,
        verified_at -> Nullable<Timestamptz>,
        activated_at -> Nullable<Timestamptz>,
        checked_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        check_after -> Nullable<Timestamptz>,
        refund_due_minor -> BigInt,
        refunded_minor -> BigInt,
        refunded_at -> Nullable<Timestamptz>,
        requested_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    payment_facts (payment_id, seq) {
        payment_id -> Uuid,
        seq -> Integer,
        tenant_id -> Uuid,
        fact -> Jsonb,
        cause -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    gateway_payments (gateway_id) {
        gateway_id -> Text,
        payment_id -> Uuid,
        tenant_id -> Uuid,
    }
}

diesel::table! {
    ledger_lines (entry, account) {
        entry -> Text,
        account -> Text,
        payment_id -> Uuid,
        tenant_id -> Uuid,
        amount_minor -> BigInt,
        currency -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    receipts (payment_id) {
        payment_id -> Uuid,
        tenant_id -> Uuid,
        amount_minor -> BigInt,
        currency -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payment_changes (id) {
        id -> Uuid,
        payment_id -> Uuid,
        tenant_id -> Uuid,
        status -> Text,
        cause -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (tenant_id) {
        tenant_id -> Uuid,
        is_premium -> Bool,
        activated_at -> Nullable<Timestamptz>,
        source -> Text,
        payment_id -> Nullable<Uuid>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_events (event_id) {
        event_id -> Text,
        event -> Text,
        body -> Jsonb,
        body_hash -> Text,
        state -> Text,
        note -> Text,
        deliveries -> Integer,
        attempts -> Integer,
        next_attempt_at -> Timestamptz,
        received_at -> Timestamptz,
        applied_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(payments, payment_changes, subscriptions, tenants, ledger_lines);
diesel::joinable!(ledger_lines -> payments (payment_id));
