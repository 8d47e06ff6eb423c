//! An object of 100 MB by each road that a browser takes, against nginx with a file of the same bytes on the same disk; one connection
//! at a time.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;

use super::Options;
use super::nginx::Nginx;
use super::program::{self, KEY};
use super::wire::Wire;
use crate::api::Person;
use crate::load;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::Server;

const SIZE: usize = 100_000_000;
const SMALL: usize = 10_000;
/// A part out of the middle.
const RANGE: &str = "Range: bytes=40000000-49999999\r\n";
const RANGE_SIZE: u64 = 10_000_000;
const TARGET: f64 = 0.7;
const CONNECTIONS: usize = 16;
const KIND: &str = "application/octet-stream";

struct Road {
    name: &'static str,
    path: String,
    headers: String,
    length: u64,
}

pub async fn run(server: &Server, folder: &Path, options: &Options) -> Result<()> {
    let large: Vec<u8> = (0..SIZE).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
    let small = large[..SMALL].to_vec();
    let files = folder.join("files");
    fs::create_dir(&files)?;
    fs::write(files.join("large"), &large)?;
    fs::write(files.join("small"), &small)?;
    let nginx = Nginx::start(folder, &files).await?;
    let address = &server.address;

    let person = Person::sign_up(address).await?;
    let org = person.create_organization("Files").await?;
    program::bucket(address, "open", true).await?;
    let put = async |token: &str, path: &str, bytes: Vec<u8>| {
        program::send(address, token, Method::POST, path, bytes, KIND).await
    };
    put(KEY, "/object/open/large", large.clone()).await?;
    put(KEY, "/object/open/small", small).await?;
    put(&person.token, &format!("/object/files/{org}/large"), large).await?;
    let sign = format!("/object/sign/files/{org}/large");
    let life = r#"{"expiresIn":3600}"#;
    let signed = program::send(
        address,
        &person.token,
        Method::POST,
        &sign,
        life,
        "application/json",
    )
    .await?;
    let signed = signed["signedURL"].as_str().context("no address was signed")?;

    let whole = SIZE as u64;
    let bearer = format!("Authorization: Bearer {}\r\n", person.token);
    let road = |name, path: String, headers: &str, length| Road {
        name,
        path: format!("/storage/v1{path}"),
        headers: headers.to_owned(),
        length,
    };
    let roads = [
        road("public object", "/object/public/open/large".into(), "", whole),
        road(
            "private object with a token",
            format!("/object/authenticated/files/{org}/large"),
            &bearer,
            whole,
        ),
        road("signed address", signed.to_owned(), "", whole),
        road(
            "a tenth of it (range)",
            "/object/public/open/large".into(),
            RANGE,
            RANGE_SIZE,
        ),
    ];
    println!(
        "storage, download: an object of {} MB, one connection, {} s a round; nginx serves a file of the same bytes",
        SIZE / 1_000_000,
        options.seconds
    );
    let length = Duration::from_secs(options.seconds.into());
    for road in roads {
        measure(server, &nginx, road, options.rounds, length).await?;
    }
    small_objects(server, &nginx, options, length).await
}

fn request(address: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n").into_bytes()
}

async fn measure(server: &Server, nginx: &Nginx, road: Road, rounds: u32, length: Duration) -> Result<()> {
    let (mut ours, mut theirs, mut ratios) = (Rounds::new(), Rounds::new(), Rounds::new());
    let mut spent = [Rounds::new(), Rounds::new()];
    let range = if road.length == SIZE as u64 { "" } else { RANGE };
    let asks = [
        (nginx.address.clone(), request(&nginx.address, "/large", range)),
        (
            server.address.clone(),
            request(&server.address, &road.path, &road.headers),
        ),
    ];
    for (address, request) in &asks {
        // What is in memory is what is compared: the disk is the same.
        let head = Wire::connect(address)?.ask(request)?;
        ensure!(
            head.length == road.length,
            "not what was asked for:\n{}",
            head.text
        );
    }
    for _ in 0..rounds {
        let before = [nginx.processor()?, server.processor()?];
        let mut rates = Vec::new();
        for (address, request) in asks.clone() {
            let reading =
                tokio::task::spawn_blocking(move || Wire::connect(&address)?.rate(&request, length));
            rates.push(reading.await??);
        }
        theirs.add(rates[0]);
        ours.add(rates[1]);
        ratios.add(rates[1] / rates[0]);
        let after = [nginx.processor()?, server.processor()?];
        for (part, spent) in spent.iter_mut().enumerate() {
            spent.add((after[part] - before[part]) / (rates[part] * length.as_secs_f64()) * 1e6);
        }
    }
    println!(
        "  {}: {}, nginx {}; processor time of a MB {:.0} µs, nginx {:.0} µs",
        road.name,
        ours.text(0, " MB/s"),
        theirs.text(0, " MB/s"),
        spent[1].median(),
        spent[0].median()
    );
    verdict(
        road.name,
        &format!("{} of nginx's rate", ratios.text(2, "")),
        "at least 0.7",
        ratios.median() >= TARGET,
    );
    warn_if_unsteady(road.name, &ratios);
    Ok(())
}

/// For information: what nginx does not do here (the row, the policies) is most of the work.
async fn small_objects(server: &Server, nginx: &Nginx, options: &Options, length: Duration) -> Result<()> {
    let (mut ours, mut theirs) = (Rounds::new(), Rounds::new());
    for _ in 0..options.rounds {
        for (address, path, rounds) in [
            (&nginx.address, "/small", &mut theirs),
            (&server.address, "/storage/v1/object/public/open/small", &mut ours),
        ] {
            let requests: Arc<[Vec<u8>]> = [request(address, path, "")].into();
            rounds.add(load::run(address, requests, CONNECTIONS, length).await?.rate);
        }
    }
    println!(
        "  context: public objects of {SMALL} bytes, {CONNECTIONS} connections: {}, nginx {}",
        ours.text(0, "/s"),
        theirs.text(0, "/s")
    );
    Ok(())
}
