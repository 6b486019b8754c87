//! What a JSON body must be before it is parsed as the type of a route: an object, without duplicate keys, not nested
//! too deeply.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of brackets in a JSON body.
const MAX_DEPTH: u32 = 16;

/// True when `json` is one well-formed object of an acceptable shape.
pub(crate) fn is_acceptable(json: &[u8]) -> bool {
    let begins = json.iter().find(|byte| !byte.is_ascii_whitespace());
    let mut reader = serde_json::Deserializer::from_slice(json);
    begins == Some(&b'{') && Shape { depth: 0 }.deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// A value at a depth of nesting.
struct Shape {
    depth: u32,
}

impl Shape {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

macro_rules! leaf {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _value: $kind) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    leaf!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.inner::<A::Error>()?;
        while items.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.inner::<A::Error>()?;
        let mut keys = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if !keys.insert(key) {
                let _ = members.next_value::<IgnoredAny>();
                return Err(A::Error::custom("a key occurs twice"));
            }
            members.next_value_seed(self.inner()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_acceptable;

    #[test]
    fn in_01_a_body_is_an_object_of_bounded_depth() {
        let nested = |depth: usize| format!("{}{}", r#"{"a":"#.repeat(depth) + "1", "}".repeat(depth));
        assert!(is_acceptable(nested(16).as_bytes()) && !is_acceptable(nested(17).as_bytes()));
        assert!(is_acceptable(br#"{"a":[1,{"b":"[[[{\"[["}]}"#), "brackets in texts do not count");
        for bad in ["", "{", "1", "null", "{} {}", r#""a""#] {
            assert!(!is_acceptable(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn sf_28_an_array_is_no_object_and_a_key_occurs_once() {
        assert!(!is_acceptable(br#"["mail",null,"password"]"#));
        assert!(!is_acceptable(br#"{"a":1,"a":2}"#) && !is_acceptable(br#"{"x":{"b":1,"b":1}}"#));
        assert!(is_acceptable(br#" {"a":{"b":1},"b":{"b":1}}"#));
    }
}
