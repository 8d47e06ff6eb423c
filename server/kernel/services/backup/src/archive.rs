//! The file: tar in gzip in age.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use age::secrecy::SecretString;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;
use tenon_sdk::{Error, Result};

use crate::manifest::broken;

/// Bytes of one entry at most; larger content goes on in the next.
pub const PIECE: usize = 8 << 20;

/// What a backup is sealed with.
pub enum Key {
    /// For whoever has an identity to one of these (`age1…`).
    Recipients(Vec<String>),
    /// For whoever knows it.
    Passphrase(String),
    /// For everybody.
    None,
}

/// What a backup is opened with.
#[derive(Clone)]
pub enum Opening {
    /// A file of age identities.
    Identities(PathBuf),
    /// A passphrase.
    Passphrase(String),
    /// It is not sealed.
    None,
}

/// Where bytes go before they are in the file.
enum Sink {
    Open(BufWriter<File>),
    Sealed(age::stream::StreamWriter<BufWriter<File>>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => file.write(bytes),
            Self::Sealed(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(file) => file.flush(),
            Self::Sealed(file) => file.flush(),
        }
    }
}

/// A file on its way. Dropped before [`Writer::finish`], it leaves nothing under the name.
pub(crate) struct Writer {
    tar: tar::Builder<GzEncoder<Sink>>,
    path: PathBuf,
    partial: Partial,
    /// Seconds since 1970.
    made_at: u64,
}

/// The file under its first name, which goes unless it was given its own.
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            _ = std::fs::remove_file(path);
        }
    }
}

impl Writer {
    pub(crate) fn create(path: &Path, key: &Key, now: Timestamp) -> Result<Self> {
        if path.exists() {
            return Err(
                Error::conflict("backup.exists", "There is a file of this name already.")
                    .details(path.display().to_string())
                    .hint("Choose another name, or move the old one away."),
            );
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let partial = path.with_file_name(name);
        let file = private_file(&partial).map_err(|error| cannot("written", &partial, &error))?;
        let kept = Partial(Some(partial));
        let file = BufWriter::with_capacity(1 << 18, file);
        let sink = match key {
            Key::None => Sink::Open(file),
            Key::Passphrase(words) => {
                let age = age::Encryptor::with_user_passphrase(SecretString::from(words.clone()));
                Sink::Sealed(age.wrap_output(file).map_err(Error::internal)?)
            }
            Key::Recipients(names) => {
                let recipients = names
                    .iter()
                    .map(|name| recipient(name))
                    .collect::<Result<Vec<_>>>()?;
                let age = age::Encryptor::with_recipients(recipients.iter().map(|one| one as _))
                    .map_err(|error| bad_recipient(&error.to_string()))?;
                Sink::Sealed(age.wrap_output(file).map_err(Error::internal)?)
            }
        };
        Ok(Self {
            tar: tar::Builder::new(GzEncoder::new(sink, Compression::fast())),
            path: path.to_owned(),
            partial: kept,
            made_at: u64::try_from(now.as_second()).unwrap_or(0),
        })
    }

    /// Adds an entry.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(self.made_at);
        self.tar
            .append_data(&mut header, name, bytes)
            .map_err(|error| cannot("written", &self.path, &error))
    }

    /// Flushes all of it to the disk and gives it its name.
    pub(crate) fn finish(self) -> Result<()> {
        let Self {
            tar,
            path,
            mut partial,
            ..
        } = self;
        let end = || -> io::Result<()> {
            let file = match tar.into_inner()?.finish()? {
                Sink::Open(file) => file,
                Sink::Sealed(file) => file.finish()?,
            };
            file.into_inner()
                .map_err(io::IntoInnerError::into_error)?
                .sync_all()?;
            if let Some(written) = partial.0.take() {
                std::fs::rename(written, &path)?;
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        end().map_err(|error| cannot("written", &path, &error))
    }
}

/// For nobody else on the machine to read.
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn recipient(name: &str) -> Result<age::x25519::Recipient> {
    name.trim()
        .parse()
        .map_err(|error: &str| bad_recipient(&format!("{name}: {error}")))
}

fn bad_recipient(details: &str) -> Error {
    Error::invalid("backup.recipient", "This is no recipient.")
        .details(details.to_owned())
        .hint("It begins with age1; `age-keygen -o key.txt` makes a pair and shows it.")
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::unavailable("backup.file", format!("The file cannot be {what}."))
        .details(format!("{}: {error}", path.display()))
        .hint("Look whether the disk is full and who may write there.")
}

type Source = Box<dyn Read>;

/// Opens a file.
pub(crate) fn open(path: &Path, opening: &Opening) -> Result<tar::Archive<GzDecoder<Source>>> {
    let file = File::open(path).map_err(|error| cannot("read", path, &error))?;
    let mut file = BufReader::with_capacity(1 << 18, file);
    let sealed = io::BufRead::fill_buf(&mut file)
        .map_err(|error| cannot("read", path, &error))?
        .starts_with(b"age-encryption.org/");
    let source: Source = match (sealed, opening) {
        (false, _) => Box::new(file),
        (true, Opening::None) => return Err(sealed_up("It is sealed.")),
        (true, Opening::Passphrase(words)) => {
            let identity = age::scrypt::Identity::new(SecretString::from(words.clone()));
            Box::new(unseal(
                file,
                &mut std::iter::once(&identity as &dyn age::Identity),
            )?)
        }
        (true, Opening::Identities(path)) => {
            let keys = File::open(path).map_err(|error| cannot("read", path, &error))?;
            let identities = age::IdentityFile::from_buffer(BufReader::new(keys))
                .map_err(|error| cannot("read", path, &error))?
                .into_identities()
                .map_err(|error| sealed_up(&error.to_string()))?;
            Box::new(unseal(
                file,
                &mut identities.iter().map(|one| one.as_ref() as &dyn age::Identity),
            )?)
        }
    };
    Ok(tar::Archive::new(GzDecoder::new(source)))
}

fn unseal(
    file: BufReader<File>,
    identities: &mut dyn Iterator<Item = &dyn age::Identity>,
) -> Result<age::stream::StreamReader<BufReader<File>>> {
    age::Decryptor::new_buffered(file)
        .and_then(|age| age.decrypt(identities))
        .map_err(|error| sealed_up(&error.to_string()))
}

fn sealed_up(details: &str) -> Error {
    Error::invalid("backup.sealed", "The backup cannot be opened with this key.")
        .details(details.to_owned())
        .hint(
            "Name the file of the identity it was made for with --identity, or set TENON_BACKUP_PASSPHRASE.",
        )
}

/// An entry: its folder (`begin.json`, `tables/a.b`, `files/KEY`) and its bytes.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) of: String,
    pub(crate) bytes: Vec<u8>,
}

/// The next entry.
pub(crate) fn next<R: Read>(entries: &mut tar::Entries<'_, R>) -> Result<Option<Piece>> {
    let Some(entry) = entries.next() else {
        return Ok(None);
    };
    let read = |entry: io::Result<tar::Entry<'_, R>>| -> io::Result<Piece> {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let size = entry.size();
        if size > PIECE as u64 {
            return Err(io::Error::other(format!("{name} is too large")));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(PIECE));
        entry.read_to_end(&mut bytes)?;
        let of = match name.rsplit_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => name,
        };
        Ok(Piece { of, bytes })
    };
    read(entry).map(Some).map_err(|error| broken(&error.to_string()))
}
