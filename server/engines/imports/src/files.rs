//! Uploaded files: received to a temporary file, kept in the database, so that whichever server works on the import has
//! them.

use std::io::{Read, Seek, SeekFrom, Write};

use axum::body::Body;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tenon_sdk::{Error, Result, TenantTx};
use uuid::Uuid;

const CHUNK: usize = 1 << 20;

/// A file that has arrived.
pub(crate) struct Received {
    file: NamedTempFile,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// Takes in a request's body without holding it in memory.
pub(crate) async fn receive(body: Body, most: usize) -> Result<Received> {
    let mut file = NamedTempFile::new().map_err(Error::internal)?;
    let mut hasher = Sha256::new();
    let mut size = 0_usize;
    let mut stream = body.into_data_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| {
            Error::invalid("imports.upload_broken", "The upload broke off.").details(error.to_string())
        })?;
        size += piece.len();
        if size > most {
            return Err(
                Error::too_large("imports.file_too_large", "The file is too large.")
                    .details(format!("At most {} MiB are taken.", most >> 20))
                    .hint("Split it, or save only the sheets that are needed."),
            );
        }
        hasher.update(&piece);
        file.write_all(&piece).map_err(Error::internal)?;
    }
    if size == 0 {
        return Err(Error::unprocessable("imports.file_empty", "The file is empty.")
            .hint("Check that it was saved, and upload it again."));
    }
    let sha256 = tenon_sdk::hex(&hasher.finalize());
    Ok(Received {
        file,
        size: size as u64,
        sha256,
    })
}

impl Received {
    /// Stores the file with its import.
    pub(crate) async fn store(mut self, tx: &TenantTx, run: Uuid) -> Result<()> {
        self.file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
        let mut chunk = Vec::with_capacity(CHUNK);
        for n in 0_i32.. {
            chunk.clear();
            self.file
                .as_file_mut()
                .take(CHUNK as u64)
                .read_to_end(&mut chunk)
                .map_err(Error::internal)?;
            if chunk.is_empty() {
                break;
            }
            tx.execute(
                "insert into imports.file_chunks (org_id, run_id, n, bytes) values ($1, $2, $3, $4)",
                &[&tx.org_id(), &run, &n, &chunk],
            )
            .await?;
        }
        Ok(())
    }
}

/// Fetches the file of an import to a temporary file.
pub(crate) async fn fetch(tx: &TenantTx, run: Uuid) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new().map_err(Error::internal)?;
    for n in 0_i32.. {
        let row = tx
            .query_opt(
                "select bytes from imports.file_chunks where org_id = $1 and run_id = $2 and n = $3",
                &[&tx.org_id(), &run, &n],
            )
            .await?;
        let Some(row) = row else { break };
        file.write_all(row.try_get(0)?).map_err(Error::internal)?;
    }
    file.flush().map_err(Error::internal)?;
    Ok(file)
}
