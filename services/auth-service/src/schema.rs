//! The tables that the migrations make; a test compares the two.

diesel::table! {
    address_guesses (tenant_id, purpose, email_norm) {
        tenant_id -> Nullable<Uuid>,
        purpose -> Text,
        email_norm -> Text,
        guesses -> Integer,
        since -> Timestamptz,
    }
}

diesel::table! {
    tenants (id) {
        id -> Uuid,
        name -> Text,
        name_norm -> Text,
        slug -> Text,
        is_active -> Bool,
        is_premium -> Bool,
        premium_version -> BigInt,
        user_count -> BigInt,
        token_version -> BigInt,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        role -> Text,
        username -> Text,
        username_norm -> Text,
        email -> Text,
        email_norm -> Text,
        first_name -> Text,
        last_name -> Text,
        phone_no -> Text,
        password_hash -> Text,
        is_verified -> Bool,
        is_active -> Bool,
        totp_enabled -> Bool,
        token_version -> BigInt,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        deleted_by -> Nullable<Uuid>,
        name_norm -> Text,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        sealed -> Bytea,
        nonce -> Bytea,
        state -> Text,
        created_at -> Timestamptz,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    challenges (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        registration_id -> Nullable<Uuid>,
        purpose -> Text,
        email -> Text,
        email_norm -> Text,
        ttl_secs -> Integer,
        attempts -> Integer,
        sends -> Integer,
        last_sent_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
        consumed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        by_operator -> Bool,
        method -> Text,
        username -> Text,
        place -> Text,
    }
}

diesel::table! {
    user_operations (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        user_id -> Uuid,
        version -> BigInt,
        kind -> Text,
        actor_id -> Uuid,
        restore_data -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    authenticators (user_id) {
        user_id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        sealed -> Bytea,
        nonce -> Bytea,
        last_step -> BigInt,
        confirmed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    recovery_codes (id) {
        id -> Uuid,
        user_id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        key_id -> Text,
        mac -> Bytea,
        used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    challenge_codes (id) {
        id -> Uuid,
        challenge_id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        key_id -> Text,
        mac -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    registrations (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        username -> Text,
        username_norm -> Text,
        email -> Text,
        email_norm -> Text,
        first_name -> Text,
        last_name -> Text,
        phone_no -> Text,
        password_hash -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        user_id -> Uuid,
        client_net -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        auth_time -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_cause -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        session_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        kid -> Text,
        access_id -> Uuid,
        ver -> BigInt,
        tver -> BigInt,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    revocations (id) {
        id -> Uuid,
        subject -> Text,
        subject_id -> Uuid,
        min_version -> BigInt,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(users -> tenants (tenant_id));
diesel::joinable!(challenge_codes -> challenges (challenge_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::allow_tables_to_appear_in_same_query!(tenants, users);
diesel::allow_tables_to_appear_in_same_query!(challenges, challenge_codes);
diesel::allow_tables_to_appear_in_same_query!(sessions, refresh_tokens);
