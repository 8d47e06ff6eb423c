//! A message to a thousand subscribers of one channel, a hundred times a second, against a bare program that writes the same bytes
//! to as many connections, in turn.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Options;
use super::arrivals::{Arrivals, Plan, Summary};
use super::fan_out::{LISTENER, SENDER};
use super::frames::{self, TOPIC};
use super::listeners::listen;
use super::socket::{self, Socket, Wish};
use crate::processor;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::Server;

const A_SECOND: u32 = 100;
/// Bytes of a message's JSON.
const SIZE: usize = 200;
/// Milliseconds.
const TARGET: f64 = 100.0;

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    let count = super::allow_connections(options.subscribers)?;
    println!(
        "realtime, broadcast: {A_SECOND} messages of {SIZE} bytes a second to {count} subscribers of a public channel (vsn 2.0.0), \
         {} s a round",
        options.seconds
    );
    let wish = Wish {
        topic: TOPIC.to_owned(),
        ..Wish::default()
    };
    let mut subscribers = socket::open_all(&server.address, vec![wish.clone(); count as usize]).await?;
    let mut sender = Sender {
        stream: blocking(socket::open(&server.address, &wish).await?.stream)?,
        message: |number| frames::broadcast(number, SIZE),
    };
    let (bare, mut bare_sender, mut bare_listeners) = Bare::start(count)?;
    let (mut p99, mut bare_p99, mut ratios) = (Rounds::new(), Rounds::new(), Rounds::new());
    let (mut spent, mut bare_spent, mut costs) = (Rounds::new(), Rounds::new(), Rounds::new());
    let (mut lost, mut last_p99) = (0, Rounds::new());
    for round in 1..=options.rounds {
        let before = processor::seconds(bare.0.id())?;
        let baseline;
        (bare_listeners, bare_sender, baseline) =
            measure(bare_listeners, bare_sender, options.seconds).await?;
        bare_spent.add(processor::seconds(bare.0.id())? - before);
        let before = (server.processor()?, server.postgres_processor()?);
        let ours;
        (subscribers, sender, ours) = measure(subscribers, sender, options.seconds).await?;
        spent.add(server.processor()? - before.0);
        let postgres = server.postgres_processor()? - before.1;
        p99.add(ours.p99);
        last_p99.add(ours.last_p99);
        bare_p99.add(baseline.p99);
        ratios.add(ours.p99 / baseline.p99);
        costs.add(spent.last() / bare_spent.last());
        lost += ours.lost;
        println!(
            "  round {round}: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms, lost {}, twice or out of order {}, processor {:.1} s and \
             PostgreSQL {postgres:.1} s; bare p50 {:.1} ms, p99 {:.1} ms, lost {}, processor {:.1} s",
            ours.p50,
            ours.p99,
            ours.most,
            ours.lost,
            ours.out_of_turn,
            spent.last(),
            baseline.p50,
            baseline.p99,
            baseline.lost,
            bare_spent.last()
        );
    }
    let receipts = f64::from(count) * f64::from(A_SECOND) * f64::from(options.seconds) / 1e6;
    println!(
        "  p99 until the last subscriber had it: {}; a receipt costs the server {:.1} µs of processor time, the bare program {:.1} µs",
        last_p99.text(1, " ms"),
        spent.median() / receipts,
        bare_spent.median() / receipts
    );
    println!(
        "  against the bare program: p99 {} times, processor time {} times",
        ratios.text(2, ""),
        costs.text(2, "")
    );
    verdict(
        "p99 from due to received",
        &p99.text(1, " ms"),
        "under 100 ms",
        p99.median() < TARGET,
    );
    verdict("messages lost", &lost.to_string(), "none", lost == 0);
    warn_if_unsteady("the p99", &p99);
    Ok(())
}

/// Sends at fixed moments.
struct Sender {
    stream: TcpStream,
    message: fn(u32) -> Vec<u8>,
}

async fn measure(
    listeners: Vec<Socket>,
    mut sender: Sender,
    seconds: u32,
) -> Result<(Vec<Socket>, Sender, Summary)> {
    let plan = Plan::new(A_SECOND, seconds);
    let readers = u32::try_from(listeners.len())?;
    let ear = Arrivals::new(plan, frames::broadcast_number, listeners.len(), readers);
    let listening = listen(listeners, ear, plan.patience())?;
    let sending = tokio::task::spawn_blocking(move || {
        for number in 0..plan.count {
            let message = (sender.message)(number);
            std::thread::sleep(plan.due(number).saturating_duration_since(Instant::now()));
            sender.stream.write_all(&message)?;
        }
        Ok::<_, std::io::Error>(sender)
    });
    let (listeners, ear) = listening.end().await?;
    Ok((listeners, sending.await??, ear.summary()))
}

fn blocking(stream: TcpStream) -> Result<TcpStream> {
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// The bare program, a process of its own as the server is.
struct Bare(Child);

impl Bare {
    fn start(count: u32) -> Result<(Self, Sender, Vec<Socket>)> {
        let mut bare = Self(
            Command::new(std::env::current_exe()?)
                .arg("fan-out")
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let mut address = String::new();
        BufReader::new(bare.0.stdout.take().context("the bare program says nothing")?)
            .read_line(&mut address)?;
        let connect = |first| {
            let mut stream = TcpStream::connect(address.trim())?;
            stream.set_nodelay(true)?;
            stream.write_all(&[first])?;
            Ok::<_, anyhow::Error>(stream)
        };
        let mut listeners = Vec::new();
        for _ in 0..count {
            let mut stream = connect(LISTENER)?;
            let mut answer = [0];
            stream.read_exact(&mut answer)?;
            ensure!(answer == [LISTENER], "the bare program answered something else");
            stream.set_nonblocking(true)?;
            listeners.push(Socket {
                stream,
                pending: Vec::new(),
            });
        }
        let sender = Sender {
            stream: connect(SENDER)?,
            message: |number| frames::broadcast_of_server(number, SIZE),
        };
        Ok((bare, sender, listeners))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
