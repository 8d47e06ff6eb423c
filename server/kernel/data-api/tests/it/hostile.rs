//! Requests that want to do harm, by size, by depth, by bytes that do not belong: each gets an answer in words, and never a
//! fault of the server's.

use serde_json::Value;
use tenon_testkit::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::goods;
use crate::shop::Shop;

async fn is_refused(
    shop: &Shop,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
    expected: (u16, &str),
) {
    let answer = shop.send(method, target, headers, body).await;
    let shown: String = format!("{method} {target} {body}").chars().take(120).collect();
    assert_eq!(
        (answer.status, answer.code()),
        expected,
        "{shown}: {}",
        answer.body
    );
    for key in ["code", "message", "details", "hint"] {
        assert!(answer.body.get(key).is_some(), "{shown} has no {key}");
    }
}

#[tokio::test]
async fn too_much_is_refused_before_it_runs() {
    let shop = Shop::open().await;
    let many = |count: usize, part: fn(usize) -> String| -> String {
        let parts: Vec<String> = (0..count).map(part).collect();
        parts.join(",")
    };
    let nested = |levels: usize| "entries(orders(".repeat(levels / 2) + "id" + &"))".repeat(levels / 2);
    for (target, expected) in [
        (
            "/orders?select=".to_owned() + &"id,".repeat(1601) + "id",
            (400, "PGRST100"),
        ),
        (
            "/orders?select=".to_owned() + &"*,".repeat(400) + "id",
            (400, "PGRST100"),
        ),
        (
            "/orders?select=id&order=".to_owned() + &many(1700, |n| format!("data->{n}")),
            (400, "PGRST100"),
        ),
        (
            "/orders?select=".to_owned() + &many(101, |n| format!("a{n}:suppliers(id)")),
            (400, "PGRST100"),
        ),
        ("/orders?select=".to_owned() + &nested(18), (400, "PGRST100")),
        (
            "/orders?select=".to_owned() + &"entries(".repeat(8000),
            (400, "PGRST100"),
        ),
        (
            "/orders?select=a,\",".to_owned() + &"entries(".repeat(7000),
            (400, "PGRST100"),
        ),
        ("/orders?or=".to_owned() + &"(".repeat(60_000), (400, "PGRST100")),
        // A quotation mark that opens nothing does not hide what follows it.
        (
            "/orders?and=(number.eq.\",".to_owned() + &"and(number.eq.1,".repeat(3500),
            (400, "PGRST100"),
        ),
        (
            "/orders?and=(number.eq.1\",".to_owned() + &"not.or(number.eq.1,".repeat(3000),
            (400, "PGRST100"),
        ),
        (
            "/orders?number=eq.".to_owned() + &"1".repeat(100_000),
            (414, "request.target_too_long"),
        ),
        (
            "/orders?".to_owned() + &"a".repeat(60_000) + "=eq.1",
            (400, "42703"),
        ),
        ("/".to_owned() + &"a".repeat(60_000), (404, "PGRST205")),
        (
            "/rpc/greet?".to_owned() + &"a".repeat(60_000) + "=1",
            (404, "PGRST202"),
        ),
        (
            "/orders?search=fts.".to_owned() + &"(".repeat(30_000),
            (400, "54001"),
        ),
        (
            "/orders?search=fts.".to_owned() + &"!".repeat(30_000) + "a",
            (400, "XX000"),
        ),
        ("/orders?search=fts(1).x".to_owned(), (400, "42704")),
        ("/orders?tags=cs.".to_owned() + &"{".repeat(100), (400, "54000")),
        (
            "/orders?data=cs.".to_owned() + &"[".repeat(60_000),
            (400, "54001"),
        ),
    ] {
        is_refused(&shop, "GET", &target, &[], "", expected).await;
    }
    let deep = |levels: usize| format!("{{\"body\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let wide: String = format!("{{{}}}", many(20_000, |n| format!("\"c{n}\":1")));
    for (target, body, expected) in [
        ("/notes", deep(10_000), (400, "PGRST102")),
        ("/notes?columns=body", deep(10_000), (400, "PGRST102")),
        ("/rpc/keys", "[".repeat(100_000), (400, "PGRST102")),
        ("/notes", wide.clone(), (400, "PGRST204")),
        ("/rpc/greet", wide, (404, "PGRST202")),
        ("/notes", "{\"body\":\"\\u0000\"}".to_owned(), (400, "22P05")),
        ("/notes", "{\"body\":\"\\ud800\"}".to_owned(), (400, "22P02")),
        (
            "/notes?columns=body",
            "{\"body\":\"\\ud800\"}".to_owned(),
            (400, "22P02"),
        ),
        ("/notes?columns=body", "{\"body\":".to_owned(), (400, "22P02")),
    ] {
        is_refused(&shop, "POST", target, &[], &body, expected).await;
    }
}

#[tokio::test]
async fn what_fits_exactly_runs() {
    let shop = Shop::open().await;
    for target in [
        "/orders?select=".to_owned() + &"id,".repeat(1599) + "id",
        "/orders?select=".to_owned() + &"entries(orders(".repeat(8) + "id" + &"))".repeat(8),
        // Parentheses in a value are no levels.
        "/orders?number=eq.".to_owned() + &"(".repeat(5000),
        "/orders?number=in.(\"".to_owned() + &"(".repeat(5000) + "\")",
        "/orders?or=(number.eq.\"".to_owned() + &"(".repeat(5000) + "\")",
        "/orders?id=in.(".to_owned()
            + &"70000000-0000-0000-0000-000000000001,".repeat(1000)
            + "70000000-0000-0000-0000-000000000002)",
        "/orders?limit=99999999999999999999".to_owned(),
        "/orders?offset=9223372036854775807&limit=18446744073709551615".to_owned(),
    ] {
        let answer = shop.get(&target).await;
        let shown: String = target.chars().take(60).collect();
        assert_eq!(answer.status, 200, "{shown}: {}", answer.body);
    }
}

#[tokio::test]
async fn headers_are_only_words() {
    let shop = Shop::open().await;
    for (name, value, most) in [
        ("range", "0-18446744073709551615", 206),
        ("range", "18446744073709551615-18446744073709551615", 416),
        ("range", "9223372036854775808-", 416),
        ("range", "5-1", 416),
        ("range", "-", 200),
        ("prefer", "timezone=../../etc/passwd", 400),
        ("prefer", "timezone='; drop table shop.orders; --", 400),
        ("prefer", "max-affected=99999999999999999999,handling=strict", 400),
        ("prefer", "=,=,,=", 200),
        ("accept", "text/'; drop table shop.orders; --", 406),
        (
            "accept",
            "application/vnd.pgrst.plan;options=analyze|delete;for=\"",
            406,
        ),
        ("accept", ";;;q=NaN", 406),
        ("accept-profile", "shop\"; drop schema shop; --", 406),
        ("accept-profile", "pg_catalog", 406),
    ] {
        for prefer in ["count=exact", "return=representation"] {
            let answer = shop
                .send("GET", "/orders", &[(name, value), ("prefer", prefer)], "")
                .await;
            assert!(
                answer.status <= most,
                "{name}: {value}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}

/// The status, and the body as JSON, of what is sent to a server byte for byte.
async fn raw(server: &TestServer, sent: &[u8]) -> (u16, Value) {
    let address = server.url("").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("connected");
    // The server may answer and hang up before all of it is sent.
    let _ = stream.write_all(sent).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (
        status.expect("a status"),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[tokio::test]
async fn bytes_that_do_not_belong_into_a_request_are_answered_in_words() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let request = |target: &[u8], headers: &str, body: &[u8]| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let head = format!(
            " HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n{headers}content-length: {}\r\n\r\n",
            owner.token,
            body.len()
        );
        [method.as_bytes(), b" /rest/v1", target, head.as_bytes(), body].concat()
    };
    for (target, headers, body, status, code) in [
        (&b"/items?name=eq.%00"[..], "", &b""[..], 400, "22021"),
        (b"/items%00", "", b"", 404, "PGRST205"),
        (b"/items?select=%22a%00b%22", "", b"", 400, "42703"),
        (b"/items?select=name::in%00t", "", b"", 400, "PGRST100"),
        (b"/items?nothing=eq.%ff%C3%28", "", b"", 400, "42703"),
        (b"/items?nothing=eq.\xff\xfe", "", b"", 400, "42703"),
        (b"/items?select=nothing->>\"a\"", "", b"", 400, "42703"),
        (b"/items?name=in.(\"<a>\",\"b\")", "", b"", 200, ""),
        (b"/items?a=%zz", "", b"", 400, "PGRST100"),
        (b"/items", "x: \0\r\n", b"", 400, "request.malformed"),
        (b"/items", "prefer: é\r\n", b"", 200, ""),
        (b"/items", "", b"\xff\xfe", 400, "PGRST102"),
        (b"/items", "", b"{\"name\":\"\xff\"}", 400, "PGRST102"),
        (
            b"/items?columns=name",
            "",
            b"{\"name\":\"\xff\"}",
            400,
            "PGRST102",
        ),
        (
            b"/items",
            "content-type: text/csv\r\n",
            b"name\n\xff",
            400,
            "PGRST102",
        ),
    ] {
        let (found, answer) = raw(&server, &request(target, headers, body)).await;
        let shown = String::from_utf8_lossy(target);
        assert_eq!(found, status, "{shown} {headers:?}: {answer}");
        if !code.is_empty() {
            assert_eq!(answer["code"], code, "{shown}: {answer}");
            for key in ["message", "details", "hint"] {
                assert!(answer.get(key).is_some(), "{shown}: {answer}");
            }
        }
    }
    let long = [b"/items?name=eq.".as_slice(), &vec![b'a'; 100_000]].concat();
    let (status, body) = raw(&server, &request(&long, "", b"")).await;
    assert_eq!(
        (status, &body["code"]),
        (414, &"request.target_too_long".into()),
        "{body}"
    );
    let limit = server.kernel().config().server.max_body_bytes;
    let (status, body) = raw(&server, &request(b"/items", "", &vec![b'['; limit + 1])).await;
    assert_eq!(
        (status, &body["code"]),
        (413, &"request.too_large".into()),
        "{body}"
    );
}
