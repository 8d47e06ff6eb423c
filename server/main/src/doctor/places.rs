//! What lies beside the database: the disk, master keys, files, the mail server.

use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tenon_sdk::{config::Config, env::Env};
use tenon_services::notifications;
use tenon_storage::store;

use super::{Finding, is_open_to_others};

/// Bytes that a database needs to go on for a while.
const LITTLE: u64 = 1 << 30;

pub(super) fn disk(data_dir: &Path) -> Vec<Finding> {
    let Ok(disk) = rustix::fs::statvfs(data_dir) else {
        return vec![Finding::bad(
            "disk",
            format!("There is no data directory {}.", data_dir.display()),
            "Name it with --data-dir, or start the server once.",
        )];
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let all = disk.f_blocks.saturating_mul(disk.f_frsize).max(1);
    let says = format!(
        "{} MiB of {} are free for {}.",
        free >> 20,
        all >> 20,
        data_dir.display()
    );
    let remedy = "Make room, or move the data directory: PostgreSQL stops when it cannot write.";
    let space = if free < LITTLE {
        Finding::bad("disk", says, remedy)
    } else if free < all / 10 {
        Finding::warn("disk", says, remedy)
    } else {
        Finding::well("disk", says)
    };
    vec![space]
}

pub(super) fn keys(config: &Config) -> Vec<Finding> {
    let Some(path) = config.secrets.file(&config.database.data_dir) else {
        return Vec::new();
    };
    if is_open_to_others(&path) {
        return vec![Finding::bad(
            "keys",
            format!("Others on this machine may read {}.", path.display()),
            format!("chmod 600 {}", path.display()),
        )];
    }
    vec![Finding::well(
        "keys",
        format!(
            "Keep a copy of {} apart from backups of the database.",
            path.display()
        ),
    )]
}

/// Writes a file, reads it and lets it go.
pub(super) async fn files(config: &Config) -> Finding {
    let env = Env::real();
    let key = format!("doctor-{}", env.new_id());
    let tried = async {
        let store = store::open(config, &env)?;
        let content = stream::iter([Ok(Bytes::from_static(b"well"))]).boxed();
        store.put(&key, content, 100).await?;
        let mut read = Vec::new();
        let mut content = store.get(&key, None).await?;
        while let Some(bytes) = content.next().await {
            read.extend_from_slice(&bytes.map_err(tenon_sdk::Error::internal)?);
        }
        store.delete(std::slice::from_ref(&key)).await?;
        Ok::<_, tenon_sdk::Error>(read)
    };
    match tried.await {
        Ok(read) if read == b"well" => Finding::well("files", "A file was written, read and deleted."),
        Ok(_) => Finding::bad(
            "files",
            "What was read is not what was written.",
            "Look at the disk or the S3 service that [storage] names.",
        ),
        Err(error) => Finding::of_error("files", &error),
    }
}

pub(super) async fn mail(config: &Config) -> Finding {
    if config.mail.smtp_url.is_empty() {
        return if config.mail.mailbox {
            Finding::well("mail", "It is kept in the mailbox for development.")
        } else {
            Finding::warn(
                "mail",
                "No mail goes out: nobody can confirm an address, be invited by mail or recover a password.",
                "Name a mail server in mail.smtp_url.",
            )
        };
    }
    match notifications::probe(config).await {
        Ok(()) => Finding::well("mail", "The mail server answers and takes the login."),
        Err(error) => Finding::of_error("mail", &error),
    }
}
