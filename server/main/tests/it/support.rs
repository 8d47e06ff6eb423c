//! What these tests share.

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::Value;
use tenon_sdk::Module;
use tenon_services::{identity::Identity, server};
use tenon_testkit::{TestDatabase, TestServer, TestServerOptions, TestUser, answer};

/// The engines and apps of the binary; the test server brings the data API and the trail itself.
pub fn modules() -> Vec<Module> {
    let brought = [
        tenon_data_api::module(Arc::default()).name,
        tenon_audit::module().name,
    ];
    tenon::modules(&Arc::default())
        .into_iter()
        .filter(|module| !brought.contains(&module.name))
        .collect()
}

/// All modules of the binary with the kernel's services before them.
pub fn all_modules() -> Vec<Module> {
    server::all_modules(&Identity::describe_only(), tenon::modules(&Arc::default()))
}

/// A database with the tables of the binary.
pub async fn database() -> TestDatabase {
    TestDatabase::create(&all_modules()).await
}

/// A whole server.
pub async fn server() -> TestServer {
    TestServer::start_with(modules(), TestServerOptions::default()).await
}

/// The register with planted faults and its answer key.
pub const REGISTER: &[u8] = include_bytes!("../data/orders-and-surveys.xlsx");

/// Uploads a file for the purchasing register.
pub async fn upload(user: &TestUser, filename: &str, bytes: impl Into<Vec<u8>>) -> (u16, Value) {
    let path = format!("/api/v1/imports?template=purchasing.register&filename={filename}");
    answer(user.request(Method::POST, &path).body(bytes.into())).await
}

/// Waits until an import has left the states in which the server works on it.
pub async fn settled(user: &TestUser, id: &str) -> Value {
    for _ in 0..600 {
        let (status, import) = user.get_json(&format!("/api/v1/imports/{id}")).await;
        assert_eq!(status, 200, "{import}");
        let state = import["state"].as_str().unwrap();
        if !["uploaded", "parsing", "mapped", "confirmed", "committing"].contains(&state) {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("import {id} did not settle within half a minute");
}

/// Uploads, waits for the check, confirms, waits for the end.
pub async fn import(user: &TestUser, filename: &str, bytes: impl Into<Vec<u8>>) -> Value {
    let (status, made) = upload(user, filename, bytes).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let checked = settled(user, &id).await;
    assert_eq!(checked["state"], "validated", "{checked}");
    let body = serde_json::json!({ "validation_version": checked["validation_version"] });
    let (status, confirmed) = user
        .post_json(&format!("/api/v1/imports/{id}/confirm"), &body)
        .await;
    assert_eq!(status, 202, "{confirmed}");
    settled(user, &id).await
}
