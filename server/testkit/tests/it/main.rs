//! Tests of the testkit.

mod postgres;
