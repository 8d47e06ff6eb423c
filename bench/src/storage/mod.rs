//! `storage`: downloads against nginx with a file of the same size, the memory that uploads take, lists out of a million objects.

mod download;
mod list;
mod nginx;
mod program;
mod upload;
mod wire;

use anyhow::Result;

use crate::server::{self, Server};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds of each part.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each download in a round.
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Only this part: download, upload or list.
    #[arg(long)]
    only: Option<String>,
    /// Megabytes of each upload.
    #[arg(long, default_value_t = 1_000)]
    upload_megabytes: u64,
    /// Uploads at once.
    #[arg(long, default_value_t = 8)]
    uploads: u32,
    /// Objects in a bucket that is listed.
    #[arg(long, default_value_t = 1_000_000)]
    objects: i32,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    for part in ["download", "upload", "list"] {
        if options.only.as_deref().is_some_and(|only| only != part) {
            continue;
        }
        let folder = server::folder()?;
        let settings = ["--set", program::SETTING];
        let server = Server::start(&binary, &folder.path().join("data"), &settings).await?;
        match part {
            "download" => download::run(&server, folder.path(), options).await?,
            "upload" => upload::run(&server, options).await?,
            _ => list::run(&server, options).await?,
        }
        println!(
            "  memory of the server: {} MiB at its peak",
            server.memory_kib("VmHWM")? >> 10
        );
        server.stop()?;
    }
    Ok(())
}
