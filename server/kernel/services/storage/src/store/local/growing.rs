//! Content that grows: one file that is written on at its end, and renamed when it is whole.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom},
    path::Path,
};

use tenon_sdk::{Error, Result};

use super::{
    super::{digest, no_such_upload},
    Content, Growing, Kept, files, of_disk, off, write,
};

/// Adds content after what is acknowledged; bytes behind that were on their way when a process died, and are written again.
pub(super) async fn grow(path: &Path, so_far: &Growing, content: Content, limit: u64) -> Result<Growing> {
    let (path, from) = (path.to_owned(), so_far.size);
    let file = off(move || open(&path, from)).await?;
    let added = write::write(file.try_clone().map_err(of_disk)?, content, limit).await?;
    off(move || file.sync_data().map_err(of_disk)).await?;
    let mut grown = so_far.clone();
    if added.size > 0 {
        grown.size += added.size;
        grown.parts.push(added.etag);
    }
    Ok(grown)
}

fn open(path: &Path, from: u64) -> Result<File> {
    let mut file = File::options()
        .write(true)
        .create(from == 0)
        .truncate(false)
        .open(path)
        .map_err(of_upload)?;
    if file.metadata().map_err(of_disk)?.len() < from {
        return Err(Error::internal("growing content is shorter than acknowledged"));
    }
    file.set_len(from).map_err(of_disk)?;
    file.seek(SeekFrom::Start(from)).map_err(of_disk)?;
    if from == 0 {
        files::sync_above(path).map_err(of_disk)?;
    }
    Ok(file)
}

/// Gives the content its place. Who comes again after it was done finds it there.
pub(super) fn finish(path: &Path, place: &Path, grown: &Growing) -> Result<Kept> {
    let kept = Kept {
        size: grown.size,
        etag: digest::of_parts(grown.parts.iter().map(String::as_str)),
    };
    let file = match File::options().write(true).open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let about = fs::metadata(place).map_err(of_upload)?;
            return if about.len() == grown.size {
                Ok(kept)
            } else {
                Err(no_such_upload())
            };
        }
        other => other.map_err(of_disk)?,
    };
    file.set_len(grown.size).map_err(of_disk)?;
    file.sync_all().map_err(of_disk)?;
    files::rename(path, place).map_err(of_disk)?;
    Ok(kept)
}

fn of_upload(cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::NotFound {
        no_such_upload()
    } else {
        of_disk(cause)
    }
}
