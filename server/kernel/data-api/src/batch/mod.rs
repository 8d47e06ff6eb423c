//! Several operations in one transaction, of which later ones may refer to the results of earlier ones. Each goes
//! through the same stages as a request of its own; either all of them happen or none.

mod answer;
mod json;
mod operation;
mod reference;
mod run;

pub(crate) use run::run;

/// Bytes of results and filled-in references that one batch may have in memory.
const BUDGET: usize = 32 << 20;

/// The media type that says a body is a batch, even where a relation has the endpoint's name.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.tenon.batch+json";

/// The endpoint's path below the root of the data API.
pub(crate) const PATH: &str = "/batch";
