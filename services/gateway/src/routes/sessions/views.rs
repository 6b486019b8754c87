use proto::auth as pb;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::reply::time;

/// At most a hundred sessions.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct SessionsView(pub Vec<SessionView>);

/// A session as its user recognises it.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    pub id: String,
    /// True for the session that asks.
    pub is_current: bool,
    pub created_at: String,
    pub last_used_at: String,
    /// When it ends, whatever is refreshed.
    pub expires_at: String,
    /// Where it was opened, roughly: a network of 256 addresses, or a /48.
    pub network: Option<String>,
    pub user_agent: Option<String>,
}

impl From<pb::ListSessionsResponse> for SessionsView {
    fn from(found: pb::ListSessionsResponse) -> Self {
        let view = |session: pb::Session| SessionView {
            id: session.id,
            is_current: session.is_current,
            created_at: time(session.created_at),
            last_used_at: time(session.last_used_at),
            expires_at: time(session.expires_at),
            network: session.network,
            user_agent: session.user_agent,
        };
        Self(found.sessions.into_iter().map(view).collect())
    }
}
