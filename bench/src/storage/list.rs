//! A thousand entries out of a million objects in a bucket, by each list that clients ask for: as somebody of an organisation under the
//! policies of the bucket `files`, half of which is theirs, and as a program with the service key.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_postgres::Client;

use super::Options;
use super::program::{self, KEY};
use crate::api::Person;
use crate::load;
use crate::report::verdict;
use crate::server::Server;

/// Milliseconds.
const TARGET: f64 = 10.0;
const PAGE: usize = 1_000;
/// Requests of one list in one round.
const ASKED: usize = 20;

struct List {
    name: &'static str,
    path: &'static str,
    /// With the folder below which the caller's objects are.
    body: fn(&str) -> Value,
    /// Pages that are turned before the one that is measured.
    deep: bool,
}

const LISTS: &[List] = &[
    v1(
        "v1, one folder by name",
        |base| json!({ "prefix": format!("{base}letters") }),
    ),
    v1(
        "v1, one folder by created_at",
        |base| json!({ "prefix": format!("{base}letters"), "sortBy": { "column": "created_at", "order": "desc" } }),
    ),
    v1(
        "v1, folders of one folder",
        |base| json!({ "prefix": format!("{base}years") }),
    ),
    v2("v2, all below a prefix", |base| json!({ "prefix": base })),
    v2(
        "v2, one folder by name",
        |base| json!({ "prefix": format!("{base}letters/"), "with_delimiter": true }),
    ),
    v2(
        "v2, folders of one folder",
        |base| json!({ "prefix": format!("{base}years/"), "with_delimiter": true }),
    ),
    v2(
        "v2, all by created_at",
        |base| json!({ "prefix": base, "sortBy": { "column": "created_at", "order": "desc" } }),
    ),
    v2(
        "v2, one folder by created_at",
        |base| json!({ "prefix": format!("{base}letters/"), "with_delimiter": true, "sortBy": { "column": "created_at", "order": "asc" } }),
    ),
    deep(
        "v2, all below a prefix, page 101",
        |base| json!({ "prefix": base }),
    ),
    deep(
        "v2, one folder by name, page 101",
        |base| json!({ "prefix": format!("{base}letters/"), "with_delimiter": true }),
    ),
    deep(
        "v2, all by created_at, page 101",
        |base| json!({ "prefix": base, "sortBy": { "column": "created_at", "order": "asc" } }),
    ),
];

const fn v1(name: &'static str, body: fn(&str) -> Value) -> List {
    List {
        name,
        path: "/object/list/",
        body,
        deep: false,
    }
}

const fn v2(name: &'static str, body: fn(&str) -> Value) -> List {
    List {
        name,
        path: "/object/list-v2/",
        body,
        deep: false,
    }
}

const fn deep(name: &'static str, body: fn(&str) -> Value) -> List {
    List {
        name,
        path: "/object/list-v2/",
        body,
        deep: true,
    }
}

/// Pages before the deep one.
const PAGES: usize = 100;

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    let person = Person::sign_up(&server.address).await?;
    let org = person.create_organization("Lists").await?;
    program::bucket(&server.address, "pile", false).await?;
    fill(&server.database().await?, &format!("{org}/"), options.objects).await?;
    println!(
        "storage, list: {PAGE} entries of {} objects in a bucket; one connection, {ASKED} requests a list and round, {} rounds",
        options.objects, options.rounds
    );
    let callers = [
        ("a member", &person.token[..], "files", format!("{org}/")),
        ("the service key", KEY, "pile", String::new()),
    ];
    for list in LISTS {
        for (caller, token, bucket, base) in &callers {
            let (times, spent) = measure(server, list, (token, bucket, base), options).await?;
            let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1000.0;
            verdict(
                &format!("{} as {caller}", list.name),
                &format!("p50 {:.1} ms ({:.1} to {:.1})", at(50), at(0), at(99)),
                "under 10 ms",
                at(50) < TARGET,
            );
            println!(
                "    processor time of one: PostgreSQL {:.1} ms, server {:.1} ms",
                spent[0], spent[1]
            );
        }
    }
    Ok(())
}

/// Half of the bucket `files` is the measured organisation's, the rest of others.
async fn fill(database: &Client, base: &str, objects: i32) -> Result<()> {
    let sql = include_str!("objects.sql");
    // Nothing to be counted or discarded: that is not what is measured.
    database
        .batch_execute("alter table storage.objects disable trigger user")
        .await?;
    database.execute(sql, &[&"pile", &objects, &""]).await?;
    database.execute(sql, &[&"files", &(objects / 2), &base]).await?;
    for number in 0..10 {
        let other = format!("00000000-0000-7000-8000-{number:012}/");
        database
            .execute(sql, &[&"files", &(objects / 20), &other])
            .await?;
    }
    for statement in [
        "alter table storage.objects enable trigger user",
        "vacuum analyze storage.objects",
        "checkpoint",
    ] {
        database.batch_execute(statement).await?;
    }
    Ok(())
}

async fn measure(
    server: &Server,
    list: &List,
    (token, bucket, base): (&str, &str, &str),
    options: &Options,
) -> Result<(Vec<Duration>, [f64; 2])> {
    let mut body = (list.body)(base);
    body["limit"] = json!(PAGE);
    let mut stream = TcpStream::connect(&server.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let request = |body: &Value| {
        let text = body.to_string();
        format!(
            "POST /storage/v1{}{bucket} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            list.path,
            server.address,
            text.len()
        )
        .into_bytes()
    };
    for _ in 0..if list.deep { PAGES } else { 0 } {
        let length = load::exchange(&mut stream, &request(&body), &mut buffer).await?;
        let page: Value = serde_json::from_slice(&buffer[buffer.len() - length..])?;
        let cursor = page["nextCursor"]
            .as_str()
            .context("there are fewer pages than that")?;
        body["cursor"] = json!(cursor);
    }
    let request = request(&body);
    let length = load::exchange(&mut stream, &request, &mut buffer).await?;
    let page: Value = serde_json::from_slice(&buffer[buffer.len() - length..])?;
    let count = |part: &Value| part.as_array().map_or(0, Vec::len);
    let entries = count(&page) + count(&page["objects"]) + count(&page["folders"]);
    ensure!(entries == PAGE, "{}: not {PAGE} entries but {entries}", list.name);
    let mut times = Vec::new();
    let before = [server.postgres_processor()?, server.processor()?];
    for _ in 0..options.rounds as usize * ASKED {
        let began = Instant::now();
        load::exchange(&mut stream, &request, &mut buffer).await?;
        times.push(began.elapsed());
    }
    let after = [server.postgres_processor()?, server.processor()?];
    let asked = f64::from(u32::try_from(times.len())?);
    let spent = [0, 1].map(|part| (after[part] - before[part]) * 1000.0 / asked);
    times.sort_unstable();
    Ok((times, spent))
}
