//! `rest`: a page of 50 orders with their suppliers through the data API, against pgbench that sends PostgreSQL the
//! same statements (transaction, context, query) in one pipeline as the same login.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::http::Method;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::api::Person;
use crate::compiled::Asked;
use crate::load;
use crate::pgbench::Pgbench;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::{self, Server};

const RATIO: f64 = 0.6;
const ORGANIZATIONS: i32 = 200;
const PATH: &str = "/orders";
const QUERY: &str = "select=*,supplier:suppliers(name)&order=created_at.desc&limit=50";
const SCHEMA: &str = "purchasing";
const LOGIN: &str = "tenon_authenticator";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds, of pgbench and HTTP in turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// HTTP connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let folder = server::folder()?;
    let server = Server::start(&binary, &folder.path().join("data"), &[]).await?;
    let person = Person::sign_up(&server.address).await?;
    let database = server.database().await?;
    fill(&database, &person).await?;

    let requests: Arc<[Vec<u8>]> = (1..=ORGANIZATIONS)
        .map(|number| request(&server, &person, number))
        .collect();
    let mut buffer = Vec::new();
    let mut stream = TcpStream::connect(&server.address).await?;
    let length = load::exchange(&mut stream, &requests[0], &mut buffer).await?;
    let page: Vec<Value> = serde_json::from_slice(&buffer[buffer.len() - length..])?;
    ensure!(
        page.len() == 50 && page.iter().all(|order| order["supplier"]["name"].is_string()),
        "not a page of 50 orders with their suppliers: {}",
        String::from_utf8_lossy(&buffer)
    );

    let script = folder.path().join("page.sql");
    fs::write(&script, pgbench_script(&database, &person).await?)?;
    let pgbench = Pgbench::find(server.socket()?, LOGIN)?;
    let clients = best_clients(&pgbench, &script).await?;
    println!(
        "rest: GET /rest/v1{PATH}?{QUERY}\n  {ORGANIZATIONS} organisations with 300 orders each, {} HTTP connections, \
         {length} bytes a page; pgbench -M prepared with {clients} clients (the best of 2, 4, 8)",
        options.connections
    );
    let length = Duration::from_secs(options.seconds.into());
    load::run(
        &server.address,
        Arc::clone(&requests),
        options.connections,
        Duration::from_secs(2),
    )
    .await?;

    let (mut ratios, mut http, mut plain) = (Rounds::new(), Rounds::new(), Rounds::new());
    let (mut p50, mut p99) = (Rounds::new(), Rounds::new());
    for round in 1..=options.rounds {
        plain.add(pgbench.run(&script, clients, options.seconds).await?);
        let load = load::run(
            &server.address,
            Arc::clone(&requests),
            options.connections,
            length,
        )
        .await?;
        http.add(load.rate);
        p50.add(load.p50);
        p99.add(load.p99);
        ratios.add(http.last() / plain.last());
        println!(
            "  round {round}: HTTP {:.0}/s, pgbench {:.0}/s, ratio {:.2}",
            http.last(),
            plain.last(),
            ratios.last()
        );
    }
    println!("  HTTP {}, pgbench {}", http.text(0, "/s"), plain.text(0, "/s"));
    println!(
        "  time to an answer: p50 {}, p99 {}",
        p50.text(1, " ms"),
        p99.text(1, " ms")
    );
    println!(
        "  memory of the server: {} MiB at its peak",
        server.memory_kib("VmHWM")? >> 10
    );
    verdict(
        "ratio",
        &ratios.text(2, ""),
        "at least 0.6",
        ratios.median() >= RATIO,
    );
    warn_if_unsteady("the ratio", &ratios);
    server.stop()
}

async fn fill(database: &Client, person: &Person) -> Result<()> {
    let user: Uuid = person.id.parse()?;
    database
        .execute(include_str!("organizations.sql"), &[&user, &ORGANIZATIONS])
        .await?;
    database.execute(include_str!("suppliers.sql"), &[]).await?;
    database.execute(include_str!("orders.sql"), &[]).await?;
    // Each by itself: VACUUM refuses to share a message with others.
    for statement in ["vacuum analyze", "checkpoint"] {
        database.batch_execute(statement).await?;
    }
    Ok(())
}

fn organization(number: i32) -> Uuid {
    // The number in decimal digits at the end of the id, as organizations.sql makes it.
    format!("00000000-0000-7000-8000-{number:012}")
        .parse()
        .unwrap_or_default()
}

fn request(server: &Server, person: &Person, number: i32) -> Vec<u8> {
    format!(
        "GET /rest/v1{PATH}?{QUERY} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nAccept-Profile: {SCHEMA}\r\n\
         apikey: sb_publishable_tenon\r\nAuthorization: Bearer {}\r\nx-org-id: {}\r\n\r\n",
        server.address,
        person.token,
        organization(number)
    )
    .into_bytes()
}

/// More clients than connections of the server may serve pgbench better or worse; the comparison is with its best.
async fn best_clients(pgbench: &Pgbench, script: &Path) -> Result<usize> {
    let mut best = (0, 0.0);
    for clients in [2, 4, 8] {
        let rate = pgbench.run(script, clients, 3).await?;
        if rate > best.1 {
            best = (clients, rate);
        }
    }
    Ok(best.0)
}

/// The statements of one request as the server sends them.
async fn pgbench_script(database: &Client, person: &Person) -> Result<String> {
    let organization = "('00000000-0000-7000-8000-' || lpad((:org)::text, 12, '0'))::uuid";
    // A colon before a name would be a variable of pgbench.
    let claims = person.claims()?.replace(':', ": ");
    let tenant = self::organization(1);
    let asked = Asked {
        schema: SCHEMA,
        method: &Method::GET,
        path: PATH,
        query: QUERY,
        prefer: None,
        body: b"",
        tenant,
    };
    Ok(format!(
        "\\set org random(1, {ORGANIZATIONS})\n\\startpipeline\nbegin;\n\
         select org_id, member_role, permissions from kernel.begin_request('authenticated', '{}', '{claims}', \
         {organization}, null, 'GET', '/rest/v1{PATH}', true);\n{};\ncommit;\n\\endpipeline\n",
        person.id,
        asked
            .sql(database, &[(&tenant.to_string(), organization)])
            .await?
    ))
}
