//! How much memory answers take that are larger than it. Measured in a process of its own, at the peak of what it held.

use std::fs;
use std::process::Command;

use tenon_testkit::{TestServer, TestUser};

use crate::server::goods;

/// What the process must not grow by, whatever is sent.
const MOST: u64 = 2 << 20;

/// Set in the process that measures.
const MEASURES: &str = "TENON_TEST_MEASURES_MEMORY";

#[test]
fn answers_of_any_size_take_little_memory() {
    if !fs::exists("/proc/self/clear_refs").unwrap_or_default() {
        // The peak is measured as Linux tells it.
        return;
    }
    if std::env::var_os(MEASURES).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        return runtime.expect("a runtime").block_on(measure());
    }
    let own = std::env::current_exe().expect("the tests");
    let measured = Command::new(own)
        .args([
            "--exact",
            "memory::answers_of_any_size_take_little_memory",
            "--nocapture",
        ])
        .env(MEASURES, "1")
        // Pieces of memory that were freed are given back or used again, in whichever thread.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&measured.stderr);
    assert!(measured.status.success(), "{told}");
}

async fn measure() {
    let server = TestServer::configured(vec![goods()], |config| config.rest.max_rows = 1_000_000).await;
    let owner = server.organization("Here").await.owner;
    let ways = |size: usize| {
        [
            (format!("/rest/v1/rpc/long_text?size={size}"), "application/json"),
            (
                format!("/rest/v1/rpc/long_bytes?size={size}"),
                "application/octet-stream",
            ),
            (
                format!("/rest/v1/rpc/padded?rows={}", size / 1000),
                "application/x-ndjson",
            ),
            (format!("/rest/v1/rpc/padded?rows={}", size / 1000), "text/csv"),
        ]
    };
    // Whatever is allocated once: connections, statements, threads, buffers.
    for _ in 0..3 {
        for (path, accept) in ways(1_000_000) {
            read(&owner, &path, accept).await;
        }
    }
    for (path, accept) in ways(40_000_000) {
        fs::write("/proc/self/clear_refs", "5").expect("the peak begins anew");
        let before = peak();
        let length = read(&owner, &path, accept).await;
        let grown = peak() - before;
        eprintln!("{accept}: {length} bytes, {grown} more held");
        assert!(length >= 40_000_000, "{accept}: {length}");
        assert!(grown < MOST, "{accept}: {grown} more bytes were held");
    }
}

/// Reads an answer without keeping it; how long it was.
async fn read(user: &TestUser, path: &str, accept: &str) -> usize {
    let sent = user.get(path).header("accept", accept).send().await;
    let mut answer = sent.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let mut length = 0;
    while let Some(chunk) = answer.chunk().await.expect("more") {
        length += chunk.len();
    }
    length
}

/// The most memory that the process has held, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("figures");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.expect("a figure") * 1024
}
