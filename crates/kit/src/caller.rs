//! The caller: the actor behind a request, with the request's id, its client and its idempotency key.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::ids::{SessionId, TenantId, UserId};

/// The three roles of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    Listener,
    Admin,
    SuperAdmin,
}

impl Role {
    /// The name in SQL, JSON and tokens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listener => "LISTENER",
            Self::Admin => "ADMIN",
            Self::SuperAdmin => "SUPER_ADMIN",
        }
    }

    /// The role with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Listener, Self::Admin, Self::SuperAdmin].into_iter().find(|role| role.name() == name)
    }
}

/// The signed-in session behind a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    /// Version of the user when the token was made.
    pub ver: i64,
    /// When the user authenticated.
    pub auth_time: DateTime<Utc>,
}

/// On whose behalf a call is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody has signed in: registration, login, webhooks.
    Anonymous,
    /// A LISTENER or ADMIN of one tenant.
    User { id: UserId, tenant: TenantId, role: Role, session: Session },
    /// A SUPER_ADMIN.
    Platform { id: UserId, session: Session },
    /// A service on its own behalf.
    System { service: String },
}

/// The idempotency key of a request with a hash of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    pub key: String,
    /// Hex SHA-256 over route and body.
    pub request_hash: String,
}

/// Everything that a service knows about a request besides its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub actor: Actor,
    pub request_id: String,
    /// The client's network (/32 or /64), when there is a client.
    #[serde(default)]
    pub client_net: Option<String>,
    #[serde(default)]
    pub user_agent: Option<String>,
    #[serde(default)]
    pub idempotency: Option<Idempotency>,
}

impl Caller {
    /// A service that acts on its own behalf.
    pub fn system(service: &str) -> Self {
        Self {
            actor: Actor::System { service: service.to_owned() },
            request_id: crate::ids::random().to_string(),
            client_net: None,
            user_agent: None,
            idempotency: None,
        }
    }

    /// Where the client roughly is, for what is kept for long: the first three bytes of an IPv4 address, the first three
    /// words of an IPv6 one.
    pub fn place(&self) -> Option<String> {
        self.client_net.as_deref().and_then(place_of)
    }

    /// The user who calls, with the user's tenant (`None`: a SUPER_ADMIN).
    ///
    /// # Errors
    /// `Forbidden` when nobody is signed in.
    pub fn user(&self) -> Result<(UserId, Option<TenantId>), Error> {
        match &self.actor {
            Actor::User { id, tenant, .. } => Ok((*id, Some(*tenant))),
            Actor::Platform { id, .. } => Ok((*id, None)),
            Actor::Anonymous | Actor::System { .. } => Err(Error::forbidden()),
        }
    }

    /// The LISTENER or ADMIN who calls, with the tenant.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn tenant_user(&self) -> Result<(UserId, TenantId, Role), Error> {
        match &self.actor {
            Actor::User { id, tenant, role, .. } => Ok((*id, *tenant, *role)),
            _ => Err(Error::forbidden()),
        }
    }

    /// The LISTENER or ADMIN who calls, with the tenant, and the owner to whose things the caller is limited: a LISTENER to
    /// the own ones, an ADMIN is not limited within the tenant.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn limited_to_own(&self) -> Result<(UserId, TenantId, Option<UserId>), Error> {
        let (user, tenant, role) = self.tenant_user()?;
        Ok((user, tenant, (role == Role::Listener).then_some(user)))
    }

    /// The ADMIN who calls, with the tenant.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn admin(&self) -> Result<(UserId, TenantId), Error> {
        match self.tenant_user()? {
            (id, tenant, Role::Admin) => Ok((id, tenant)),
            _ => Err(Error::forbidden()),
        }
    }

    /// The SUPER_ADMIN who calls.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn super_admin(&self) -> Result<UserId, Error> {
        match &self.actor {
            Actor::Platform { id, .. } => Ok(*id),
            _ => Err(Error::forbidden()),
        }
    }

    /// The service that calls.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn service(&self) -> Result<&str, Error> {
        match &self.actor {
            Actor::System { service } => Ok(service),
            _ => Err(Error::forbidden()),
        }
    }

    /// Ids for a log line: user and tenant, empty when there is none.
    pub fn log_ids(&self) -> (String, String) {
        match &self.actor {
            Actor::User { id, tenant, .. } => (id.to_string(), tenant.to_string()),
            Actor::Platform { id, .. } => (id.to_string(), String::new()),
            Actor::System { service } => (service.clone(), String::new()),
            Actor::Anonymous => (String::new(), String::new()),
        }
    }
}

/// Where a client's network roughly is, see [`Caller::place`].
pub fn place_of(net: &str) -> Option<String> {
    let address = net.split('/').next().unwrap_or(net).parse::<IpAddr>().ok()?;
    Some(match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    })
}
