//! What the import engine makes of whole files.

mod hostile;
mod purchasing;
mod support;
mod text_files;
mod workbooks;
mod written;
