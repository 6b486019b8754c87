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
        let mut all: serde_json::Map<_, _> = self.0.into_iter().collect();
        for (name, schema) in &mut all {
            complete(name, schema);
        }
        all.into()
    }
}

/// Adds what the types do not say: answers have all their fields always, and names tell the format of texts.
fn complete(name: &str, schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (field, property) in properties.iter_mut() {
        let is_text = property
            .get("type")
            .is_some_and(|kind| *kind == "string" || *kind == serde_json::json!(["string", "null"]));
        let format = match field.as_str() {
            "email" | "requester_email" => "email",
            "id" | "genre" | "tenant" | "user" if name.ends_with("View") && (field == "id" || name == "SongView") => {
                "uuid"
            }
            field if field.ends_with("_id") && !field.starts_with("razorpay") => "uuid",
            field if field.ends_with("_at") || field == "date_joined" => "date-time",
            _ => continue,
        };
        if let Some(property) = property.as_object_mut().filter(|_| is_text) {
            property.insert("format".to_owned(), format.into());
        }
    }
    let fields: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
    if let Some(schema) = schema.as_object_mut().filter(|_| name.ends_with("View")) {
        schema.insert("required".to_owned(), fields.into());
    }
}
