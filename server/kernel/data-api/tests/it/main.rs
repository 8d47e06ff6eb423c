//! The compiled statements, run on a real PostgreSQL.

mod aggregates;
mod batches;
mod calls;
mod client_types;
mod costs;
mod counted;
mod descriptions;
mod groups;
mod hostile;
mod leaks;
mod media;
mod nested;
mod nested_server;
mod own_schemas;
mod policies;
mod reads;
mod refusals;
mod relations;
mod representations;
mod round_trips;
mod server;
mod shop;
mod spreads;
mod standalone;
mod write_bodies;
mod writes;
