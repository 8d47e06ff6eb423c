//! Rules that hold for the whole server.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod apps;
mod backup;
mod catalogue;
mod crash;
mod doctor;
mod edges;
mod errors;
mod import_flow;
mod imports;
mod kills;
mod matrix;
mod migrations;
mod operations;
mod organization_end;
mod process;
mod rest;
mod rest_breaks;
mod rights;
mod secrets;
mod seeds;
mod serve;
mod stand_in;
mod standalone;
mod statements;
mod support;
mod telemetry;
mod under_load;
