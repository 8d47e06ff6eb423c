//! The import engine: workbooks and delimited text become checked rows of an app's tables.
//!
//! This part is pure: [`reader`] opens a file by its content and streams typed cells, [`detect`] finds sheets, header
//! rows and columns, [`values`] turns cells into values, [`validate`] puts the three together, and [`workbook_out`]
//! writes the template and the error workbook. Rules across fields and against the database belong to the apps.

pub mod detect;
mod fault;
pub mod limits;
pub mod reader;
pub mod validate;
pub mod values;
pub mod workbook_out;

pub use limits::Limits;
pub use reader::{Cell, Workbook};
