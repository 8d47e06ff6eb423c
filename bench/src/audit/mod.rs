//! `audit`: what the trail costs an update. The same statements on two tables of one shape, of which one is tracked, by pgbench in
//! turn.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use uuid::Uuid;

use crate::api::Person;
use crate::pgbench::Pgbench;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::{self, Server};

/// Most that a tracked update may take beyond a plain one.
const SHARE: f64 = 0.25;
const ORGANIZATIONS: i32 = 50;
const LOGIN: &str = "tenon_authenticator";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds, of both tables in turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Seconds of each.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// A binary that is there already, in place of a release build.
    #[arg(long)]
    binary: Option<PathBuf>,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => server::build()?,
    };
    let folder = server::folder()?;
    let server = Server::start(&binary, &folder.path().join("data"), &[]).await?;
    let person = Person::sign_up(&server.address).await?;
    let database = server.database().await?;
    let user: Uuid = person.id.parse()?;
    database
        .execute(
            include_str!("../rest/organizations.sql"),
            &[&user, &ORGANIZATIONS],
        )
        .await?;
    database.batch_execute(include_str!("orders.sql")).await?;
    for statement in ["vacuum analyze", "checkpoint"] {
        database.batch_execute(statement).await?;
    }
    println!(
        "audit: updates of purchase orders as a request makes them (context, update, commit, fsync on), {ORGANIZATIONS} \
         organisations; a tracked table against a plain one"
    );
    let pgbench = Pgbench::find(server.socket()?, LOGIN)?;
    // A colon before a name would be a variable of pgbench.
    let claims = person.claims()?.replace(':', ": ");
    for (name, clients, where_) in [
        ("one row, one client", 1, "= :row"),
        ("one row, eight clients", 8, "= :row"),
        (
            "a hundred rows in one statement, one client",
            1,
            "between :row and :row + 99",
        ),
    ] {
        let script = |table: &str| -> Result<PathBuf> {
            let path = folder.path().join(format!("{table}.pgbench"));
            let number = where_.replace(":row", "ROW");
            let id =
                |row: &str| format!("('00000000-0000-7000-a000-' || lpad(({row})::text, 12, '0'))::uuid");
            let condition = number
                .replace("ROW + 99", &id(":row + 99"))
                .replace("ROW", &id(":row"));
            let text = format!(
                "\\set org random(1, {ORGANIZATIONS})\n\\set row random(1, 900)\n\\set value random(1, 1000000)\n\
                 \\startpipeline\nbegin;\n\
                 select org_id, member_role, permissions from kernel.begin_request('service_role', '{}', '{claims}', \
                 ('00000000-0000-7000-8000-' || lpad((:org)::text, 12, '0'))::uuid, null, 'PATCH', '/orders', false, null, null, null, \
                 '{ORIGIN}');\n\
                 update bench.{table} set project = 'Project ' || :value, due_date = '2026-12-31'::date + (:value % 1000)::int, \
                 updated_at = now() where org_id = ('00000000-0000-7000-8000-' || lpad((:org)::text, 12, '0'))::uuid \
                 and id {condition};\ncommit;\n\\endpipeline\n",
                person.id
            );
            fs::write(&path, text)?;
            Ok(path)
        };
        let (plain, tracked) = (script("plain")?, script("tracked")?);
        let (mut shares, mut costs) = (Rounds::new(), Rounds::new());
        for round in 1..=options.rounds {
            // Who comes first takes turns, so that a machine that slows down favours neither.
            let order = if round % 2 == 0 {
                [&tracked, &plain]
            } else {
                [&plain, &tracked]
            };
            let first = pgbench.run(order[0], clients, options.seconds).await?;
            let second = pgbench.run(order[1], clients, options.seconds).await?;
            let (without, with) = if round % 2 == 0 {
                (second, first)
            } else {
                (first, second)
            };
            shares.add(without / with - 1.0);
            costs.add((1.0 / with - 1.0 / without) * 1e6 * f64::from(u32::try_from(clients)?));
            println!(
                "  {name}, round {round}: plain {without:.0}/s, tracked {with:.0}/s, {:+.1} %",
                shares.last() * 100.0
            );
        }
        println!("  {name}: {} more a transaction", costs.text(0, " µs"));
        let measured = shares.text(2, "");
        if name.starts_with("one row") {
            verdict(name, &measured, "less than 0.25", shares.median() < SHARE);
        } else {
            println!("  {name}: {measured} more; without a target");
        }
        warn_if_unsteady(name, &shares);
    }
    server.stop()
}

/// As the server writes it for a browser.
const ORIGIN: &str = r#"{"address": "192.0.2.1", "agent": "Mozilla/5.0 (X11; Linux x86_64; rv: 140.0) Gecko/20100101 Firefox/140.0", "request": "01890a5d-ac96-774b-bcce-b302099a8057"}"#;
