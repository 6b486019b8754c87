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
    pub access_token_seconds: u32,
}
