//! The rule of one route: method and path, who may call it and how often, what it accepts and what it answers.
//!
//! Routes declare their rules beside their handlers, with the builders of `rule_builder.rs`.

use std::time::Duration;

use actix_web::http::Method as HttpMethod;
use kit::Code;
use kit::caller::Role;

use crate::http::context::Handler;
use crate::http::json_schema::Schema;
use crate::http::param::{BY_CURSOR, PAGING, Param};
use crate::http::rate::Rate;

/// Every role.
pub(crate) const SIGNED_IN: &[Role] = &[Role::Listener, Role::Admin, Role::SuperAdmin];
/// The roles that belong to a tenant.
pub(crate) const TENANT: &[Role] = &[Role::Listener, Role::Admin];
/// The role of those who listen.
pub(crate) const LISTENER: &[Role] = &[Role::Listener];
/// The role that manages a tenant.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];
/// The roles that manage a tenant or the platform.
pub(crate) const ADMINS: &[Role] = &[Role::Admin, Role::SuperAdmin];
/// The role that manages the platform.
pub(crate) const PLATFORM: &[Role] = &[Role::SuperAdmin];

/// The methods that routes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// True when a rule with this method answers requests of `method`; GET also answers HEAD.
    pub(crate) fn serves(self, method: &HttpMethod) -> bool {
        method.as_str() == self.name() || (self == Self::Get && method == HttpMethod::HEAD)
    }

    /// True when requests with this method change data.
    pub(crate) fn writes(self) -> bool {
        self != Self::Get
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Users with these roles; other users get 403.
    Roles(&'static [Role]),
}

/// Which tenants' data a caller can reach. The owning service enforces it; here it is only documented.
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

/// The body of a request.
#[derive(Clone, Copy)]
pub enum Body {
    None,
    /// A JSON object of at most this many bytes.
    Json(usize, Schema),
    /// The same, and it may be left out.
    MaybeJson(usize, Schema),
    /// At most this many bytes of any type.
    Raw(usize),
    /// At most this many bytes of one of these media types.
    File(usize, &'static [&'static str]),
    /// A stream of at most this many bytes, which the handler reads.
    Upload(usize),
}

impl Body {
    /// The largest size in bytes.
    pub(crate) fn max(self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(max, _) | Self::MaybeJson(max, _) | Self::Raw(max) | Self::File(max, _) | Self::Upload(max) => {
                max
            }
        }
    }
}

/// The form of a successful answer.
#[derive(Clone, Copy)]
pub enum Answer {
    /// `{"status":"success","message":…,"data":…}` with this status; no data without a schema.
    Data(u16, Option<Schema>),
    /// A page of rows with this schema.
    List(Schema),
    /// An object with this schema and without an envelope.
    Bare(Schema),
    /// 204 without a body.
    NoContent,
    /// A document of this media type, which is not JSON.
    Other(&'static [&'static str]),
}

/// One route and method.
pub struct Rule {
    pub method: Method,
    /// The path under `/api/v1`, or from the root when it begins with `//`. It ends with a slash and is served without
    /// it too.
    pub path: &'static str,
    pub access: Access,
    pub reach: Reach,
    pub(crate) rate: Rate,
    pub body: Body,
    pub answer: Answer,
    /// The query parameters that the route accepts besides those of lists; any other is refused.
    pub query: &'static [&'static [Param]],
    /// What a SUPER_ADMIN is answered instead of a page of rows.
    pub platform_data: Option<Schema>,
    /// Whether the list can be read by cursor.
    pub by_cursor: bool,
    /// Whether `Idempotency-Key` is accepted.
    pub repeatable: bool,
    /// Whether the object has an ETag, with which it is asked for and changed conditionally.
    pub versioned: bool,
    /// Whether the answer names the place of what was made.
    pub locates: bool,
    /// Whether the route that creates answers 200 when there was something already.
    pub also_200: bool,
    /// The codes of errors besides those that every route of its kind has.
    pub codes: &'static [Code],
    /// The name of the operation in generated clients; routes without one are not part of the document.
    pub id: &'static str,
    pub summary: &'static str,
    /// The time that a request may take in total, whatever it calls.
    pub(crate) budget: Duration,
    pub(crate) handler: &'static dyn Handler,
}

impl Rule {
    /// The whole path, with the final slash.
    pub fn full_path(&self) -> String {
        match self.path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(root) => root.to_owned(),
            None => format!("/api/v1{}", self.path),
        }
    }

    /// The path as clients are told: files at the root have no final slash.
    pub fn documented_path(&self) -> String {
        let path = self.full_path();
        let is_file = path.trim_end_matches('/').ends_with(".json");
        if is_file { path.trim_end_matches('/').to_owned() } else { path }
    }

    /// True when users with `role` may call the route.
    pub fn allows(&self, role: Role) -> bool {
        match self.access {
            Access::Public => true,
            Access::Roles(roles) => roles.contains(&role),
        }
    }

    /// Every query parameter that the route accepts.
    pub fn params(&self) -> impl Iterator<Item = &'static Param> {
        let paging = if self.is_list() { PAGING } else { &[] };
        let by_cursor = if self.by_cursor { BY_CURSOR } else { &[] };
        self.query.iter().copied().flatten().chain(paging).chain(by_cursor)
    }

    /// True when the route answers with a page, so that it accepts `page` and `page_size`.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.answer, Answer::List(_))
    }
}
