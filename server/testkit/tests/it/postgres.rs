//! The shared cluster and the program that starts one around a command.

use std::process::{Command, Output};

use tenon_testkit::postgres::{VARIABLE, shared};
use tokio_postgres::NoTls;

fn run(script: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_test-postgres"))
        .args(["--", "sh", "-c", script])
        .output()
        .expect("cargo built the program")
}

#[tokio::test]
async fn tests_share_a_cluster_on_which_they_are_superuser() {
    let (client, connection) = shared().superuser("postgres").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client
        .query_one("select usesuper from pg_user where usename = current_user", &[])
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
}

#[test]
fn a_command_finds_its_cluster_in_the_environment_and_leaves_nothing_behind() {
    let output = run(&format!("echo \"${VARIABLE}\"; exit 7"));
    assert_eq!(
        output.status.code(),
        Some(7),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let url = String::from_utf8(output.stdout).unwrap();
    let socket = url.split('\'').nth(1).unwrap();
    assert!(url.contains("user=postgres"));
    assert!(!std::path::Path::new(socket).exists());
}

#[test]
fn a_terminated_runner_ends_its_command_and_its_cluster() {
    let output = run("kill -TERM $PPID; exec sleep 600");
    assert_eq!(output.status.code(), Some(128 + 15));
}

#[test]
fn a_command_that_cannot_be_run_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_test-postgres"))
        .args(["--", "/no/such"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such could not be run"));
}
