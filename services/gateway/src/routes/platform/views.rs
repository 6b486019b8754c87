use serde::Serialize;
use utoipa::ToSchema;

/// Limits and versions a client may want to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilitiesView {
    pub version: &'static str,
    pub default_page_size: u32,
    pub max_page_size: u32,
    pub import_max_rows: u32,
    pub playlist_max_entries: u32,
    /// The most songs on the list of one tenant.
    pub max_tenant_songs: u32,
    /// The most playlists of one user.
    pub max_playlists: u32,
    /// The most open song requests of one user.
    pub max_open_song_requests: u32,
    /// The most idempotency keys of one user for one route in a day.
    pub max_idempotency_keys_a_day: u32,
    /// The most values of one query parameter.
    pub max_values: usize,
    pub access_token_seconds: u32,
}
