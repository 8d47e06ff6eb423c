//! What a server lets others see of its work: figures ([`metrics`]), whose work a line of the log is about ([`scope`]), and spans of
//! traces ([`trace`]). Where all that goes is decided elsewhere; a module only says what happens.

pub mod metrics;
pub mod scope;
pub mod trace;

pub use metrics::Metrics;
pub use scope::Scope;
