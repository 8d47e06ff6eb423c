//! Content that comes in parts: a folder for the upload, a file for each part, whose name says number and digest.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tenon_sdk::{Error, Result};

use super::{
    super::{digest, no_such_part, no_such_upload},
    Kept, Local,
    draft::{Draft, Drafts},
    files, key, of_disk,
};

impl Local {
    /// The folder of an upload's parts; an upload belongs to one key.
    pub(super) fn parts_of(&self, key: &str, upload: &str) -> Result<PathBuf> {
        if !key::is_part(upload) {
            return Err(no_such_upload());
        }
        let mut folder = self.beside("parts", key)?.into_os_string();
        folder.push("-");
        folder.push(upload);
        Ok(folder.into())
    }
}

/// Keeps a part and lets go of what had its number.
pub(super) fn keep(folder: &Path, number: u16, etag: &str, draft: Draft) -> Result<()> {
    if !folder.is_dir() {
        return Err(no_such_upload());
    }
    let name = format!("{number}-{etag}");
    draft.publish(&folder.join(&name)).map_err(of_disk)?;
    let same_number = format!("{number}-");
    for entry in fs::read_dir(folder).map_err(of_disk)? {
        let other = entry.map_err(of_disk)?;
        let other_name = other.file_name();
        let other_name = other_name.to_string_lossy();
        if other_name.starts_with(&same_number) && other_name != name {
            files::gone(fs::remove_file(other.path())).map_err(of_disk)?;
        }
    }
    Ok(())
}

/// Puts the parts together, and then lets go of them.
pub(super) fn finish(drafts: &Drafts, folder: &Path, place: &Path, parts: &[(u16, String)]) -> Result<Kept> {
    if !folder.is_dir() {
        return Err(no_such_upload());
    }
    let mut draft = drafts.create().map_err(of_disk)?;
    let mut size = 0;
    for (number, etag) in parts {
        let name = format!("{number}-{etag}");
        if !key::is_part(&name) {
            return Err(no_such_part());
        }
        let mut part = File::open(folder.join(name)).map_err(of_part)?;
        // The system copies by itself, or only notes that the blocks have a second owner.
        size += io::copy(&mut part, &mut draft.file).map_err(of_disk)?;
    }
    draft.publish(place).map_err(of_disk)?;
    files::gone(fs::remove_dir_all(folder)).map_err(of_disk)?;
    Ok(Kept {
        size,
        etag: digest::of_parts(parts.iter().map(|(_, etag)| etag.as_str())),
    })
}

fn of_part(cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::NotFound {
        no_such_part()
    } else {
        of_disk(cause)
    }
}
