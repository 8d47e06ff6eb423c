//! (being built)
pub mod imports;
