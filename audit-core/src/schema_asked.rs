//! What a derive generates where its source asks for a schema.

/// The tokens: only the crate that asks for a schema needs the feature, and it alone hears of it.
#[cfg(feature = "schemars")]
#[doc(hidden)]
#[macro_export]
macro_rules! __schema {
    ($($implementation:tt)*) => { $($implementation)* };
}

/// What to do where there are no schemas.
#[cfg(not(feature = "schemars"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __schema {
    ($($implementation:tt)*) => {
        ::core::compile_error!("`schema` needs the feature `schemars` of `audited`");
    };
}
