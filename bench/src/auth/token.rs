//! What a token adds to a request: the same small read by the data API, with a token and without one, in turn on one
//! connection, so that both meet the same machine.

use std::time::Instant;

use anyhow::Result;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use tokio::net::TcpStream;

use super::{Bench, SECRET, text};
use crate::load;
use crate::report::{Rounds, verdict, warn_if_unsteady};

/// Microseconds.
const TARGET: f64 = 20.0;
const PEOPLE: usize = 400;
const PAIRS: usize = 4000;

pub async fn run(bench: &Bench<'_>) -> Result<()> {
    bench
        .server
        .database()
        .await?
        .batch_execute(include_str!("token.sql"))
        .await?;
    // The schema is read anew some time after it changed.
    let mut stream = TcpStream::connect(&bench.server.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let began = Instant::now();
    while let Err(error) =
        load::exchange(&mut stream, &request(&bench.server.address, None), &mut buffer).await
    {
        anyhow::ensure!(began.elapsed().as_secs() < 30, "{error}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let claims = json!({ "role": "anon", "iss": "bench" });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key)?;
    println!("auth, token: a row by /rest/v1 with a remembered token of role anon, and without any");
    let mut added = Rounds::new();
    for round in 1..=bench.options.rounds {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let asked = [
            request(&bench.server.address, None),
            request(&bench.server.address, Some(&token)),
        ];
        for pair in 0..PAIRS {
            // Each is first in half of the pairs.
            for turn in [pair % 2, 1 - pair % 2] {
                let began = Instant::now();
                load::exchange(&mut stream, &asked[turn], &mut buffer).await?;
                [&mut without, &mut with][turn].push(began.elapsed());
            }
        }
        added.add(median(&mut with) - median(&mut without));
        println!(
            "  round {round}: without {:.0} µs, with {:.0} µs",
            median(&mut without),
            median(&mut with)
        );
    }
    verdict(
        "a remembered token adds",
        &added.text(1, " µs"),
        "under 20 µs",
        added.median() < TARGET,
    );
    warn_if_unsteady("what a token adds", &added);

    let mut first = Rounds::new();
    for _ in 0..bench.options.rounds {
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for session in bench.visitors(PEOPLE).await? {
            let asked = request(&bench.server.address, Some(&text(&session, "access_token")?));
            for times in [&mut new, &mut known] {
                let began = Instant::now();
                load::exchange(&mut stream, &asked, &mut buffer).await?;
                times.push(began.elapsed());
            }
        }
        first.add(median(&mut new) - median(&mut known));
    }
    println!(
        "  the first time a token (ES256) is seen adds {}",
        first.text(0, " µs")
    );
    Ok(())
}

/// In microseconds.
fn median(times: &mut [std::time::Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

fn request(address: &str, token: Option<&str>) -> Vec<u8> {
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    format!(
        "GET /rest/v1/bench_note?id=eq.1 HTTP/1.1\r\nHost: {address}\r\nAccept-Profile: public\r\n{token}\r\n"
    )
    .into_bytes()
}
