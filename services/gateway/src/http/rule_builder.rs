//! How a route declares its rule: `Rule::post("/playlists/", &create).roles(TENANT).body::<NewPlaylist>()`.
//!
//! The defaults are the strict ones: nobody may call a rule that names neither roles nor [`Rule::public`], and a test of the
//! policy table refuses such a rule.

use kit::caller::Role;
use utoipa::ToSchema;

use crate::http::context::Handler;
use crate::http::json_schema::schema;
use crate::http::rate::Rate;
use crate::http::rule::{Access, Answer, Body, Method, Reach, Rule};

/// Bytes of a body that holds a password or a code.
const SECRETS_BODY: usize = 64 * 1024;
/// Bytes of any other JSON body.
const JSON_BODY: usize = 1024 * 1024;

impl Rule {
    const fn new<H: Handler>(method: Method, rate: Rate, path: &'static str, handler: &'static H) -> Self {
        Self {
            method,
            path,
            access: Access::Roles(&[]),
            reach: Reach::None,
            rate,
            body: Body::None,
            answer: Answer::NoContent,
            query: &[],
            repeatable: false,
            summary: "",
            handler,
        }
    }

    pub(crate) const fn get<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Get, Rate::Read, path, handler)
    }

    pub(crate) const fn post<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Post, Rate::Write, path, handler)
    }

    pub(crate) const fn patch<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Patch, Rate::Write, path, handler)
    }

    pub(crate) const fn delete<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Delete, Rate::Write, path, handler)
    }

    /// Anybody may call it, at the rate of public routes unless another one is stated after this.
    pub(crate) const fn public(mut self) -> Self {
        self.access = Access::Public;
        self.rate = Rate::Public;
        self
    }

    pub(crate) const fn roles(mut self, roles: &'static [Role]) -> Self {
        self.access = Access::Roles(roles);
        self
    }

    pub(crate) const fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    pub(crate) const fn rate(mut self, rate: Rate) -> Self {
        self.rate = rate;
        self
    }

    pub(crate) const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    /// Honours `Idempotency-Key`.
    pub(crate) const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// One sentence for the document, without a full stop.
    pub(crate) const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Takes a JSON object.
    pub(crate) const fn body<T: ToSchema>(mut self) -> Self {
        self.body = Body::Json(JSON_BODY, schema::<T>);
        self
    }

    /// Takes a small JSON object that holds a password, a code or a token.
    pub(crate) const fn secrets<T: ToSchema>(mut self) -> Self {
        self.body = Body::Json(SECRETS_BODY, schema::<T>);
        self
    }

    /// Takes raw bytes, at most `max`.
    pub(crate) const fn raw(mut self, max: usize) -> Self {
        self.body = Body::Raw(max);
        self
    }

    /// Takes a stream that the handler reads, at most `max` bytes.
    pub(crate) const fn upload(mut self, max: usize) -> Self {
        self.body = Body::Upload(max);
        self
    }

    /// 200 with data in the envelope.
    pub(crate) const fn data<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Data(200, Some(schema::<T>));
        self
    }

    /// 201 with data in the envelope.
    pub(crate) const fn created<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Data(201, Some(schema::<T>));
        self
    }

    /// 200 with a message and no data.
    pub(crate) const fn done(mut self) -> Self {
        self.answer = Answer::Data(200, None);
        self
    }

    /// A page of rows.
    pub(crate) const fn list<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::List(schema::<T>);
        self
    }

    /// 200 with an object and no envelope.
    pub(crate) const fn bare<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Bare(schema::<T>);
        self
    }

    /// 204.
    pub(crate) const fn no_content(mut self) -> Self {
        self.answer = Answer::NoContent;
        self
    }

    /// 200 with a document of this media type.
    pub(crate) const fn other(mut self, media_type: &'static str) -> Self {
        self.answer = Answer::Other(media_type);
        self
    }
}
