//! Content in a folder of this machine's: `objects` has what is kept, `parts` and `growing` what is not whole yet, `drafts` what
//! is just being written.
//!
//! A file is written as a draft, flushed, and renamed to where it belongs, and its folder is flushed: so a key has all of its
//! content or none. Several processes may share the folder.

mod draft;
mod files;
mod growing;
mod list;
mod parts;
mod read;
mod write;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use tenon_sdk::{Error, Result, env::Env};

use self::draft::Drafts;
use super::{Content, Growing, Kept, Store, Stored, digest, incomplete, key, missing};

/// A folder that keeps content.
#[derive(Debug)]
pub(super) struct Local {
    root: PathBuf,
    drafts: Arc<Drafts>,
    env: Env,
}

impl Local {
    /// Opens the folder, makes it where there is none, and clears away what dead processes left half written.
    pub(super) fn open(root: &Path, env: Env) -> Result<Self> {
        let drafts = prepare(root, &env).map_err(|cause| {
            Error::unavailable(
                "storage.folder",
                "The folder of the storage service cannot be used.",
            )
            .details(format!("{}: {cause}", root.display()))
            .hint("storage.folder names it; the server needs to write there.")
        })?;
        Ok(Self {
            root: root.to_owned(),
            drafts: Arc::new(drafts),
            env,
        })
    }

    /// Where a key's content lies. Folders with a million entries are slow to list, so keys are spread.
    fn place(&self, key: &str) -> Result<PathBuf> {
        key::check(key)?;
        let spread = digest::of(key.as_bytes());
        Ok(self.root.join("objects").join(&spread[..2]).join(key))
    }

    /// A folder or file that belongs to a key and is not among the objects.
    fn beside(&self, kind: &str, key: &str) -> Result<PathBuf> {
        key::check(key)?;
        Ok(self.root.join(kind).join(digest::of(key.as_bytes())))
    }
}

fn prepare(root: &Path, env: &Env) -> io::Result<Drafts> {
    for folder in ["objects", "parts", "growing", "drafts"] {
        files::make_folders(&root.join(folder))?;
    }
    Drafts::open(&root.join("drafts"), env)
}

/// Runs what waits for the disk where waiting disturbs nobody.
async fn off<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// What a failure of the disk means.
#[allow(clippy::needless_pass_by_value)] // given to map_err
fn of_disk(cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::NotFound => missing(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(&cause),
        _ => Error::internal(format!("storage folder: {cause}")),
    }
}

fn full(cause: &io::Error) -> Error {
    tracing::error!(%cause, "the storage folder is full");
    Error::unavailable("storage.full", "There is no room for more files.")
        .hint("Ask whoever runs the installation.")
}

#[async_trait::async_trait]
impl Store for Local {
    async fn put(&self, key: &str, content: Content, limit: u64) -> Result<Kept> {
        let place = self.place(key)?;
        let (draft, kept) = write::draft(&self.drafts, content, limit).await?;
        off(move || draft.publish(&place).map_err(of_disk)).await?;
        Ok(kept)
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Content> {
        let place = self.place(key)?;
        off(move || read::open(&place, range).map_err(of_disk)).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        let drafts = self.drafts.clone();
        off(move || files::copy(&drafts, &from, &to).map_err(of_disk)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        let places = keys
            .iter()
            .map(|key| self.place(key))
            .collect::<Result<Vec<_>>>()?;
        let objects = self.root.join("objects");
        off(move || files::delete(&objects, &places).map_err(of_disk)).await
    }

    async fn begin_parts(&self, key: &str) -> Result<String> {
        let upload = tenon_sdk::hex(self.env.new_id().as_bytes());
        let folder = self.parts_of(key, &upload)?;
        off(move || files::make_folders(&folder).map_err(of_disk)).await?;
        Ok(upload)
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        content: Content,
        limit: u64,
    ) -> Result<Kept> {
        let folder = self.parts_of(key, upload)?;
        let (draft, kept) = write::draft(&self.drafts, content, limit).await?;
        let etag = kept.etag.clone();
        off(move || parts::keep(&folder, number, &etag, draft)).await?;
        Ok(kept)
    }

    async fn finish_parts(&self, key: &str, upload: &str, parts: &[(u16, String)]) -> Result<Kept> {
        let (folder, place) = (self.parts_of(key, upload)?, self.place(key)?);
        let (parts, drafts) = (parts.to_vec(), self.drafts.clone());
        off(move || parts::finish(&drafts, &folder, &place, &parts)).await
    }

    async fn abort_parts(&self, key: &str, upload: &str) -> Result<()> {
        let folder = self.parts_of(key, upload)?;
        off(move || files::gone(fs::remove_dir_all(&folder)).map_err(of_disk)).await
    }

    async fn grow(&self, key: &str, so_far: &Growing, content: Content, limit: u64) -> Result<Growing> {
        growing::grow(&self.beside("growing", key)?, so_far, content, limit).await
    }

    async fn finish_growing(&self, key: &str, grown: &Growing) -> Result<Kept> {
        let (from, place) = (self.beside("growing", key)?, self.place(key)?);
        let grown = grown.clone();
        off(move || growing::finish(&from, &place, &grown)).await
    }

    async fn abort_growing(&self, key: &str, _: &Growing) -> Result<()> {
        let file = self.beside("growing", key)?;
        off(move || files::gone(fs::remove_file(&file)).map_err(of_disk)).await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stored>> {
        let objects = self.root.join("objects");
        let after = after.map(|key| format!("{}/{key}", &digest::of(key.as_bytes())[..2]));
        off(move || list::after(&objects, after.as_deref(), limit).map_err(of_disk)).await
    }

    async fn sweep(&self, since: jiff::Timestamp) -> Result<()> {
        let root = self.root.clone();
        off(move || {
            files::remove_older(&root.join("parts"), since).map_err(of_disk)?;
            files::remove_older(&root.join("growing"), since).map_err(of_disk)
        })
        .await
    }
}
