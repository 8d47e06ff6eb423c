//! Tests of the kernel's services.

// Clippy's own exception covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod access;
mod administration;
mod chores;
mod console;
mod consumers;
mod diary;
mod email_changes;
mod ended_sessions;
mod events;
mod factors;
mod hooks;
mod identity;
mod invitations;
mod issuer;
mod job_crashes;
mod job_limits;
mod jobs;
mod jobs_by_hand;
mod keys;
mod leaving;
mod mail;
mod members;
mod notices;
mod operator;
mod organizations;
mod outside;
mod own_account;
mod passkeys;
mod phone;
mod postgres;
mod proofs;
mod protection;
mod provider;
mod providers;
mod reauthentication;
mod record;
mod schedules;
mod sessions;
mod standing;
mod takeovers;
mod tenancy;
mod watching;
mod webhooks;
mod workers;
