//! The client for calls outside, against a listener on this machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get},
};
use tenon_sdk::{
    config::Config,
    env::Env,
    outbound::{Outbound, Request},
};

type Calls = Arc<AtomicUsize>;

/// Somebody to call, who counts the calls; gives the port.
async fn somebody() -> (u16, Calls) {
    let calls = Calls::default();
    let fails_twice = |State(calls): State<Calls>| async move {
        if calls.fetch_add(1, Ordering::SeqCst) < 2 {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response();
        }
        "done".into_response()
    };
    let far = |State(calls): State<Calls>| async move {
        calls.fetch_add(1, Ordering::SeqCst);
        let date = "Wed, 21 Oct 2065 07:28:00 GMT";
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", date)], "later")
    };
    let router = Router::new()
        .route("/fails-twice", any(fails_twice))
        .route("/later", any(far))
        .route("/large", get(async || "x".repeat(2000)))
        .route(
            "/slow",
            get(async || tokio::time::sleep(Duration::from_mins(1)).await),
        )
        .route(
            "/told",
            any(async |headers: HeaderMap| format!("{:?}", headers.get("authorization"))),
        )
        .route("/inside", get(async || Redirect::to("http://10.255.0.1/")))
        .route("/here", any(async || Redirect::to("/told")))
        .route("/round", get(async || Redirect::to("/round")))
        .route("/file", get(async || Redirect::to("file:///etc/hostname")))
        .route(
            "/elsewhere",
            get(async |headers: HeaderMap| -> Response {
                // Another port is another origin.
                let to = headers["x-to"].to_str().unwrap().to_owned();
                Redirect::to(&to).into_response()
            }),
        )
        .with_state(calls.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, calls)
}

fn client(allowed: &[&str]) -> Outbound {
    let mut config = Config::defaults().outbound;
    config.allow_private = allowed.iter().map(|network| network.parse().unwrap()).collect();
    Outbound::new(Env::real(), &config)
}

fn local() -> Outbound {
    client(&["127.0.0.0/8", "::1/128"])
}

#[tokio::test]
async fn names_and_addresses_that_lead_inside_are_not_called() {
    let (port, calls) = somebody().await;
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let request = Request::get(format!("http://{host}:{port}/fails-twice"));
        let error = client(&[]).send(request).await.unwrap_err();
        assert_eq!(error.code, "outbound.forbidden_address", "{host}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for host in ["127.0.0.1", "localhost"] {
        let answer = local()
            .send(Request::get(format!("http://{host}:{port}/told")))
            .await;
        assert_eq!(answer.unwrap().status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_redirect_leads_neither_inside_nor_to_another_protocol() {
    let (port, _) = somebody().await;
    let ask = async |path: &str| {
        let request = Request::get(format!("http://127.0.0.1:{port}{path}")).follow(3);
        local().send(request).await
    };
    assert_eq!(
        ask("/inside").await.unwrap_err().code,
        "outbound.forbidden_address"
    );
    assert_eq!(ask("/file").await.unwrap_err().code, "outbound.bad_request");
    assert_eq!(ask("/here").await.unwrap().body, "None");
    assert_eq!(ask("/round").await.unwrap().status, 303);
    // Nobody follows who was not told to, nor with what a POST carried.
    let answer = local()
        .send(Request::get(format!("http://127.0.0.1:{port}/here")))
        .await;
    assert_eq!(answer.unwrap().status, 303);
    let sending = Request::post(format!("http://127.0.0.1:{port}/here")).follow(3);
    assert_eq!(local().send(sending).await.unwrap().status, 303);
}

#[tokio::test]
async fn a_token_is_not_told_to_whom_a_redirect_leads() {
    let (port, _) = somebody().await;
    let (other, _) = somebody().await;
    let request = |to: String| {
        let ask = Request::get(format!("http://127.0.0.1:{port}/elsewhere")).follow(1);
        ask.bearer("a secret").header("x-to", &to)
    };
    let same = local().send(request("/told".to_owned())).await.unwrap();
    assert_ne!(same.body, "None");
    let away = local()
        .send(request(format!("http://127.0.0.1:{other}/told")))
        .await
        .unwrap();
    assert_eq!(away.body, "None");
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    for (request, tries, status) in [
        (Request::get as fn(String) -> Request, 3, 200),
        (Request::post, 1, 503),
        (|url| Request::post(url).repeatable(), 3, 200),
    ] {
        let (port, calls) = somebody().await;
        let answer = local()
            .send(request(format!("http://127.0.0.1:{port}/fails-twice")))
            .await;
        assert_eq!(answer.unwrap().status, status);
        assert_eq!(calls.load(Ordering::SeqCst), tries);
    }
}

#[tokio::test]
async fn who_asks_to_be_called_much_later_is_not_called_again() {
    let (port, calls) = somebody().await;
    let answer = local()
        .send(Request::get(format!("http://127.0.0.1:{port}/later")))
        .await;
    assert_eq!(answer.unwrap().status, 429);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let (port, _) = somebody().await;
    let large = |most| Request::get(format!("http://127.0.0.1:{port}/large")).at_most(most);
    assert_eq!(local().send(large(2000)).await.unwrap().body.len(), 2000);
    assert_eq!(
        local().send(large(1999)).await.unwrap_err().code,
        "outbound.answer_too_large"
    );
    let slow = Request::get(format!("http://127.0.0.1:{port}/slow")).within(Duration::from_millis(300));
    assert_eq!(local().send(slow).await.unwrap_err().code, "outbound.timeout");
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let nobody = Request::get(format!("http://127.0.0.1:{port}/"));
    assert_eq!(
        local().send(nobody).await.unwrap_err().code,
        "outbound.unreachable"
    );
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_nothing_secret_is_shown() {
    for url in [
        "",
        "no address",
        "ftp://example.com/",
        "http://name:secret@example.com/",
        "file:///etc/hostname",
    ] {
        let error = local().send(Request::get(url)).await.unwrap_err();
        assert_eq!(error.code, "outbound.bad_request", "{url}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let request = Request::post("https://hooks.example.com/services/secret?key=secret")
        .bearer("secret")
        .json(&serde_json::json!({ "password": "secret" }));
    assert!(!format!("{request:?}").contains("secret"), "{request:?}");
    let broken = Request::get("https://example.com").header("x-name", "two\r\nlines");
    assert_eq!(
        local().send(broken).await.unwrap_err().code,
        "outbound.bad_request"
    );
    let local = local();
    let answer = local
        .send(Request::get("http://no-such-host.invalid/path?key=secret"))
        .await
        .unwrap_err();
    assert!(!format!("{answer:?}").contains("secret"), "{answer:?}");
}
