use kit::caller::{Actor, Role, Session};
use kit::ids::{SessionId, TenantId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a token is for. Each kind has its own `typ` and audience, and each verifier refuses the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    pub(crate) fn typ(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Refresh => "rt+jwt",
        }
    }

    pub(crate) fn audience(self) -> &'static str {
        match self {
            Self::Access => "songlist-api",
            Self::Refresh => "songlist-auth",
        }
    }

    /// The value of the claim `token_type`.
    pub fn token_type(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// The claims of a token: ids, role and versions, no name and no e-mail. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub jti: Uuid,
    pub sid: SessionId,
    pub token_type: String,
    pub user_id: UserId,
    pub role: Role,
    pub tenant_id: Option<TenantId>,
    /// Version of the user; raised whenever all sessions of the user are ended.
    pub ver: i64,
    /// Version of the tenant, 0 for SUPER_ADMINs; raised when the tenant is deactivated.
    pub tver: i64,
    /// When the user authenticated.
    pub auth_time: i64,
}

impl Claims {
    /// The actor that the token stands for; `None` when role and tenant do not fit together.
    pub fn actor(&self) -> Option<Actor> {
        let auth_time = chrono::DateTime::from_timestamp(self.auth_time, 0)?;
        let session = Session { id: self.sid, ver: self.ver, auth_time };
        match (self.role, self.tenant_id) {
            (Role::SuperAdmin, None) => Some(Actor::Platform { id: self.user_id, session }),
            (Role::Listener | Role::Admin, Some(tenant)) => {
                Some(Actor::User { id: self.user_id, tenant, role: self.role, session })
            }
            _ => None,
        }
    }
}
