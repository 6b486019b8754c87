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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tk_02_and_tk_04_an_access_token_and_a_refresh_token_differ_in_type_audience_and_header() {
        let texts = |kind: TokenKind| (kind.typ(), kind.audience(), kind.token_type());
        assert_eq!(texts(TokenKind::Access), ("at+jwt", "songlist-api", "access"));
        assert_eq!(texts(TokenKind::Refresh), ("rt+jwt", "songlist-auth", "refresh"));
    }

    #[test]
    fn tk_03_a_role_stands_for_an_actor_only_with_the_tenant_that_fits_it() {
        let (id, tenant) = (UserId::new(), TenantId::new());
        let claims = |role, tenant_id| Claims {
            iss: String::new(),
            aud: String::new(),
            sub: id.to_string(),
            exp: 0,
            iat: 0,
            nbf: 0,
            jti: kit::ids::random(),
            sid: SessionId::new(),
            token_type: String::new(),
            user_id: id,
            role,
            tenant_id,
            ver: 1,
            tver: 1,
            auth_time: 0,
        };
        assert!(matches!(claims(Role::SuperAdmin, None).actor(), Some(Actor::Platform { .. })));
        for role in [Role::Listener, Role::Admin] {
            let actor = claims(role, Some(tenant)).actor();
            assert!(matches!(actor, Some(Actor::User { role: of, tenant: at, .. }) if of == role && at == tenant));
            assert!(claims(role, None).actor().is_none());
        }
        assert!(claims(Role::SuperAdmin, Some(tenant)).actor().is_none());
    }
}
