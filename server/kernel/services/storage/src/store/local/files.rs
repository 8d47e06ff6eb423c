//! What is done with files and folders so that it outlasts a loss of power.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use jiff::Timestamp;

use super::draft::Drafts;

/// Something that is not there is as good as removed.
pub(super) fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes a folder and those above it, and flushes what has new entries.
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => sync_above(folder),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let above = folder.parent().ok_or(cause)?;
            make_folders(above)?;
            match fs::create_dir(folder) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
                _ => sync_above(folder),
            }
        }
        Err(cause) => Err(cause),
    }
}

/// Flushes the folder an entry stands in.
pub(super) fn sync_above(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => File::open(above)?.sync_all(),
        Some(_) => File::open(".")?.sync_all(),
        None => Ok(()),
    }
}

/// Renames a flushed file and flushes its new folder.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    in_folder(to, || fs::rename(from, to))?;
    sync_above(to)
}

/// Does something in a folder that somebody who deletes may take away just now.
fn in_folder(place: &Path, mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut tries = 0;
    loop {
        if let Some(above) = place.parent() {
            // Somebody may take away what is above it while it is being made.
            match make_folders(above) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && tries < 100 => {
                    tries += 1;
                    continue;
                }
                other => other?,
            }
        }
        match act() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && tries < 100 => tries += 1,
            other => return other,
        }
    }
}

/// The same bytes at a second place: a second name for the same file, since none is ever written to, or a copy where the file
/// system has no such names.
pub(super) fn copy(drafts: &Drafts, from: &Path, to: &Path) -> io::Result<()> {
    // Its absence is an error of its own, not one of the folder it shall stand in.
    let mut source = File::open(from)?;
    if in_folder(to, || fs::hard_link(from, to)).is_ok() {
        return sync_above(to);
    }
    let mut draft = drafts.create()?;
    io::copy(&mut source, &mut draft.file)?;
    draft.publish(to)
}

/// Removes files, and the folders that they leave empty.
pub(super) fn delete(root: &Path, places: &[std::path::PathBuf]) -> io::Result<()> {
    for place in places {
        match fs::remove_file(place) {
            Ok(()) => {}
            // A key below that of another's content, or above it, is not there either.
            Err(cause)
                if cause.kind() == io::ErrorKind::NotFound
                    || cause.kind() == io::ErrorKind::NotADirectory
                    || place.is_dir() => {}
            Err(cause) => return Err(cause),
        }
        let above = place.ancestors().skip(1);
        for folder in above.take_while(|folder| folder.parent().is_some_and(|up| up != root)) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// Removes entries of a folder that were last written before a moment.
pub(super) fn remove_older(folder: &Path, moment: Timestamp) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(about) = entry.metadata() else { continue };
        if written(&about) >= moment {
            continue;
        }
        gone(if about.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        })?;
    }
    Ok(())
}

/// When a file was written.
pub(super) fn written(about: &fs::Metadata) -> Timestamp {
    about
        .modified()
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::MIN)
}
