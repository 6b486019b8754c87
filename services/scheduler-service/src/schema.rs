//! The tables that the migrations make; a test compares the two.

diesel::table! {
    jobs (name) {
        name -> Text,
        service -> Text,
        every_secs -> Integer,
        enabled -> Bool,
        next_run_at -> Timestamptz,
        last_run_at -> Nullable<Timestamptz>,
        last_result -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    runs (id) {
        id -> Uuid,
        job -> Text,
        fence -> BigInt,
        started_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        ok -> Nullable<Bool>,
        result -> Text,
    }
}

diesel::table! {
    lease (id) {
        id -> SmallInt,
        holder -> Nullable<Uuid>,
        fence -> BigInt,
        expires_at -> Timestamptz,
    }
}
