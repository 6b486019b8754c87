//! The tables that the migrations make; a test compares the two.

diesel::table! {
    tenants (id) {
        id -> Uuid,
        is_premium -> Bool,
        premium_version -> BigInt,
    }
}

diesel::table! {
    genres (id) {
        id -> Uuid,
        name -> Text,
        name_norm -> Text,
        description -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    songs (id) {
        id -> Uuid,
        tenant_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        title -> Text,
        artist -> Text,
        album -> Text,
        title_norm -> Text,
        artist_norm -> Text,
        album_norm -> Text,
        genre_id -> Uuid,
        duration -> Nullable<SmallInt>,
        release_year -> Nullable<SmallInt>,
        artwork -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        counted_out -> Bool,
        words -> Text,
    }
}

diesel::table! {
    tenant_songs (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        song_id -> Uuid,
        is_active -> Bool,
        title_norm -> Text,
        artist_norm -> Text,
        album_norm -> Text,
        genre_id -> Uuid,
        release_year -> SmallInt,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        title -> Text,
        artist -> Text,
        album -> Text,
        duration -> Nullable<SmallInt>,
        artwork -> Nullable<Text>,
        is_global -> Bool,
        words -> Text,
    }
}

diesel::table! {
    genre_song_counts (tenant_id, genre_id) {
        tenant_id -> Uuid,
        genre_id -> Uuid,
        total -> BigInt,
    }
}

diesel::table! {
    song_counts (tenant_id) {
        tenant_id -> Uuid,
        total -> BigInt,
    }
}

diesel::table! {
    search_words (tenant_id, word) {
        tenant_id -> Uuid,
        word -> Text,
    }
}

diesel::table! {
    tenant_artists (tenant_id, artist_norm) {
        tenant_id -> Uuid,
        artist_norm -> Text,
    }
}

diesel::table! {
    tenant_song_counts (tenant_id) {
        tenant_id -> Uuid,
        total -> BigInt,
        approved -> BigInt,
    }
}

diesel::table! {
    tenant_song_landmarks (tenant_id, created_at) {
        tenant_id -> Uuid,
        created_at -> Timestamptz,
        older -> BigInt,
        older_approved -> BigInt,
    }
}

diesel::table! {
    // Rows have no key: those of a time add up.
    tenant_song_landmark_changes (tenant_id, created_at) {
        tenant_id -> Uuid,
        created_at -> Timestamptz,
        total -> BigInt,
        approved -> BigInt,
    }
}

diesel::table! {
    // Rows have no key: those of a bucket add up.
    tenant_song_histograms (tenant_id, sorted_by, bucket) {
        tenant_id -> Uuid,
        sorted_by -> Text,
        bucket -> Integer,
        total -> BigInt,
        approved -> BigInt,
        is_base -> Bool,
    }
}

diesel::table! {
    playlists (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        name_norm -> Text,
        description -> Text,
        song_count -> BigInt,
        total_duration -> BigInt,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        deleted_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    playlist_entries (playlist_id, tenant_song_id) {
        playlist_id -> Uuid,
        tenant_song_id -> Uuid,
        tenant_id -> Uuid,
        position -> BigInt,
        added_at -> Timestamptz,
    }
}

diesel::table! {
    song_requests (id) {
        id -> Uuid,
        tenant_id -> Uuid,
        user_id -> Uuid,
        song_title -> Text,
        artist_name -> Text,
        album_name -> Text,
        additional_notes -> Text,
        title_norm -> Text,
        artist_norm -> Text,
        status -> Text,
        reviewed_by -> Nullable<Uuid>,
        reviewed_at -> Nullable<Timestamptz>,
        rejection_reason -> Text,
        fulfilled_song -> Nullable<Uuid>,
        fulfilled_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        deleted_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    user_versions (user_id) {
        user_id -> Uuid,
        tenant_id -> Uuid,
        version -> BigInt,
        is_deleted -> Bool,
    }
}

diesel::joinable!(songs -> genres (genre_id));
diesel::joinable!(tenant_songs -> songs (song_id));
diesel::joinable!(playlist_entries -> tenant_songs (tenant_song_id));
diesel::allow_tables_to_appear_in_same_query!(songs, genres, tenant_songs, playlist_entries, tenant_song_counts);
