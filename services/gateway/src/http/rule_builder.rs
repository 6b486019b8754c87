//! How a route declares its rule: `Rule::post("/playlists/", &create).roles(TENANT).body::<NewPlaylist>()`.
//!
//! The defaults are strict: nobody may call a route whose rule names neither roles nor [`Rule::public`], and a test of
//! the policy table refuses such a rule.

use std::time::Duration;

use kit::Code;
use kit::caller::Role;
use utoipa::ToSchema;

use crate::http::context::Handler;
use crate::http::json_schema::schema;
use crate::http::param::Param;
use crate::http::rate::Rate;
use crate::http::rule::{Access, Answer, Body, Method, Reach, Rule};

/// The time that most requests may take.
const BUDGET: Duration = Duration::from_secs(2);

/// The largest JSON body in bytes: a thousand ids fit. It is parsed between the requests of others, which a megabyte delays
/// by ten milliseconds.
const JSON_BODY: usize = 64 * 1024;
/// The largest JSON body with long lists in bytes.
const LARGE_JSON_BODY: usize = 512 * 1024;

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
            by_cursor: false,
            repeatable: false,
            platform_data: None,
            versioned: false,
            locates: false,
            also_200: false,
            codes: &[],
            id: "",
            summary: "",
            budget: BUDGET,
            handler,
        }
    }

    pub(crate) const fn get<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Get, Rate::Read, path, handler)
    }

    pub(crate) const fn post<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Post, Rate::Write, path, handler)
    }

    pub(crate) const fn put<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Put, Rate::Write, path, handler)
    }

    pub(crate) const fn patch<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Patch, Rate::Write, path, handler)
    }

    pub(crate) const fn delete<H: Handler>(path: &'static str, handler: &'static H) -> Self {
        Self::new(Method::Delete, Rate::Write, path, handler)
    }

    /// Anybody may call the route, at the rate of public routes unless another rate is set after this.
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

    /// Accepts these query parameters.
    pub(crate) const fn query(mut self, params: &'static [&'static [Param]]) -> Self {
        self.query = params;
        self
    }

    /// The list can be read by cursor too.
    pub(crate) const fn by_cursor(mut self) -> Self {
        self.by_cursor = true;
        self
    }

    /// Accepts `Idempotency-Key`.
    pub(crate) const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The object has an ETag: GET honours `If-None-Match`; PATCH and DELETE with this honour `If-Match`.
    pub(crate) const fn versioned(mut self) -> Self {
        self.versioned = true;
        self
    }

    /// The answer to a creation has a `Location`.
    pub(crate) const fn locates(mut self) -> Self {
        self.locates = true;
        self
    }

    /// A creation answers 200 when there was something already.
    pub(crate) const fn also_200(mut self) -> Self {
        self.also_200 = true;
        self
    }

    /// What the route refuses besides what every route of its kind refuses; for the OpenAPI document.
    pub(crate) const fn codes(mut self, codes: &'static [Code]) -> Self {
        self.codes = codes;
        self
    }

    /// The name of the operation in generated clients, such as `list_songs`.
    pub(crate) const fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    /// The request may take so many seconds, because it writes many rows or because somebody else is asked.
    pub(crate) const fn within_secs(mut self, secs: u64) -> Self {
        self.budget = Duration::from_secs(secs);
        self
    }

    /// One sentence for the OpenAPI document, without a full stop.
    pub(crate) const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Accepts a JSON object of at most 64 KiB.
    pub(crate) const fn body<T: ToSchema>(mut self) -> Self {
        self.body = Body::Json(JSON_BODY, schema::<T>);
        self
    }

    /// Accepts a JSON object of at most 512 KiB: long lists of ids or names.
    pub(crate) const fn large_body<T: ToSchema>(mut self) -> Self {
        self.body = Body::Json(LARGE_JSON_BODY, schema::<T>);
        self
    }

    /// Accepts a JSON object of at most 64 KiB, or no body.
    pub(crate) const fn maybe_body<T: ToSchema>(mut self) -> Self {
        self.body = Body::MaybeJson(JSON_BODY, schema::<T>);
        self
    }

    /// Answers a SUPER_ADMIN with this in the envelope of data instead of a page of rows.
    pub(crate) const fn platform_data<T: ToSchema>(mut self) -> Self {
        self.platform_data = Some(schema::<T>);
        self
    }

    /// Accepts at most `max` raw bytes.
    pub(crate) const fn raw(mut self, max: usize) -> Self {
        self.body = Body::Raw(max);
        self
    }

    /// Accepts a file of at most `max` bytes and of one of these media types.
    pub(crate) const fn file(mut self, max: usize, media_types: &'static [&'static str]) -> Self {
        self.body = Body::File(max, media_types);
        self
    }

    /// Accepts a stream of at most `max` bytes, which the handler reads.
    pub(crate) const fn upload(mut self, max: usize) -> Self {
        self.body = Body::Upload(max);
        self
    }

    /// Answers 200 with data in the envelope.
    pub(crate) const fn data<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Data(200, Some(schema::<T>));
        self
    }

    /// Answers 201 with data in the envelope.
    pub(crate) const fn created<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Data(201, Some(schema::<T>));
        self
    }

    /// Answers 200 with a message and no data.
    pub(crate) const fn done(mut self) -> Self {
        self.answer = Answer::Data(200, None);
        self
    }

    /// Answers with a page of rows.
    pub(crate) const fn list<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::List(schema::<T>);
        self
    }

    /// Answers 200 with an object and no envelope.
    pub(crate) const fn bare<T: ToSchema>(mut self) -> Self {
        self.answer = Answer::Bare(schema::<T>);
        self
    }

    /// Answers 204 without a body.
    pub(crate) const fn no_content(mut self) -> Self {
        self.answer = Answer::NoContent;
        self
    }

    /// Answers 200 with a document of one of these media types.
    pub(crate) const fn other(mut self, media_types: &'static [&'static str]) -> Self {
        self.answer = Answer::Other(media_types);
        self
    }
}
