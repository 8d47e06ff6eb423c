//! Mail over SMTP, to a server made for the test.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_testkit::{PASSWORD, TestServer, answer};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

static SINK: OnceLock<String> = OnceLock::new();

/// What a mail server was told, command by command and line by line.
type Heard = Arc<Mutex<Vec<String>>>;

/// A mail server that answers each message with the next of `answers`, then takes all. An empty one breaks the connection off.
async fn sink(answers: &'static [&'static str]) -> Heard {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    SINK.set(format!("smtp://{address}")).expect("one sink a process");
    let heard = Heard::default();
    let (log, next) = (heard.clone(), Arc::new(Mutex::new(answers.iter())));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (log, next) = (log.clone(), next.clone());
            tokio::spawn(async move { serve(stream, log, next).await });
        }
    });
    heard
}

async fn serve(
    stream: TcpStream,
    log: Heard,
    next: Arc<Mutex<std::slice::Iter<'static, &'static str>>>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 sink\r\n").await?;
    let mut in_data = false;
    while let Some(line) = lines.next_line().await? {
        log.lock().expect("the log").push(line.clone());
        let answer = if in_data {
            if line != "." {
                continue;
            }
            in_data = false;
            next.lock()
                .expect("answers")
                .next()
                .copied()
                .unwrap_or("250 taken")
        } else if line == "DATA" {
            in_data = true;
            "354 go on"
        } else if line == "QUIT" {
            "221 bye"
        } else {
            "250 sink"
        };
        // It takes the message and is gone before it says so.
        if answer.is_empty() {
            return Ok(());
        }
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn server() -> TestServer {
    TestServer::configured(vec![], |config| {
        config.mail.smtp_url.clone_from(SINK.get().expect("a sink"));
        config.mail.from = "Harbour <no-reply@example.com>".into();
    })
    .await
}

async fn ask(server: &TestServer) {
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD, "data": { "locale": "de-AT" } });
    for path in ["/auth/v1/signup", "/auth/v1/recover"] {
        let (status, body) = answer(server.anonymous(Method::POST, path).json(&ada)).await;
        assert_eq!(status, 200, "{body}");
    }
}

/// The message's state, attempts, error and body once `done` says so.
async fn wait(
    server: &TestServer,
    done: impl Fn(&str, Option<&str>) -> bool,
) -> (String, i32, Option<String>, String) {
    let admin = server.admin().await;
    for _ in 0..200 {
        let row = admin
            .query_one(
                "select state, attempts, error, body_text from notifications.messages",
                &[],
            )
            .await
            .expect("one message");
        let found: (String, i32, Option<String>, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
        if done(&found.0, found.2.as_deref()) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the message stays as it is");
}

#[tokio::test]
async fn a_message_is_sent_again_after_a_refusal_for_now_and_its_body_is_forgotten() {
    let heard = sink(&["451 try again later"]).await;
    let server = server().await;
    ask(&server).await;
    let (state, _, error, body) = wait(&server, |_, error| error.is_some()).await;
    assert_eq!(state, "queued");
    assert!(error.is_some_and(|error| error.contains("try again later")));
    assert!(body.contains("/auth/v1/verify?token="));

    server.advance(SignedDuration::from_secs(31));
    let sent = wait(&server, |state, _| state == "sent").await;
    assert_eq!(sent, ("sent".into(), 2, None, String::new()));
    let heard = heard.lock().expect("the log").clone();
    let count = |wanted: &str| heard.iter().filter(|line| line.starts_with(wanted)).count();
    assert_eq!(count("MAIL FROM:<no-reply@example.com>"), 2);
    assert_eq!(count("RCPT TO:<ada@example.com>"), 2);
    assert_eq!(count("From: "), 2);
    assert_eq!(count("Subject: Neues Passwort setzen"), 2, "{heard:#?}");
}

#[tokio::test]
async fn a_message_refused_for_good_is_not_tried_again() {
    let heard = sink(&["550 nobody here"]).await;
    let server = server().await;
    ask(&server).await;
    let (state, attempts, error, body) = wait(&server, |state, _| state == "failed").await;
    assert_eq!((state.as_str(), attempts, body.as_str()), ("failed", 1, ""));
    assert!(error.is_some_and(|error| error.contains("nobody here")));
    server.advance(SignedDuration::from_hours(5));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let count = heard
        .lock()
        .expect("the log")
        .iter()
        .filter(|line| *line == "DATA")
        .count();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_message_that_may_have_been_taken_is_never_sent_twice_and_its_link_is_not_kept() {
    let heard = sink(&[""]).await;
    let server = server().await;
    ask(&server).await;
    let (state, attempts, error, body) = wait(&server, |state, _| state == "uncertain").await;
    assert_eq!((state.as_str(), attempts, body.as_str()), ("uncertain", 1, ""));
    assert!(error.is_some());
    server.advance(SignedDuration::from_hours(30));
    // Whoever waits for it asks for another, which goes out.
    let ada = json!({ "email": "ada@example.com" });
    let (status, _) = answer(server.anonymous(Method::POST, "/auth/v1/recover").json(&ada)).await;
    assert_eq!(status, 200);
    let sent = "select exists (select from notifications.messages where state = 'sent')";
    crate::chores::until(&server.admin().await, sent).await;
    let heard = heard.lock().expect("the log").clone();
    let ids: std::collections::BTreeSet<_> = heard
        .iter()
        .filter(|line| line.starts_with("Message-ID: "))
        .collect();
    let data = heard.iter().filter(|line| *line == "DATA").count();
    assert_eq!((data, ids.len()), (2, 2), "{heard:#?}");
}

#[tokio::test]
async fn a_mail_server_that_cannot_be_reached_has_taken_nothing() {
    SINK.set("smtp://127.0.0.1:1".into()).expect("one sink a process");
    let server = server().await;
    ask(&server).await;
    let (state, attempts, ..) = wait(&server, |_, error| error.is_some()).await;
    assert_eq!((state.as_str(), attempts), ("queued", 1));
}
