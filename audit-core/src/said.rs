//! What `Debug` shows of an error: what `main` prints of one that it returns.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::lock::InvalidLock;
use crate::recorder::Unacknowledged;
use crate::sink::SinkError;
use crate::store::StoreError;

/// Gives errors a `Debug` that says what their `Display` says, and what is behind that. Behind `=>` stands a source that
/// shows nothing foreign either, besides those of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug_as_display {
    ($($error:ty $(=> $source:ty)?),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::__private::write_with_sources(self, f, |_source| false $(|| _source.is::<$source>())?)
            }
        }
    )+};
}

/// Writes what an error says, and what its sources say that is not said yet; up to the first that may quote anything, as
/// the errors of clients and of foreign sinks do.
///
/// # Errors
///
/// Those of the formatter.
pub fn write_with_sources(
    error: &(dyn Error + 'static),
    f: &mut fmt::Formatter<'_>,
    is_ours: fn(&(dyn Error + 'static)) -> bool,
) -> fmt::Result {
    let mut said = error.to_string();
    f.write_str(&said)?;
    let mut next = error.source();
    while let Some(source) = next.filter(|source| quotes_nothing(*source) || is_ours(*source)) {
        let text = source.to_string();
        if !said.ends_with(&text) {
            write!(f, ": {text}")?;
        }
        said = text;
        next = source.source();
    }
    Ok(())
}

fn quotes_nothing(source: &(dyn Error + 'static)) -> bool {
    let io = source.downcast_ref::<io::Error>().or_else(|| source.downcast_ref::<Arc<io::Error>>().map(|io| &**io));
    // One that is not the operating system's holds what somebody has put into it.
    io.is_some_and(|io| io.raw_os_error().is_some())
        || source.is::<SinkError>()
        || source.is::<StoreError>()
        || source.is::<Unacknowledged>()
        || source.is::<InvalidLock>()
}
