//! SIGTERM while people are at work: every request that was sent is answered, listeners are sent elsewhere, and the process ends well.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use nix::sys::signal::{Signal, kill};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::process::{Person, Process, folder, tenon};

/// People at work at once.
const PEOPLE: usize = 12;
/// Times that each of them writes; a list has a thousand at most.
const WRITES: usize = 80;

#[tokio::test]
async fn a_server_that_is_told_to_stop_loses_no_request_and_sends_listeners_elsewhere() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let log = data_dir.with_extension("log");
    let mut command = tenon(&[
        "serve",
        "--data-dir",
        data_dir.to_str().unwrap(),
        "--port",
        "0",
        "--set",
        "server.leave_seconds=2",
    ]);
    command.env("RUST_LOG", "info");
    let server = Arc::new(Process::start(command, &log).await);
    let person = Arc::new(Person::new(&server, "harbour").await);
    let address = server.base().replacen("http", "ws", 1);
    let (mut socket, _) = connect_async(format!("{address}/realtime/v1/websocket?vsn=2.0.0"))
        .await
        .unwrap();
    let leaving = Arc::new(AtomicBool::new(false));
    let (read, written) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let (server, person) = (server.clone(), person.clone());
            let (leaving, read, written) = (leaving.clone(), read.clone(), written.clone());
            tokio::spawn(async move {
                let mut turn = 0;
                // As a load balancer does: nothing more once readiness says no.
                while !leaving.load(Ordering::Acquire) {
                    turn += 1;
                    let path = "/rest/v1/orders?select=number";
                    let asked = person
                        .request(&server, Method::GET, path)
                        .header("accept-profile", "purchasing");
                    let answer = asked.send().await.expect("an answer");
                    assert_eq!(answer.status(), StatusCode::OK);
                    answer.bytes().await.expect("the whole of it");
                    read.fetch_add(1, Ordering::Relaxed);
                    if turn > WRITES {
                        continue;
                    }
                    let name = json!({ "name": format!("Department {number}.{turn}") });
                    let asked = person.request(&server, Method::POST, "/api/v1/tenancy/departments");
                    let answer = asked.json(&name).send().await.expect("an answer");
                    assert!(answer.status().is_success(), "{}", answer.status());
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while written.load(Ordering::Relaxed) < 3 * PEOPLE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    kill(server.pid(), Signal::SIGTERM).unwrap();
    loop {
        let ready = server
            .request(Method::GET, "/readyz")
            .send()
            .await
            .expect("an answer");
        if ready.status() == StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
    }
    leaving.store(true, Ordering::Release);
    for work in people {
        work.await.expect("no request was lost");
    }
    let close = loop {
        let frame = socket.next().await.expect("a word of farewell");
        if let Message::Close(close) = frame.expect("a frame") {
            break close.expect("a reason");
        }
    };
    assert_eq!(u16::from(close.code), 1012);
    let server = Arc::into_inner(server).expect("nobody else has it");
    assert!(server.ends().await, "it ends with code 0");
    let again = Process::serve(&data_dir).await;
    let made = person.get(&again, "/api/v1/tenancy/departments").await;
    let made = made.as_array().map_or(0, Vec::len);
    assert_eq!(
        made,
        written.load(Ordering::Relaxed),
        "what was answered is there"
    );
    assert!(read.load(Ordering::Relaxed) >= made);
    assert!(again.terminate().await);
}
