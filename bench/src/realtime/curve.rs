//! What a change costs when more and more organisations listen that may not see it.

use std::time::Duration;

use anyhow::Result;

use super::Options;
use super::changes::wishes;
use super::people;
use super::socket;
use super::writer;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::Server;

/// In each organisation.
const SUBSCRIBERS: u32 = 4;
const A_SECOND: u32 = 200;
const OTHERS: [u32; 4] = [1, 10, 100, 1_000];
const TARGET: f64 = 1.5;

pub async fn run(server: &Server, options: &Options) -> Result<()> {
    let most = options.organizations.max(1);
    let others: Vec<u32> = OTHERS
        .into_iter()
        .filter(|others| *others < most)
        .chain([most])
        .collect();
    // Each point takes twice as long, since as much time without changes is set off.
    let seconds = options.seconds.div_ceil(2);
    println!(
        "realtime, curve: {A_SECOND} updates of single orders a second in one organisation with {SUBSCRIBERS} subscribers; as many in \
         each of the others, of whom nobody may see them; {seconds} s a point"
    );
    super::allow_connections((most + 1) * SUBSCRIBERS)?;
    let database = server.database().await?;
    people::make(&database, most + 1).await?;
    let nobody = writer::cost(server, A_SECOND, seconds, 1).await?;
    let nobody = nobody.0 + nobody.1;
    println!(
        "  context: a change that nobody listens to costs {nobody:.0} µs, all of it PostgreSQL's writing"
    );
    let mut costs = vec![(Rounds::new(), Rounds::new(), Rounds::new()); others.len()];
    let (mut ratios, mut net) = (Rounds::new(), Rounds::new());
    for round in 1..=options.rounds {
        let mut sockets = socket::open_all(&server.address, wishes(1..=1, SUBSCRIBERS)?).await?;
        let mut there = 0;
        for (others, (ours, postgres, both)) in others.iter().zip(&mut costs) {
            let more = wishes(there + 2..=others + 1, SUBSCRIBERS)?;
            sockets.extend(socket::open_all(&server.address, more).await?);
            there = *others;
            tokio::time::sleep(Duration::from_secs(2)).await;
            writer::cost(server, A_SECOND, 1, 1).await?;
            drain(&mut sockets)?;
            let cost = writer::cost(server, A_SECOND, seconds, 1).await?;
            drain(&mut sockets)?;
            ours.add(cost.0);
            postgres.add(cost.1);
            both.add(cost.0 + cost.1);
            println!(
                "  round {round}, {others} other organisations: {:.0} µs a change, the server {:.0} and PostgreSQL {:.0}",
                both.last(),
                cost.0,
                cost.1
            );
        }
        let (first, last) = (costs[0].2.last(), costs[costs.len() - 1].2.last());
        ratios.add(last / first);
        net.add((last - nobody) / (first - nobody));
        drop(sockets);
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    for (others, (ours, postgres, both)) in others.iter().zip(&costs) {
        println!(
            "  {others} other organisations: {}, the server {:.0} and PostgreSQL {:.0}",
            both.text(0, " µs"),
            ours.median(),
            postgres.median()
        );
    }
    println!(
        "  the last to the first, without what writing costs anyway: {}",
        net.text(2, "")
    );
    verdict(
        "cost of a change, the last to the first",
        &ratios.text(2, ""),
        "at most 1.5",
        ratios.median() <= TARGET,
    );
    warn_if_unsteady("the ratio", &ratios);
    Ok(())
}

/// Reads what came, so that nobody is a slow reader.
fn drain(sockets: &mut [socket::Socket]) -> Result<()> {
    use std::io::Read as _;
    let mut buffer = vec![0; 256 << 10];
    for socket in sockets {
        loop {
            match socket.stream.read(&mut buffer) {
                Ok(0) => anyhow::bail!("the server closed a connection"),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
