//! Answers larger than what a server may hold, on a whole server.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestOrg, TestServer, TestUser};

use crate::server::goods;

const LINES: &str = "application/x-ndjson";

/// Length of a large value.
const SIZE: usize = 10_000_000;

async fn get(user: &TestUser, path: &str, accept: &str, prefer: &str) -> Response {
    user.get(path)
        .header("accept", accept)
        .header("prefer", prefer)
        .send()
        .await
        .expect("an answer")
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// An organisation with so many items, each longer than a hundred characters.
async fn stocked(server: &TestServer, name: &str, items: i32) -> TestOrg {
    let org = server.organization(name).await;
    let sql = "insert into goods.items (org_id, id, name, price) \
               select $1, gen_random_uuid(), $2 || to_char(n, ' 00000 ') || repeat('x', 100), n from generate_series(1, $3::int) n";
    let admin = server.admin().await;
    admin
        .execute(sql, &[&org.id, &name, &items])
        .await
        .expect("items");
    org
}

/// Connections of the server that run something of this kind.
async fn running(server: &TestServer, like: &str) -> i64 {
    let sql = "select count(*) from pg_stat_activity \
               where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like $1";
    let admin = server.admin().await;
    admin.query_one(sql, &[&like]).await.expect("figures").get(0)
}

#[tokio::test]
async fn long_answers_are_the_same_row_by_row() {
    let server = TestServer::start(vec![goods()]).await;
    let org = stocked(&server, "Here", 1500).await;
    let (user, path) = (
        &org.owner,
        "/rest/v1/items?select=name,price,maker:makers(name)&order=price",
    );
    let rows = get(user, path, "application/json", "").await;
    assert_eq!(header(&rows, "content-range"), Some("0-999/*"));
    let rows: Vec<Value> = rows.json().await.expect("rows");
    assert_eq!(rows.len(), 1000, "the server's own limit");

    let lines = get(user, path, LINES, "").await;
    assert_eq!((lines.status().as_u16(), lines.content_length()), (200, None));
    assert_eq!(
        header(&lines, "content-range"),
        Some("*/*"),
        "nobody has counted them"
    );
    let lines = lines.text().await.expect("lines");
    let read: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(read == rows && lines.ends_with("}\n"));

    let counted = get(user, &format!("{path}&offset=400"), LINES, "count=exact").await;
    assert_eq!(
        (counted.status().as_u16(), header(&counted, "content-range")),
        (206, Some("400-1399/1500"))
    );
    let counted = counted.text().await.expect("lines");
    assert_eq!(counted.lines().count(), 1000);
    let planned = get(user, path, LINES, "count=planned").await;
    assert_eq!(header(&planned, "content-range"), Some("0-999/1500"));

    let csv = get(
        user,
        "/rest/v1/items?select=name,price&order=price",
        "text/csv",
        "",
    )
    .await;
    assert_eq!(csv.content_length(), None);
    let csv = csv.text().await.expect("lines");
    let expected: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{},{}",
                json!(row["name"].as_str().expect("a name")),
                row["price"]
                    .as_f64()
                    .map(|price| format!("{price:.2}"))
                    .expect("a price")
            )
        })
        .collect();
    assert_eq!(csv, format!("name,price\n{}", expected.join("\n")));

    let head = user.request(Method::HEAD, path).header("accept", LINES);
    let head = head.send().await.expect("an answer");
    assert_eq!(header(&head, "content-range"), Some("0-999/*"));
}

#[tokio::test]
async fn a_stream_has_the_rows_of_its_own_organisation_alone() {
    let server = TestServer::start(vec![goods()]).await;
    let here = stocked(&server, "Here", 900).await;
    let there = stocked(&server, "There", 700).await;
    let viewer = server.member(&here, Role::Viewer).await;
    let path = "/rest/v1/items?select=name";
    for (user, name, count) in [(&viewer, "Here", 900), (&there.owner, "There", 700)] {
        for (accept, above) in [(LINES, 0), ("text/csv", 1)] {
            let text = get(user, path, accept, "").await.text().await.expect("text");
            let own = text.lines().filter(|line| line.contains(name)).count();
            assert_eq!((own, text.lines().count()), (count, count + above), "{accept}");
        }
    }
    let by_filter = format!("{path}&org_id=eq.{}", here.id);
    let text = get(&there.owner, &by_filter, LINES, "count=exact").await;
    assert_eq!(header(&text, "content-range"), Some("*/0"));
    assert_eq!(text.text().await.expect("text"), "");
    let foreign = get(&there.owner.in_org(here.id), path, LINES, "").await;
    assert_eq!(foreign.status().as_u16(), 404);
    for accept in [LINES, "text/csv"] {
        let request = server.anonymous(Method::GET, path).header("accept", accept);
        let (status, body) = tenon_testkit::answer(request).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("42501")),
            "{accept}: {body}"
        );
    }
    // By its slug, and as the only one of a caller: it is looked up on the way.
    let slug = server.http().get(server.url(path)).bearer_auth(&here.owner.token);
    let slug = slug.header("x-org-id", &here.slug).header("accept", LINES);
    let slug = slug.send().await.expect("an answer").text().await.expect("text");
    assert_eq!(slug.lines().count(), 900);
}

#[tokio::test]
async fn an_error_on_the_way_never_looks_like_the_end() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    for accept in [LINES, "text/csv"] {
        // Early enough, it is an answer.
        let refused = get(&owner, "/rest/v1/rpc/flaky?fails_at=20", accept, "").await;
        assert_eq!(refused.status().as_u16(), 400);
        assert_eq!(refused.json::<Value>().await.expect("JSON")["code"], "22012");
        for _ in 0..3 {
            let begun = get(&owner, "/rest/v1/rpc/flaky?fails_at=900", accept, "").await;
            assert_eq!(begun.status().as_u16(), 200);
            begun.text().await.expect_err("it broke off");
        }
        let whole = get(&owner, "/rest/v1/rpc/flaky?fails_at=1001", accept, "").await;
        assert!(whole.text().await.expect("whole").len() > 1_000_000);
    }
}

#[tokio::test]
async fn whoever_leaves_frees_the_connection() {
    let server = TestServer::start(vec![goods()]).await;
    let org = server.organization("Here").await;
    server
        .admin()
        .await
        .batch_execute("alter function goods.endless(int) rows 1000")
        .await
        .expect("a function");
    // More often than there are connections for streams.
    for _ in 0..8 {
        let mut stream = get(&org.owner, "/rest/v1/rpc/endless?pad=100000", LINES, "").await;
        assert_eq!(stream.status().as_u16(), 200);
        for _ in 0..3 {
            assert!(stream.chunk().await.expect("more").is_some());
        }
        drop(stream);
    }
    for _ in 0..200 {
        if running(&server, "%endless%").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a stream that nobody reads goes on");
}

#[tokio::test]
async fn large_values_arrive_whole_and_say_how_long_they_are() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let text = get(
        &owner,
        &format!("/rest/v1/rpc/long_text?size={SIZE}"),
        "application/json",
        "",
    )
    .await;
    assert_eq!(
        (text.status().as_u16(), text.content_length()),
        (200, Some(SIZE as u64 + 2))
    );
    let text = text.text().await.expect("whole");
    assert!(text == format!("\"{}\"", "0123456789".repeat(SIZE / 10)));
    let bytes = get(
        &owner,
        &format!("/rest/v1/rpc/long_bytes?size={SIZE}"),
        "application/octet-stream",
        "",
    )
    .await;
    assert_eq!(bytes.content_length(), Some(SIZE as u64));
    assert!(bytes.bytes().await.expect("whole") == "0123456789".repeat(SIZE / 10));
    let lines = get(&owner, &format!("/rest/v1/rpc/long_text?size={SIZE}"), LINES, "").await;
    assert_eq!(lines.text().await.expect("whole").len(), SIZE + 3);
}

#[tokio::test]
async fn slow_readers_hold_up_nobody() {
    let server = TestServer::start(vec![goods()]).await;
    let org = stocked(&server, "Here", 3).await;
    // More of them than there are connections of any kind, each with more than fits on the way.
    let mut slow = Vec::new();
    for _ in 0..12 {
        let large = "/rest/v1/rpc/long_text?size=10000000";
        slow.push(get(&org.owner, large, "application/json", "").await);
    }
    for _ in 0..20 {
        let (status, rows) = org.owner.get_json("/rest/v1/items?select=price").await;
        assert_eq!((status, rows.as_array().map(Vec::len)), (200, Some(3)));
    }
    // Nobody has taken anything, and yet the database is soon done with all of them.
    let mut looks = 0;
    while running(&server, "%long_text%").await > 0 {
        looks += 1;
        assert!(looks < 200, "still running");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for answer in slow {
        assert_eq!(answer.bytes().await.expect("whole").len(), 10_000_002);
    }
}
