//! Layers around the handlers of HTTP services.

mod coverage;

pub use coverage::{CoverageFuture, CoverageLayer, CoverageMode, CoverageService};
