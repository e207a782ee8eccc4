//! The schema of a type, as far as its type says something. Generated code calls `(&&&&Of::<T>::NEW).plain(generator)`:
//! of the methods of that name the compiler takes the first whose bounds hold, so that no type has to have a schema. In
//! generic code only the bounds in scope count.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::leaves::part_of;
use super::{SensitiveSchema, resolved};
use crate::sensitive::{Mode, Sensitive};

/// A type.
#[derive(Debug)]
pub struct Of<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Of<T> {
    /// The type.
    pub const NEW: Self = Self(PhantomData);
}

macro_rules! levels {
    ($method:ident: $(
        $(#[$about:meta])* $name:ident for $on:ty $(where $($bound:path)|+)? => |$generator:ident| $schema:expr;
    )*) => {
        $(
            $(#[$about])*
            pub trait $name {
                /// The schema of what is recorded.
                fn $method(&self, generator: &mut SchemaGenerator) -> Schema;
            }

            impl<T: ?Sized $($(+ $bound)+)?> $name for $on {
                fn $method(&self, $generator: &mut SchemaGenerator) -> Schema {
                    $schema
                }
            }
        )*
    };
}

levels! { typed:
    /// A type, or a redactor, of which is known what a record shows.
    IsKnown for &Of<T> where SensitiveSchema => |generator| generator.subschema_for::<T::Recorded>();
    /// One of which that is not known.
    IsNotKnown for Of<T> => |_generator| Schema::default();
}

levels! { plain:
    /// A classified type of which is known what a record shows: declared plain it keeps to its own marks.
    IsClassified for &&&Of<T> where Sensitive | SensitiveSchema => |generator| generator.subschema_for::<T::Recorded>();
    /// One of which that is not known.
    IsOpaque for &&Of<T> where Sensitive => |_generator| Schema::default();
    /// A type whose own schema is that of what it writes.
    IsDescribed for &Of<T> where JsonSchema => |generator| generator.subschema_for::<T>();
    /// A type of which nothing is known.
    IsUnknown for Of<T> => |_generator| Schema::default();
}

/// A type of which is known whether a part of it is one text.
pub trait IsInParts {
    /// The schema of what is recorded.
    fn part(&self, generator: &mut SchemaGenerator, mode: Mode) -> Schema;
}

impl<T: JsonSchema + ?Sized> IsInParts for &Of<T> {
    fn part(&self, generator: &mut SchemaGenerator, mode: Mode) -> Schema {
        // What it is made of is not shown, and no definition of it belongs into the schema.
        let mut aside = super::generator();
        let schema = aside.subschema_for::<T>();
        part_of(generator, resolved(&aside, &schema).and_then(|schema| schema.get("type")), mode)
    }
}

/// One of which that is not known.
pub trait IsInAnyParts {
    /// The schema of what is recorded.
    fn part(&self, generator: &mut SchemaGenerator, mode: Mode) -> Schema;
}

impl<T: ?Sized> IsInAnyParts for Of<T> {
    fn part(&self, generator: &mut SchemaGenerator, mode: Mode) -> Schema {
        part_of(generator, None, mode)
    }
}
