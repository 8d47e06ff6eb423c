//! The trail: a whole server, asked as people ask it, and looked into on the database.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

mod entries;
mod looking;
mod retention;
mod seals;
mod support;
mod tables;
