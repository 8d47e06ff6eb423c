//! Both stores do the same: a local folder, and a bucket of a real S3 server in this process.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

mod back_ends;
mod content;
mod crash;
mod growing;
mod hostile;
mod parts;
mod scanning;
mod sweeping;
