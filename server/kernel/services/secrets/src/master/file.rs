//! The file of master keys: a line for each, its version and 32 bytes in base64. Readable for its owner only.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{ErrorKind, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tenon_sdk::{Error, Result};
use zeroize::Zeroizing;

use super::wrong;
use crate::seal::{KEY, Key};

/// Keys by version.
pub(super) type Keys = BTreeMap<i32, Key>;

const HEAD: &str = "# Master keys of Tenon: a version and 32 bytes in base64 a line. Without them no secret in the database can be read.\n\
                    # Keep a copy apart from the backups of the database.\n";

/// Reads lines, or what stands between commas.
///
/// Errors: `config.invalid`.
pub(super) fn parse(text: &str) -> Result<Keys> {
    let mut keys = Keys::new();
    let entries = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    for entry in entries {
        // The entry itself is secret and stands in no error.
        let (version, key) = entry.split_once([' ', ':', '\t']).ok_or_else(|| {
            wrong("a master key is written as its version, a colon or a space, and 32 bytes in base64")
        })?;
        let version: i32 = version
            .parse()
            .ok()
            .filter(|version| *version > 0)
            .ok_or_else(|| wrong("the version of a master key is a number from 1"))?;
        let bytes = Zeroizing::new(
            STANDARD
                .decode(key.trim())
                .map_err(|_| wrong(format!("master key {version} is no base64")))?,
        );
        let key: [u8; KEY] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| wrong(format!("master key {version} has not 32 bytes")))?;
        if keys.insert(version, Zeroizing::new(key)).is_some() {
            return Err(wrong(format!("there are two master keys of version {version}")));
        }
    }
    Ok(keys)
}

/// Reads a file; `None` if there is none.
///
/// Errors: `config.invalid` if it cannot be read, is not what it should be, or others may read it.
pub(super) fn read(path: &Path) -> Result<Option<Keys>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(format!("{}: {error}", path.display()))),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path)
            .map_err(Error::internal)?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(wrong(format!("others may read {}", path.display()))
                .hint(format!("Run: chmod 600 {}", path.display())));
        }
    }
    let keys = parse(&text)?;
    if keys.is_empty() {
        return Err(wrong(format!("there is no key in {}", path.display())));
    }
    Ok(Some(keys))
}

/// How a file is put in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// Only where none is; says whether it was.
    New,
    /// In the place of the one that is there.
    Over,
}

/// Writes a file so that it is whole or not there, whatever happens meanwhile.
pub(super) fn write(path: &Path, keys: &Keys, put: Put) -> Result<bool> {
    let place = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| {
        wrong(format!("{} cannot be written: {error}", path.display()))
            .hint("Let the server write there, or give the keys in secrets.master_keys.")
    };
    std::fs::create_dir_all(place).map_err(failed)?;
    // Readable for its owner only, from the first moment.
    let mut file = tempfile::NamedTempFile::new_in(place).map_err(failed)?;
    let mut text = Zeroizing::new(HEAD.to_owned());
    for (version, key) in keys {
        let key = Zeroizing::new(STANDARD.encode(key.as_slice()));
        _ = writeln!(text, "{version} {}", *key);
    }
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let done = match put {
        Put::Over => file.persist(path).map(drop),
        Put::New => file.persist_noclobber(path).map(drop),
    };
    match done {
        Ok(()) => {}
        Err(error) if put == Put::New && error.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error.error)),
    }
    // The name, too, is there after a crash.
    std::fs::File::open(place)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[(i32, u8)]) -> Keys {
        bytes
            .iter()
            .map(|(version, byte)| (*version, Zeroizing::new([*byte; KEY])))
            .collect()
    }

    #[test]
    fn keys_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.keys");
        assert!(read(&path).unwrap().is_none());
        assert!(write(&path, &keys(&[(1, 7), (2, 9)]), Put::New).unwrap());
        assert!(read(&path).unwrap().unwrap() == keys(&[(1, 7), (2, 9)]));
        assert!(!write(&path, &keys(&[(1, 8)]), Put::New).unwrap());
        assert!(write(&path, &keys(&[(1, 8)]), Put::Over).unwrap());
        assert!(read(&path).unwrap().unwrap() == keys(&[(1, 8)]));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.keys");
        write(&path, &keys(&[(1, 7)]), Put::New).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read(&path).unwrap_err();
        assert_eq!(refused.code, "config.invalid");
        assert!(refused.hint.unwrap().starts_with("Run: chmod 600"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let good = STANDARD.encode([7; KEY]);
        assert_eq!(parse(&format!("1:{good}, 2 {good}\n# 3 x")).unwrap().len(), 2);
        for wrong in [
            good.clone(),
            format!("0 {good}"),
            format!("-1 {good}"),
            format!("one {good}"),
            format!("1 {}", &good[..20]),
            "1 c2hvcnQ=".into(),
            "1 !".into(),
            format!("1 {good}\n1 {good}"),
        ] {
            let refused = parse(&wrong).err().unwrap();
            assert_eq!(refused.code, "config.invalid", "{wrong}");
            assert!(!format!("{refused:?}").contains(&good), "{wrong}");
        }
    }
}
