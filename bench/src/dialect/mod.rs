//! `dialect`: six kinds of requests of the data API on a million rows of a thousand organisations under row-level
//! security, each against pgbench that sends PostgreSQL the same statements, in one pipeline and one after the other.

mod kinds;
pub mod peer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::http::Method;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::api::Person;
use crate::compiled::Asked;
use crate::load;
use crate::pgbench::Pgbench;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::{self, Server};
use kinds::{ITEMS, Kind};

/// Of what pgbench reaches with one pipeline.
const PIPELINED: f64 = 0.8;
/// Of what pgbench reaches with one statement after the other.
const SEQUENTIAL: f64 = 1.4;
/// Of the time within which pgbench's pipeline is done in 99 of 100 cases.
const P99: f64 = 3.0;
/// Of the same query as the tables' owner with the organisation written into it.
const WALL: f64 = 1.15;
const ORGANIZATIONS: i32 = 1000;
const CONNECTIONS: usize = 16;
const SCHEMA: &str = "shop";
/// As the server sets it for requests to that schema.
const SEARCH_PATH: &str = "\"shop\", \"public\"";
const LOGIN: &str = "tenon_authenticator";
/// The organisation of a script, from its number.
const ORGANIZATION: &str = "('00000000-0000-7000-8000-' || lpad((:org)::text, 12, '0'))::uuid";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds, of pgbench and HTTP in turn.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of each.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Only kinds whose names contain this.
    #[arg(long)]
    only: Option<String>,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let folder = server::folder()?;
    let data = folder.path().join("data");
    let database = {
        let server = Server::start(&binary, &data, &[]).await?;
        let person = Person::sign_up(&server.address).await?;
        let database = server.database().await?;
        fill(&database, &person).await?;
        server.stop()?;
        person
    };
    let person = database;
    let server = Server::start(&binary, &data, &["--set", "rest.schemas=[\"shop\"]"]).await?;
    let database = server.database().await?;
    println!(
        "dialect: {ORGANIZATIONS} organisations with {ITEMS} items each, {CONNECTIONS} HTTP connections and clients of pgbench"
    );
    let bench = Bench {
        server: &server,
        person: &person,
        database: &database,
        folder: folder.path(),
        options,
    };
    for kind in kinds::all() {
        if options
            .only
            .as_ref()
            .is_none_or(|part| kind.name.contains(part.as_str()))
        {
            bench.measure(&kind).await?;
        }
    }
    bench.wall().await?;
    println!(
        "  memory of the server: {} MiB at its peak",
        server.memory_kib("VmHWM")? >> 10
    );
    server.stop()
}

async fn fill(database: &Client, person: &Person) -> Result<()> {
    let user: Uuid = person.id.parse()?;
    database
        .execute(
            include_str!("../rest/organizations.sql"),
            &[&user, &ORGANIZATIONS],
        )
        .await?;
    database.batch_execute(include_str!("shop.sql")).await?;
    for statement in ["vacuum analyze", "checkpoint"] {
        database.batch_execute(statement).await?;
    }
    Ok(())
}

struct Bench<'a> {
    server: &'a Server,
    person: &'a Person,
    database: &'a Client,
    folder: &'a Path,
    options: &'a Options,
}

impl Bench<'_> {
    async fn measure(&self, kind: &Kind) -> Result<()> {
        let requests: Arc<[Vec<u8>]> = (1..=ORGANIZATIONS)
            .map(|number| self.request(kind, number))
            .collect();
        let mut pgbench = Pgbench::find(self.server.socket()?, LOGIN)?;
        pgbench.variables = kind.variables();
        let pipelined = self.script(kind, true).await?;
        let sequential = self.script(kind, false).await?;
        let mut ratios = [Rounds::new(), Rounds::new(), Rounds::new()];
        let (mut http, mut pipeline) = (Rounds::new(), Rounds::new());
        let seconds = self.options.seconds;
        self.load(&requests, 1).await?;
        for _ in 0..self.options.rounds {
            let (rate, p99) = pgbench
                .run_timed(&pipelined, CONNECTIONS, seconds, self.folder)
                .await?;
            let plain = pgbench.run(&sequential, CONNECTIONS, seconds).await?;
            let load = self.load(&requests, seconds).await?;
            if kind.writes {
                self.database
                    .batch_execute("truncate shop.notes; checkpoint")
                    .await?;
            }
            http.add(load.rate);
            pipeline.add(rate);
            ratios[0].add(load.rate / rate);
            ratios[1].add(load.rate / plain);
            ratios[2].add(load.p99 / p99);
        }
        println!(
            "  {}: HTTP {}, pgbench's pipeline {}",
            kind.name,
            http.text(0, "/s"),
            pipeline.text(0, "/s")
        );
        let [piped, plain, p99] = &ratios;
        verdict(
            "of the pipeline",
            &piped.text(2, ""),
            "at least 0.8",
            piped.median() >= PIPELINED,
        );
        verdict(
            "of one after the other",
            &plain.text(2, ""),
            "at least 1.4",
            plain.median() >= SEQUENTIAL,
        );
        verdict(
            "p99 against the pipeline's",
            &p99.text(1, ""),
            "under 3",
            p99.median() < P99,
        );
        warn_if_unsteady(kind.name, piped);
        Ok(())
    }

    async fn load(&self, requests: &Arc<[Vec<u8>]>, seconds: u32) -> Result<load::Load> {
        let length = Duration::from_secs(seconds.into());
        load::run(&self.server.address, Arc::clone(requests), CONNECTIONS, length).await
    }

    fn request(&self, kind: &Kind, number: i32) -> Vec<u8> {
        let query = kind.query(i64::from(number) * 13 % ITEMS + 1);
        let mark = if query.is_empty() { "" } else { "?" };
        let prefer = kind
            .prefer
            .map_or(String::new(), |prefer| format!("Prefer: {prefer}\r\n"));
        let mut request = format!(
            "{} /rest/v1{}{mark}{query} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nAccept-Profile: {SCHEMA}\r\n\
             Content-Profile: {SCHEMA}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{prefer}\
             apikey: sb_publishable_tenon\r\nAuthorization: Bearer {}\r\nx-org-id: {}\r\n\r\n",
            kind.method,
            kind.path,
            self.server.address,
            kind.body.len(),
            self.person.token,
            organization(number)
        )
        .into_bytes();
        request.extend_from_slice(kind.body.as_bytes());
        request
    }

    /// The statements of one request as the server sends them.
    async fn script(&self, kind: &Kind, pipelined: bool) -> Result<PathBuf> {
        // A colon before a name would be a variable of pgbench.
        let claims = self.person.claims()?.replace(':', ": ");
        let sql = self.sql(kind).await?;
        let (open, close) = if pipelined {
            ("\\startpipeline\n", "\\endpipeline\n")
        } else {
            ("", "")
        };
        let text = format!(
            "\\set org random(1, {ORGANIZATIONS})\n\\set item random(1, {ITEMS})\n{open}begin;\n\
             select org_id, member_role, permissions from kernel.begin_request('authenticated', '{}', '{claims}', \
             {ORGANIZATION}, null, '{}', '/rest/v1{}', {}, '{SEARCH_PATH}');\n{sql};\ncommit;\n{close}",
            self.person.id,
            kind.method,
            kind.path,
            kind.method == Method::GET
        );
        let script = self.folder.join(format!("{}-{pipelined}.sql", kind.name));
        fs::write(&script, text)?;
        Ok(script)
    }

    async fn sql(&self, kind: &Kind) -> Result<String> {
        let tenant = organization(1);
        let sample = kinds::SAMPLE.to_string();
        let asked = Asked {
            schema: SCHEMA,
            method: &kind.method,
            path: kind.path,
            query: &kind.query(kinds::SAMPLE),
            prefer: kind.prefer,
            body: kind.body.as_bytes(),
            tenant,
        };
        asked
            .sql(
                self.database,
                &[
                    (&tenant.to_string(), ORGANIZATION),
                    (&sample, "(:item)"),
                    (&kind.body, "(:body)"),
                ],
            )
            .await
    }

    /// What row-level security costs: the list's query as a member under the policies, and as the tables' owner with
    /// only the organisation that is written in it, both after the same beginning.
    async fn wall(&self) -> Result<()> {
        let list = kinds::all().swap_remove(1);
        let sql = self.sql(&list).await?;
        let claims = self.person.claims()?.replace(':', ": ");
        let begin = format!(
            "select kernel.begin_request('authenticated', '{}', '{claims}', {ORGANIZATION}, null, 'GET', '/', true, '{SEARCH_PATH}')",
            self.person.id
        );
        let script = |role: &str| {
            format!(
                "\\set org random(1, {ORGANIZATIONS})\n\\startpipeline\nbegin;\n{begin};\n{role}{sql};\ncommit;\n\\endpipeline\n"
            )
        };
        // Both switch the role once more, so that the two differ in nothing but the policies.
        let (walled, open) = (self.folder.join("walled.sql"), self.folder.join("open.sql"));
        fs::write(&walled, script("set local role authenticated;\n"))?;
        fs::write(&open, script("set local role postgres;\n"))?;
        let pgbench = Pgbench::find(self.server.socket()?, "postgres")?;
        let mut ratios = Rounds::new();
        for _ in 0..self.options.rounds {
            let without = pgbench.run(&open, CONNECTIONS, self.options.seconds).await?;
            let with = pgbench.run(&walled, CONNECTIONS, self.options.seconds).await?;
            ratios.add(without / with);
        }
        verdict(
            "a list under the policies against the organisation written in by hand",
            &ratios.text(2, ""),
            "at most 1.15",
            ratios.median() <= WALL,
        );
        Ok(())
    }
}

fn organization(number: i32) -> Uuid {
    // The number in decimal digits at the end of the id, as organizations.sql makes it.
    format!("00000000-0000-7000-8000-{number:012}")
        .parse()
        .unwrap_or_default()
}
