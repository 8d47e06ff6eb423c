//! Who may know whom among the crates: `sdk ← {data-api, services, engines, apps} ← main`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Crates that put others together: the binary, the test kit and the benchmarks.
const COMPOSE: [&str; 3] = ["tenon", "tenon-testkit", "tenon-bench"];
/// Crates that stay quick to build.
const ALONE: [&str; 2] = ["tenon-sdk", "xtask"];

struct Dependency {
    name: String,
    dev: bool,
}

/// Every crate of the workspace with its folder and what it depends on.
fn workspace() -> BTreeMap<String, (String, Vec<Dependency>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let dependencies = list(&package["dependencies"])
                .iter()
                .map(|found| Dependency {
                    name: text(&found["name"]),
                    dev: found["kind"] == "dev",
                })
                .collect();
            (
                text(&package["name"]),
                (text(&package["manifest_path"]), dependencies),
            )
        })
        .collect()
}

#[test]
fn a_module_knows_the_sdk_and_no_other_crate_of_the_house() {
    let workspace = workspace();
    assert!(
        workspace.contains_key("tenon-sdk") && workspace.contains_key("tenon"),
        "the workspace is read whole"
    );
    for (name, (_, dependencies)) in &workspace {
        if COMPOSE.contains(&name.as_str()) {
            continue;
        }
        for dependency in dependencies
            .iter()
            .filter(|dependency| workspace.contains_key(&dependency.name))
        {
            let allowed = match dependency.name.as_str() {
                "tenon-sdk" => !ALONE.contains(&name.as_str()),
                "tenon-testkit" => dependency.dev,
                // A kernel is made with its secrets, so what puts a server together makes them first; and it tells of its process.
                "tenon-secrets" | "tenon-telemetry" => name == "tenon-services",
                // No module: it has in it what is in the database and in the store.
                "tenon-storage" => name == "tenon-backup",
                _ => false,
            };
            assert!(
                allowed,
                "{name} depends on {}. Modules meet through ids, capability traits in tenon-sdk, foreign keys, views and \
                 events; only tests may use tenon-testkit, and only {COMPOSE:?} put modules together.",
                dependency.name
            );
        }
    }
}

#[test]
fn the_connection_pool_is_the_sdks_own() {
    for (name, (_, dependencies)) in workspace() {
        let pooled = dependencies
            .iter()
            .any(|dependency| dependency.name == "deadpool-postgres");
        assert_eq!(
            pooled,
            name == "tenon-sdk",
            "{name}: connections are taken in tenon-sdk alone; everybody else begins a TenantTx or a SystemTx"
        );
    }
}

#[test]
fn every_crate_stands_where_its_kind_lives() {
    for (name, (manifest, _)) in workspace() {
        let tests_and_tools = ["tenon-testkit", "tenon-bench", "xtask", "tenon"];
        let place = ["/server/kernel/", "/server/engines/", "/server/apps/"]
            .iter()
            .any(|place| manifest.contains(place));
        assert!(
            place || tests_and_tools.contains(&name.as_str()),
            "{name} at {manifest}: crates live in server/kernel, server/engines or server/apps"
        );
    }
}
