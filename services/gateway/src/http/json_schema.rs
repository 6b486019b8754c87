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

/// Fields that only some callers get.
const SOMETIMES: &[&str] = &["requester_email"];

/// Adds what the types do not say: answers have all their fields always, and names tell the format and values of texts.
fn complete(name: &str, schema: &mut Value) {
    let is_answer = name.ends_with("View");
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (field, property) in properties.iter_mut() {
        let is_text = property
            .get("type")
            .is_some_and(|kind| *kind == "string" || *kind == serde_json::json!(["string", "null"]));
        let Some(property) = property.as_object_mut().filter(|_| is_text) else { continue };
        if let Some(values) = values(name, field) {
            property.insert("enum".to_owned(), values.into());
        } else if let Some(format) = format(name, field) {
            property.insert("format".to_owned(), format.into());
        }
    }
    let always = |field: &&String| !SOMETIMES.contains(&field.as_str());
    let fields: Vec<Value> = properties.keys().filter(always).cloned().map(Value::from).collect();
    if let Some(schema) = schema.as_object_mut().filter(|_| is_answer) {
        schema.insert("required".to_owned(), fields.into());
    }
}

fn format(schema: &str, field: &str) -> Option<&'static str> {
    match field {
        "email" | "requester_email" => Some("idn-email"),
        "id" if schema.ends_with("View") => Some("uuid"),
        "genre" | "tenant" | "user" if schema == "SongView" => Some("uuid"),
        // A client may choose the id of a request, and Razorpay chooses its own.
        "request_id" | "payment_link_id" => None,
        field if field.starts_with("razorpay") => None,
        field if field.ends_with("_id") => Some("uuid"),
        field if field.ends_with("_at") || field == "date_joined" => Some("date-time"),
        _ => None,
    }
}

/// The values of a text that is one of a closed set.
fn values(schema: &str, field: &str) -> Option<Vec<&'static str>> {
    match (schema, field) {
        (_, "visibility") => Some(vec!["GLOBAL", "TENANT"]),
        ("UserView", "role") => Some(vec!["LISTENER", "ADMIN", "SUPER_ADMIN"]),
        ("SongRequestView", "status") => Some(vec!["PENDING", "APPROVED", "REJECTED", "FULFILLED"]),
        ("PaymentView" | "PaymentLinkView", "status") => {
            Some(vec!["CREATED", "PENDING", "PAID", "VERIFIED", "ACTIVATED", "FAILED", "REFUNDED"])
        }
        _ => None,
    }
}
