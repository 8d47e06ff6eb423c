//! The data API's slowest answers while people sign in by password, against its slowest answers while nobody does. Requests
//! come at fixed moments, whether or not the ones before were answered; a late answer is measured from when it was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{Bench, post};
use crate::api::PUBLISHABLE_KEY;
use crate::load;
use crate::report::{Rounds, verdict, warn_if_unsteady};

const READERS: u32 = 8;
/// Of each reader.
const READS_A_SECOND: u32 = 25;
const SIGN_INS_A_SECOND: u32 = 50;
const PEOPLE: u32 = 20;
const PASSWORD: &str = "a long enough one";
/// Of the p99 without sign-ins.
const RATIO: f64 = 2.0;

pub async fn run(bench: &Bench<'_>) -> Result<()> {
    let address = bench.server.address.clone();
    let http = reqwest::Client::new();
    let mut signed_up = None;
    for number in 0..PEOPLE {
        let body = json!({ "email": email(number), "password": PASSWORD });
        signed_up = Some(bench.ask(&http, "/signup", &body).await?);
    }
    let token = super::text(&signed_up.context("nobody signed up")?, "access_token")?;
    let request = format!(
        "GET /rest/v1/bench_page?select=*&order=id&limit=50 HTTP/1.1\r\nHost: {address}\r\nAccept-Profile: public\r\napikey: {PUBLISHABLE_KEY}\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes();
    bench
        .server
        .database()
        .await?
        .batch_execute(include_str!("sign_in.sql"))
        .await?;
    let mut stream = TcpStream::connect(&address).await?;
    let (began, mut buffer) = (Instant::now(), Vec::new());
    while let Err(error) = load::exchange(&mut stream, &request, &mut buffer).await {
        anyhow::ensure!(began.elapsed().as_secs() < 30, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!(
        "auth, sign-in: {} pages of 50 rows a second by {READERS} readers, alone and beside {SIGN_INS_A_SECOND} sign-ins by \
         password a second",
        READERS * READS_A_SECOND
    );
    let length = Duration::from_secs((bench.options.seconds * 2).into());
    read(&address, &request, Duration::from_secs(1)).await?;
    let (mut ratios, mut alone, mut beside, mut done) =
        (Rounds::new(), Rounds::new(), Rounds::new(), Rounds::new());
    for round in 1..=bench.options.rounds {
        alone.add(read(&address, &request, length).await?);
        let count = Arc::new(AtomicU32::new(0));
        let people = tokio::spawn(sign_in(address.clone(), length, Arc::clone(&count)));
        beside.add(read(&address, &request, length).await?);
        done.add(f64::from(count.load(Ordering::Relaxed)) / length.as_secs_f64());
        people.await??;
        ratios.add(beside.last() / alone.last());
        println!(
            "  round {round}: p99 alone {:.1} ms, beside {:.0} sign-ins a second {:.1} ms, ratio {:.2}",
            alone.last(),
            done.last(),
            beside.last(),
            ratios.last()
        );
    }
    println!("  sign-ins answered in time: {}", done.text(0, "/s"));
    verdict(
        "p99 beside sign-ins",
        &ratios.text(2, ""),
        "under 2 times the p99 alone",
        ratios.median() < RATIO,
    );
    warn_if_unsteady("the ratio", &ratios);
    Ok(())
}

fn email(number: u32) -> String {
    format!("person{number}@example.com")
}

/// Reads for so long; gives the 99th percentile in milliseconds.
async fn read(address: &str, request: &[u8], length: Duration) -> Result<f64> {
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = request.to_vec();
        readers.spawn(async move {
            let pause = Duration::from_secs(1) / READS_A_SECOND;
            let began = tokio::time::Instant::now() + pause * reader / READERS;
            let mut ticks = tokio::time::interval_at(began, pause);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let (mut took, mut buffer) = (Vec::new(), Vec::new());
            while began.elapsed() < length {
                let due = ticks.tick().await;
                load::exchange(&mut stream, &request, &mut buffer).await?;
                took.push(due.elapsed());
            }
            Ok::<_, anyhow::Error>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(done) = readers.join_next().await {
        took.extend(done??);
    }
    took.sort_unstable();
    let at = took.get(took.len() * 99 / 100).context("nothing was read")?;
    Ok(at.as_secs_f64() * 1000.0)
}

/// Lets people sign in at fixed moments for so long, and counts those who were let in by then.
async fn sign_in(address: String, length: Duration, count: Arc<AtomicU32>) -> Result<()> {
    let mut people = JoinSet::new();
    let lanes = PEOPLE;
    for lane in 0..lanes {
        let (address, count) = (address.clone(), Arc::clone(&count));
        people.spawn(async move {
            let body = json!({ "email": email(lane), "password": PASSWORD });
            let request = post(&address, "/auth/v1/token?grant_type=password", &body);
            let mut stream = TcpStream::connect(&address).await?;
            let pause = Duration::from_secs(1) * lanes / SIGN_INS_A_SECOND;
            let began = tokio::time::Instant::now();
            let mut ticks = tokio::time::interval_at(began + pause * lane / lanes, pause);
            let mut buffer = Vec::new();
            while began.elapsed() < length {
                ticks.tick().await;
                load::exchange(&mut stream, &request, &mut buffer).await?;
                if began.elapsed() < length {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(done) = people.join_next().await {
        done??;
    }
    Ok(())
}
