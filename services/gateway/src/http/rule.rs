//! What one route states: method and path, who may call it, how often, what it carries and what it answers.
//!
//! Routes declare their rules beside their handlers, with the builders of `rule_builder.rs`.

use actix_web::http::Method as HttpMethod;
use kit::caller::Role;

use crate::http::context::Handler;
use crate::http::json_schema::Schema;
use crate::http::rate::Rate;

/// Every role.
pub(crate) const SIGNED_IN: &[Role] = &[Role::Listener, Role::Admin, Role::SuperAdmin];
/// The roles that belong to a tenant.
pub(crate) const TENANT: &[Role] = &[Role::Listener, Role::Admin];
/// Those who run a tenant.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];
/// Those who run a tenant or the platform.
pub(crate) const ADMINS: &[Role] = &[Role::Admin, Role::SuperAdmin];
/// Those who run the platform.
pub(crate) const PLATFORM: &[Role] = &[Role::SuperAdmin];

/// The methods that routes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// True when this rule answers a request of `method`; HEAD mirrors GET.
    pub(crate) fn serves(self, method: &HttpMethod) -> bool {
        method.as_str() == self.name() || (self == Self::Get && method == HttpMethod::HEAD)
    }

    /// True when it changes something.
    pub(crate) fn writes(self) -> bool {
        self != Self::Get
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// These roles; everybody else who is signed in gets 403.
    Roles(&'static [Role]),
}

/// What of the tenants a caller reaches; enforced by the owning service, stated here for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No tenant data.
    None,
    /// The caller's own rows.
    Own,
    /// A LISTENER's own rows, an ADMIN's whole tenant.
    OwnOrTenant,
    /// The caller's tenant.
    Tenant,
    /// The tenant that the path names, before sign-in.
    PathTenant,
    /// The platform for a SUPER_ADMIN, the own tenant for an ADMIN.
    PlatformOrTenant,
    /// The platform.
    Platform,
}

impl Reach {
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "no tenant data",
            Self::Own => "own rows",
            Self::OwnOrTenant => "own rows; ADMIN: own tenant",
            Self::Tenant => "own tenant",
            Self::PathTenant => "tenant of the path",
            Self::PlatformOrTenant => "platform; ADMIN: own tenant",
            Self::Platform => "platform",
        }
    }
}

/// What a request carries.
#[derive(Clone, Copy)]
pub enum Body {
    None,
    /// A JSON object of at most so many bytes.
    Json(usize, Schema),
    /// Raw bytes, at most so many, of any type.
    Raw(usize),
    /// A stream of at most so many bytes that the handler reads.
    Upload(usize),
}

impl Body {
    /// The most bytes it may have.
    pub(crate) fn max(self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(max, _) | Self::Raw(max) | Self::Upload(max) => max,
        }
    }
}

/// What a good answer looks like.
#[derive(Clone, Copy)]
pub enum Answer {
    /// `{"status":"success","message":…,"data":…}` with this status; no data without a schema.
    Data(u16, Option<Schema>),
    /// A page of these.
    List(Schema),
    /// This object without an envelope.
    Bare(Schema),
    /// 204.
    NoContent,
    /// Something that is not JSON.
    Other(&'static str),
}

/// One route and method.
pub struct Rule {
    pub method: Method,
    /// Under `/api/v1` unless it begins with `//`; with its final slash, and served without it too.
    pub path: &'static str,
    pub access: Access,
    pub reach: Reach,
    pub(crate) rate: Rate,
    pub body: Body,
    pub answer: Answer,
    /// Query parameters it knows; any other is refused.
    pub query: &'static [&'static str],
    /// `Idempotency-Key` is honoured.
    pub repeatable: bool,
    pub summary: &'static str,
    pub(crate) handler: &'static dyn Handler,
}

impl Rule {
    /// The whole path, with its final slash.
    pub fn full_path(&self) -> String {
        match self.path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(root) => root.to_owned(),
            None => format!("/api/v1{}", self.path),
        }
    }

    /// True when `role` may call it.
    pub fn allows(&self, role: Role) -> bool {
        match self.access {
            Access::Public => true,
            Access::Roles(roles) => roles.contains(&role),
        }
    }

    /// True when it answers with a page, and so knows `page` and `page_size`.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.answer, Answer::List(_))
    }
}
