use axum::{
    Router,
    body::Bytes,
    http::{Method, Uri},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Forgiving, target::Targets};

/// What becomes of it, given at once and byte by byte.
fn encoded(sent: &str) -> String {
    let mut at_once = Vec::new();
    Targets::default().encode(sent.as_bytes(), &mut at_once);
    let mut targets = Targets::default();
    let mut one_by_one = Vec::new();
    for byte in sent.bytes() {
        targets.encode(&[byte], &mut one_by_one);
    }
    assert_eq!(at_once, one_by_one, "{sent}");
    String::from_utf8(at_once).expect("ASCII")
}

#[test]
fn only_targets_are_touched() {
    let get = "GET /a?select=d->>k,\"x\"&n=é&c=#0f HTTP/1.1\r\nX: d->>\"k\"\r\n\r\n";
    let made = "GET /a?select=d-%3E%3Ek,%22x%22&n=%C3%A9&c=%230f HTTP/1.1\r\nX: d->>\"k\"\r\n\r\n";
    assert_eq!(encoded(get), made);
    let body = "POST /a>b HTTP/1.1\r\ncontent-length: 12\r\n\r\nGET /> HTTP/";
    assert_eq!(
        encoded(&format!("{body}{get}")),
        format!("{}{made}", body.replace("a>b", "a%3Eb"))
    );
    let chunks =
        "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nA /> \r\n1\r\n>\r\n0\r\nT: >\r\n\r\n";
    assert_eq!(encoded(&format!("{chunks}{get}")), format!("{chunks}{made}"));
}

#[test]
fn what_is_not_understood_goes_through() {
    for strange in [
        "POST /a HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST /a HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST /a HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
        "GET /a HTTP/1.1\r\nupgrade: websocket\r\n\r\n",
        "nothing\r\n",
    ] {
        let all = format!("{strange}GET /> HTTP/1.1\r\n\r\n");
        assert_eq!(encoded(&all), all);
    }
}

async fn start() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shown =
        |method: Method, uri: Uri, body: Bytes| async move { format!("{method} {uri} {}\n", body.len()) };
    let router = Router::new().fallback(shown);
    tokio::spawn(async move { axum::serve(Forgiving(listener), router).await });
    address
}

async fn ask(address: std::net::SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(sent).await.expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let address = start().await;
    let body = "x".repeat(100_000);
    let sent = format!(
        "GET /a?b=>\"c\" HTTP/1.1\r\nhost: x\r\n\r\nPOST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{body}GET /> HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    );
    let answer = ask(address, sent.as_bytes()).await;
    for shown in ["GET /a?b=%3E%22c%22 0\n", "POST /a 100000\n", "GET /%3E 0\n"] {
        assert!(answer.contains(shown), "{answer}");
    }
}

#[tokio::test]
async fn refusals_before_there_is_a_request_have_a_body() {
    let address = start().await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000));
    let many = "x: 1\r\n".repeat(200);
    for (sent, status, code) in [
        ("nonsense\r\n\r\n".to_owned(), "400", "request.malformed"),
        (
            "GET / HTTP/1.1\r\nhost: \0\r\n\r\n".to_owned(),
            "400",
            "request.malformed",
        ),
        (long, "414", "request.target_too_long"),
        (
            format!("GET / HTTP/1.1\r\n{many}\r\n"),
            "431",
            "request.head_too_large",
        ),
    ] {
        let answer = ask(address, sent.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["code"], code);
        for key in ["message", "details", "hint"] {
            assert!(body.get(key).is_some(), "{answer}");
        }
    }
    let answer = ask(address, b"HEAD / HTTP/1.1\r\nhost: \0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
