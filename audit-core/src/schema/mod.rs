//! JSON Schemas of what records show, made with the crate `schemars`.
//!
//! A schema is made of a type only where its source asks for one: a feature that another crate of the tree turns on
//! must not ask anything of a type that knows nothing of it.

mod choose;
mod classified;
mod leaves;
mod shape;
mod vocabulary;

use std::any::type_name;
use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
pub use schemars::{JsonSchema, Schema, SchemaGenerator};

pub use self::choose::{
    IsClassified, IsDescribed, IsInAnyParts, IsInParts, IsKnown, IsNotKnown, IsOpaque, IsUnknown, Of,
};
pub use self::leaves::left_by;
pub use self::shape::{Member, any_of, array, constant, null, object};
pub use self::vocabulary::EventSchema;

/// What a record shows of a value, as a type with a schema: derived by `#[sensitive(schema)]`, and known of integers,
/// booleans, UUIDs, times, identities and of containers of what it is known of.
///
/// By hand it is said of a type that writes itself, and of a [`Redactor`](crate::Redactor):
///
/// ```
/// # use audit_core as audited;
/// use audited::{Encoder, Redactor, SensitiveSchema};
///
/// struct Domain;
///
/// impl Redactor<String> for Domain {
///     fn redact(address: &String, encoder: &mut Encoder<'_>) {
///         encoder.remainder(address.rsplit('@').next().unwrap_or_default());
///     }
/// }
///
/// impl SensitiveSchema for Domain {
///     type Recorded = String;
/// }
/// ```
///
/// Of a type that does not say it, a schema says nothing: such a field may be anything.
pub trait SensitiveSchema {
    /// A type whose schema is that of what is recorded.
    type Recorded: JsonSchema;
}

/// How the schema of a derived type is made.
pub trait DeriveSchema {
    /// The name of the type.
    const NAME: &'static str;

    /// Makes it.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// What is recorded of a type that derives its schema.
#[derive(Debug)]
pub struct Derived<T: ?Sized>(PhantomData<T>);

impl<T: DeriveSchema + ?Sized> JsonSchema for Derived<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn schema_id() -> Cow<'static, str> {
        // The type may have a schema of its own besides, of all that it holds.
        format!("recorded {}", type_name::<T>()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// As `serde` writes, not as it reads.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// A schema that stands by itself.
fn root(mut generator: SchemaGenerator, mut schema: Schema) -> Schema {
    if let Some(dialect) = generator.settings().meta_schema.clone() {
        schema.insert("$schema".to_owned(), dialect.into_owned().into());
    }
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), definitions.into());
    }
    schema
}

/// What a schema stands for, where it is a reference.
fn resolved<'s>(
    generator: &'s SchemaGenerator,
    schema: &'s Schema,
) -> Option<&'s serde_json::Map<String, serde_json::Value>> {
    let object = schema.as_object()?;
    let Some(name) = object.get("$ref").and_then(|path| path.as_str()?.strip_prefix("#/$defs/")) else {
        return Some(object);
    };
    // Names with a slash or a tilde stand escaped in a reference; nothing is said of those.
    generator.definitions().get(name)?.as_object()
}
