diesel::table! {
    outbox (id) {
        id -> Uuid,
        topic -> Text,
        tenant_id -> Nullable<Uuid>,
        aggregate_id -> Uuid,
        version -> BigInt,
        payload -> Jsonb,
        request_id -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Timestamptz,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    inbox (consumer, message_id) {
        consumer -> Text,
        message_id -> Uuid,
        received_at -> Timestamptz,
    }
}
