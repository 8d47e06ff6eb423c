//! Live changes over the wire: a real server, a real PostgreSQL, real sockets.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod changes;
mod channels;
mod client;
mod demands;
mod faults;
mod frames;
mod messages;
mod news;
mod notes;
mod private;
mod processes;
mod sse;
mod stream;
mod walls;
