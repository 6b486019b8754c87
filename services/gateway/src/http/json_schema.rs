use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema as Utoipa;

/// The JSON schemas of a document, by name.
#[derive(Default)]
pub struct Schemas(BTreeMap<String, Value>);

/// Registers the schema of a type and returns its name.
pub(crate) type Schema = fn(&mut Schemas) -> String;

/// The [`Schema`] of a type.
pub(crate) fn schema<T: ToSchema>(schemas: &mut Schemas) -> String {
    let mut found: Vec<(String, RefOr<Utoipa>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let value = serde_json::to_value(schema).unwrap_or_default();
        schemas.0.entry(name).or_insert(value);
    }
    T::name().into_owned()
}

impl Schemas {
    /// Adds a schema that belongs to no type.
    pub(crate) fn insert(&mut self, name: &str, schema: Value) {
        self.0.insert(name.to_owned(), schema);
    }

    /// All schemas, in the form of `components.schemas`.
    pub(crate) fn into_json(self) -> Value {
        self.0.into_iter().collect::<serde_json::Map<_, _>>().into()
    }
}
