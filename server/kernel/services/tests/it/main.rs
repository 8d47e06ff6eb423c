//! Tests of the kernel's services.

mod postgres;
