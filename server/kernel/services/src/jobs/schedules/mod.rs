//! Jobs that come again. Every worker looks for schedules that are due and locks those it finds: each time has one job, however many look.

mod fire;
mod manage;

pub(super) use fire::fire;
pub use manage::{pause, run_now};

/// Jobs that may be made up for at once.
const MOST_MISSED: usize = 100;
