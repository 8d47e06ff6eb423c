//! `secrets`: sealing and opening of values on one core, against the bare cipher.

use std::hint::black_box;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anyhow::Result;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use tenon_sdk::{OrgId, env::Env, secrets::Place};
use tenon_secrets::DataKey;

use crate::report::{Rounds, verdict, warn_if_unsteady};

/// Values a second of one core's time, sealed or opened.
const RATE: f64 = 50_000.0;
/// Bytes: a token, a key in PEM, a document.
const SIZES: [usize; 3] = [40, 1_700, 16_000];

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds, of both in turn.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Values of one round.
    #[arg(long, default_value_t = 100_000)]
    values: u32,
}

pub fn run(options: &Options) -> Result<()> {
    let env = Env::real();
    let mut bytes = [0; 32];
    env.fill_random(&mut bytes);
    let key = DataKey::new(1, &bytes.into());
    let bare = Aes256Gcm::new(&bytes.into());
    let row = env.new_id().to_string();
    let place = Place {
        org: Some(OrgId(env.new_id())),
        purpose: "bench",
        column: "bench.values.secret",
        row: &row,
    };
    println!(
        "secrets: {} values a round, on one core by its processor time",
        options.values
    );
    for size in SIZES {
        let plain = vec![7; size];
        let sealed = key.seal(&env, &place, &plain)?;
        let [mut sealing, mut opening, mut against] = [Rounds::new(), Rounds::new(), Rounds::new()];
        for _ in 0..options.rounds {
            let seals = rate(options.values, || {
                key.seal(&env, &place, black_box(&plain)).map(drop).is_ok()
            })?;
            let opens = rate(options.values, || {
                key.open(&place, black_box(&sealed)).map(drop).is_ok()
            })?;
            let bares = rate(options.values, || {
                let payload = Payload {
                    msg: black_box(&plain),
                    aad: b"bench",
                };
                bare.encrypt(&Nonce::from([0; 12]), payload).map(drop).is_ok()
            })?;
            sealing.add(seals);
            opening.add(opens);
            against.add(seals / bares);
        }
        println!(
            "  {size} bytes: sealed {}, opened {}, sealed against the bare cipher {}",
            sealing.text(0, "/s"),
            opening.text(0, "/s"),
            against.text(2, "")
        );
        let slower = if sealing.median() < opening.median() {
            &sealing
        } else {
            &opening
        };
        let met = slower.median() > RATE;
        verdict(
            &format!("values of {size} bytes"),
            &slower.text(0, "/s"),
            "over 50000/s",
            met,
        );
        warn_if_unsteady("sealing", &sealing);
    }
    Ok(())
}

/// How often something is done in a second of this process's time.
fn rate(times: u32, mut once: impl FnMut() -> bool) -> Result<f64> {
    let before = used()?;
    for _ in 0..times {
        anyhow::ensure!(once(), "a value was not sealed or opened");
    }
    Ok(f64::from(times) / (used()? - before))
}

/// Seconds of processor time.
#[allow(clippy::cast_precision_loss, reason = "microseconds of a few minutes")]
fn used() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}
