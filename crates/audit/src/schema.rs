//! The table that every service has.

diesel::table! {
    audit_events (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        actor_id -> Nullable<Uuid>,
        actor_role -> Nullable<Text>,
        action -> Text,
        target_id -> Nullable<Uuid>,
        result -> Text,
        request_id -> Text,
        client_net -> Nullable<Text>,
        created_at -> Timestamptz,
        service -> Text,
    }
}
