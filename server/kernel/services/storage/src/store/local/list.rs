//! The keys of a folder in order, some at a time, without reading what lies before.

use std::{fs, io, path::Path};

use super::{super::Stored, files};

/// Keys after one, which comes with its spreading folder in front.
pub(super) fn after(objects: &Path, after: Option<&str>, limit: usize) -> io::Result<Vec<Stored>> {
    let mut found = Vec::new();
    walk(objects, "", after.unwrap_or_default(), limit, &mut found)?;
    Ok(found)
}

fn walk(folder: &Path, path: &str, after: &str, limit: usize, found: &mut Vec<Stored>) -> io::Result<()> {
    let mut entries = Vec::new();
    let listed = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in listed {
        let entry = entry?;
        let Ok(mut name) = entry.file_name().into_string() else {
            continue;
        };
        // The order of whole keys, in which the mark between parts counts.
        let is_folder = entry.file_type()?.is_dir();
        if is_folder {
            name.push('/');
        }
        let full = format!("{path}{name}");
        let before = full.as_str() <= after && !(is_folder && after.starts_with(&full));
        if !before {
            entries.push((full, is_folder, entry.path()));
        }
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (full, is_folder, place) in entries {
        if found.len() >= limit {
            return Ok(());
        }
        if is_folder {
            walk(&place, &full, after, limit, found)?;
            continue;
        }
        // Deleted since.
        let Ok(about) = fs::metadata(&place) else { continue };
        let key = full.split_once('/').map_or("", |(_, key)| key);
        found.push(Stored {
            key: key.to_owned(),
            size: about.len(),
            written: files::written(&about),
        });
    }
    Ok(())
}
