//! The one policy table: which routes exist, who may call them, how often, and with how large a body. Router, permission
//! check, OpenAPI document and `docs/permissions.md` are made from it.

mod openapi;
mod permissions;
mod table;

pub use openapi::document as openapi_document;
pub(crate) use openapi::{Schema, schema};
pub use permissions::permissions_table;
pub use table::TABLE;
