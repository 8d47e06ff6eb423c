//! What people do with an import, one verb a file.

mod cancel;
mod confirm;
mod map;
mod undo;
mod upload;

pub(crate) use cancel::cancel;
pub(crate) use confirm::{Confirmation, confirm};
pub(crate) use map::map;
pub(crate) use undo::undo;
pub(crate) use upload::{NewUpload, upload};
