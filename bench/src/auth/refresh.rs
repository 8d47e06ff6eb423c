//! Refreshed sessions a second. Each connection has a session of its own and shows the token it was given last.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Bench, post, text};
use crate::load;
use crate::pgbench::Pgbench;
use crate::report::{Rounds, verdict, warn_if_unsteady};

const CONNECTIONS: usize = 16;
/// Of what pgbench reaches.
const RATIO: f64 = 0.5;

pub async fn run(bench: &Bench<'_>) -> Result<()> {
    let database = bench.server.database().await?;
    database.batch_execute(include_str!("refresh.sql")).await?;
    let script = bench.folder.join("refresh.pgbench");
    fs::write(&script, SCRIPT)?;
    let mut pgbench = Pgbench::find(bench.server.socket()?, "postgres")?;
    let mut tokens = Vec::new();
    for session in bench.visitors(CONNECTIONS).await? {
        tokens.push(text(&session, "refresh_token")?);
    }
    database.batch_execute("vacuum analyze").await?;
    println!(
        "auth, refresh: POST /auth/v1/token?grant_type=refresh_token, {CONNECTIONS} connections and clients of pgbench -M \
         prepared"
    );
    let (mut ratios, mut http, mut plain) = (Rounds::new(), Rounds::new(), Rounds::new());
    for round in 1..=bench.options.rounds {
        pgbench.variables = vec![format!("round={round}"), "n=0".to_owned()];
        plain.add(pgbench.run(&script, CONNECTIONS, bench.options.seconds).await?);
        let (rate, next) = refresh(
            &bench.server.address,
            tokens,
            Duration::from_secs(bench.options.seconds.into()),
        )
        .await?;
        tokens = next;
        http.add(rate);
        ratios.add(rate / plain.last());
        println!(
            "  round {round}: HTTP {rate:.0}/s, pgbench {:.0}/s, ratio {:.2}",
            plain.last(),
            ratios.last()
        );
    }
    println!("  HTTP {}, pgbench {}", http.text(0, "/s"), plain.text(0, "/s"));
    verdict(
        "refresh",
        &ratios.text(2, ""),
        "at least 0.5",
        ratios.median() >= RATIO,
    );
    warn_if_unsteady("the ratio", &ratios);
    Ok(())
}

/// Refreshes for so long; gives the rate and the tokens that are good afterwards.
async fn refresh(address: &str, tokens: Vec<String>, length: Duration) -> Result<(f64, Vec<String>)> {
    let end = Instant::now() + length;
    let mut tasks = JoinSet::new();
    for mut token in tokens {
        let address = address.to_owned();
        let mut stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        tasks.spawn(async move {
            let (mut count, mut buffer) = (0_u32, Vec::with_capacity(8 << 10));
            while Instant::now() < end {
                let request = post(
                    &address,
                    "/auth/v1/token?grant_type=refresh_token",
                    &json!({ "refresh_token": token }),
                );
                let length = load::exchange(&mut stream, &request, &mut buffer).await?;
                let session: Value = serde_json::from_slice(&buffer[buffer.len() - length..])?;
                token = text(&session, "refresh_token")?;
                count += 1;
            }
            Ok::<_, anyhow::Error>((count, token))
        });
    }
    let (mut count, mut tokens) = (0, Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (refreshed, token) = done.context("a connection ended")??;
        count += refreshed;
        tokens.push(token);
    }
    Ok((f64::from(count) / length.as_secs_f64(), tokens))
}

/// The two statements of a refresh in their transaction, with the token that the last one made. Sent one after the other, as
/// the second needs what the first found.
const SCRIPT: &str = include_str!("refresh.pgbench");
