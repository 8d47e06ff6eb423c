//! The REST surface of files: a whole server, asked as clients ask it.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

mod accounts;
mod buckets;
mod downloads;
mod hostile;
mod lists;
mod organizations;
mod pictures;
mod policies;
mod races;
mod relocations;
mod resumable;
mod s3;
mod signed;
mod support;
mod sweeping;
mod uploads;
