//! An upload: asked of the policies as the caller, kept by the store, written down by the kernel. Bytes come first, the row after, so
//! that whoever dies in between leaves bytes that nobody names, which are swept, and never a row without bytes.

use bytes::Bytes;
use futures_util::Stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tenon_sdk::{Error, OrgId, Result, SystemTx, error::Kind};
use uuid::Uuid;

use super::{
    body, kinds,
    quota::{room, stands, within_quota},
};
use crate::{
    asker::Asker,
    errors,
    model::{Bucket, COLUMNS, FILES, Object},
    names,
    service::Storage,
    store::Kept,
};

/// An upload that took longer has its rights asked once more before it counts.
const LONG: SignedDuration = SignedDuration::from_secs(5);
/// How often the policies are asked about what others put there meanwhile.
const TRIES: u32 = 3;
/// What an empty folder is kept by; it has no content.
const FOLDER: &str = ".emptyFolderPlaceholder";

/// What is to become of the content.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) bucket: Bucket,
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    /// Whether what is there is replaced.
    pub(crate) upsert: bool,
    /// `image/png`.
    pub(crate) kind: String,
    pub(crate) cache_control: String,
    pub(crate) user_metadata: Option<Value>,
    /// Bytes, as far as the client said.
    pub(crate) length: Option<u64>,
}

impl Wish {
    pub(crate) fn org(&self) -> Option<OrgId> {
        let first = (self.bucket.id == FILES)
            .then(|| self.name.split('/').next())
            .flatten()?;
        Uuid::try_parse(first).ok().map(OrgId)
    }

    fn metadata(&self, kept: &Kept, at: Timestamp) -> Value {
        json!({
            "eTag": format!("\"{}\"", kept.etag),
            "size": kept.size,
            "mimetype": self.kind,
            "cacheControl": self.cache_control,
            "lastModified": crate::model::time(at),
            "contentLength": kept.size,
            "httpStatusCode": 200,
        })
    }

    /// What policies see of an upload before there is anything of it.
    fn expected_metadata(&self) -> Value {
        let mut expected = json!({ "mimetype": self.kind, "cacheControl": self.cache_control });
        if let Some(length) = self.length {
            expected["contentLength"] = json!(length);
            expected["size"] = json!(length);
        }
        expected
    }
}

/// Whose rights count for an upload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rights<'a> {
    /// The caller's, by the policies, under this word for the operation.
    Of(&'a Asker, &'a str),
    /// Those of whoever signed the token that came.
    Signed,
}

/// What an upload may take the place of: rights to what was there are no rights to what somebody else puts there meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Whatever is there.
    Anything,
    /// The version that the policies were asked about; none where there was nothing.
    Version(Option<String>),
}

/// An upload that may begin.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    storage: &'a Storage,
    wish: Wish,
    rights: Rights<'a>,
    over: Over,
    began: Timestamp,
    limit: u64,
    /// Whether it is the organisation's room that sets the limit.
    by_quota: bool,
}

impl<'a> Upload<'a> {
    /// The caller's own upload: policies are asked at once.
    pub(crate) async fn by(
        storage: &'a Storage,
        asker: &'a Asker,
        operation: &'a str,
        wish: Wish,
    ) -> Result<Self> {
        Self::begin(storage, wish, Rights::Of(asker, operation), Over::Version(None)).await
    }

    /// One that a token allows, over what it says or what its owner has put there since.
    pub(crate) async fn signed(storage: &'a Storage, wish: Wish, over: Over) -> Result<Self> {
        Self::begin(storage, wish, Rights::Signed, over).await
    }

    async fn begin(storage: &'a Storage, wish: Wish, rights: Rights<'a>, over: Over) -> Result<Self> {
        names::object(&wish.name)?;
        kinds::well_formed(&wish.kind)?;
        // It goes out as a header.
        if http::HeaderValue::from_str(&wish.cache_control).is_err() {
            return Err(errors::invalid_parameter("cacheControl"));
        }
        let folder = names::file(&wish.name) == FOLDER;
        if !folder {
            kinds::allowed(&wish.bucket.kinds, &wish.kind)?;
        }
        let mut upload = Self {
            storage,
            rights,
            over,
            began: storage.kernel.env().now(),
            limit: 0,
            by_quota: false,
            wish,
        };
        upload.ask().await?;
        let most = storage.kernel.config().storage.max_file_bytes;
        let most = upload.wish.bucket.limit.map_or(most, |limit| limit.min(most));
        upload.limit = if folder { 0 } else { most };
        if let Some(org) = upload.wish.org() {
            let room = room(storage, &upload.wish, org).await?;
            upload.by_quota = room < upload.limit;
            upload.limit = upload.limit.min(room);
        }
        if upload.wish.length.is_some_and(|length| length > upload.limit) {
            return Err(upload.too_large());
        }
        Ok(upload)
    }

    /// What it may take the place of, as the policies were asked.
    pub(crate) fn over(&self) -> &Over {
        &self.over
    }

    /// The most bytes it may have.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    fn too_large(&self) -> Error {
        if self.by_quota {
            errors::over_quota()
        } else {
            errors::too_large()
        }
    }

    /// Asks the policies, by doing what they judge and undoing it.
    async fn ask(&mut self) -> Result<()> {
        let Rights::Of(asker, operation) = self.rights else {
            return Ok(());
        };
        let wish = &self.wish;
        if wish.upsert {
            // Looked at before: whatever comes after is not what the policies were asked about.
            let tx = SystemTx::begin(self.storage.kernel.db(), "version of an object").await?;
            let row = tx
                .query_opt(
                    "select version from storage.objects where bucket_id = $1 and name = $2",
                    &[&wish.bucket.id, &wish.name],
                )
                .await?;
            tx.commit().await?;
            self.over = Over::Version(row.map(|row| row.try_get(0)).transpose()?.flatten());
        }
        let tx = asker
            .begin(
                &self.storage.kernel,
                operation,
                Some((&wish.bucket.id, &wish.name)),
                false,
            )
            .await?;
        let owner = wish
            .owner
            .as_deref()
            .and_then(|owner| Uuid::try_parse(owner).ok());
        let sql = if wish.upsert {
            "insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (bucket_id, name collate \"C\") do update \
             set owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version, \
                metadata = excluded.metadata, user_metadata = excluded.user_metadata returning id"
        } else {
            "insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata) \
             values ($1, $2, $3, $4, $5, $6, $7)"
        };
        tx.query(
            sql,
            &[
                &wish.bucket.id,
                &wish.name,
                &owner,
                &wish.owner,
                &"1",
                &wish.expected_metadata(),
                &wish.user_metadata,
            ],
        )
        .await
        .map_err(errors::of_statement)?;
        tx.roll_back().await
    }

    /// What came after the content, in a form: the policies are asked again if it changes anything.
    pub(crate) async fn amend(
        &mut self,
        cache_control: Option<String>,
        user_metadata: Option<Value>,
    ) -> Result<()> {
        if cache_control.is_none() && user_metadata.is_none() {
            return Ok(());
        }
        if let Some(cache_control) = cache_control {
            self.wish.cache_control = cache_control;
        }
        if user_metadata.is_some() {
            self.wish.user_metadata = user_metadata;
        }
        self.ask().await
    }

    /// Keeps the content; gives its key.
    pub(crate) async fn keep<E>(
        &self,
        content: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<(String, Kept)>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (content, fate) = body::limited(content, self.limit);
        let content = body::honest(content, &self.wish.kind, &fate)
            .await
            .map_err(|error| self.in_our_words(error))?;
        let key = self.storage.kernel.env().new_id().to_string();
        let kept = self
            .storage
            .store
            .put(&key, content, self.limit)
            .await
            .map_err(|error| self.in_our_words(fate.error().unwrap_or(error)))?;
        Ok((key, kept))
    }

    fn in_our_words(&self, error: Error) -> Error {
        if error.kind == Kind::TooLarge {
            self.too_large()
        } else {
            error
        }
    }

    /// Writes the row. If it cannot be written, the content is gone, too.
    pub(crate) async fn finish(mut self, key: &str, kept: &Kept) -> Result<Object> {
        if self.storage.kernel.env().now().duration_since(self.began) > LONG
            && let Err(error) = self.ask().await
        {
            self.forget(key).await;
            return Err(error);
        }
        let mut written = self.write(key, kept).await;
        // Somebody else was faster: what is there now is asked about, too.
        for _ in 0..TRIES {
            match written {
                Ok(None) if self.wish.upsert => {
                    written = match self.ask().await {
                        Ok(()) => self.write(key, kept).await,
                        Err(error) => Err(error),
                    }
                }
                _ => break,
            }
        }
        match written.and_then(|written| written.ok_or_else(|| self.taken())) {
            Ok((tx, object)) => {
                // Whether a commit that broke off took place is not known: then the content stays, and is swept if it did not.
                tx.commit().await?;
                Ok(object)
            }
            Err(error) => {
                self.forget(key).await;
                Err(error)
            }
        }
    }

    /// Lets go of content that will have no row.
    pub(crate) async fn forget(&self, key: &str) {
        if let Err(error) = self.storage.store.delete(&[key.to_owned()]).await {
            tracing::warn!(%error, key, "content that came to nothing stays until it is swept");
        }
    }

    fn taken(&self) -> Error {
        match self.rights {
            Rights::Signed if self.wish.upsert => errors::access_denied(),
            _ => errors::key_exists(),
        }
    }

    /// Nothing if something is there that it may not take the place of.
    async fn write(&self, key: &str, kept: &Kept) -> Result<Option<(SystemTx, Object)>> {
        let (env, wish) = (self.storage.kernel.env(), &self.wish);
        let tx = SystemTx::begin(self.storage.kernel.db(), "write object").await?;
        if let Some(org) = wish.org() {
            stands(&tx, org).await?;
        }
        let owner = wish
            .owner
            .as_deref()
            .and_then(|owner| Uuid::try_parse(owner).ok());
        let on_conflict = if wish.upsert {
            "do update set owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version, \
             metadata = excluded.metadata, user_metadata = excluded.user_metadata \
             where $9 or objects.version = $10 or ($11 and objects.owner_id = excluded.owner_id)"
        } else {
            "do nothing"
        };
        let (any, seen) = match &self.over {
            Over::Anything => (true, None),
            Over::Version(seen) => (false, seen.as_deref()),
        };
        let signed = matches!(self.rights, Rights::Signed);
        let row = tx
            .query_opt(
                &format!(
                    "with wish as (select $9::bool, $10::text, $11::bool) \
                     insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (bucket_id, name collate \"C\") {on_conflict} \
                     returning {COLUMNS}"
                ),
                &[
                    &env.new_id(),
                    &wish.bucket.id,
                    &wish.name,
                    &owner,
                    &wish.owner,
                    &key,
                    &wish.metadata(kept, env.now()),
                    &wish.user_metadata,
                    &any,
                    &seen,
                    &signed,
                ],
            )
            .await
            .map_err(errors::of_statement)?;
        let Some(row) = row else {
            tx.rollback().await?;
            return Ok(None);
        };
        let object = Object::read(&row)?;
        if let Some(org) = wish.org() {
            within_quota(self.storage, &tx, org).await?;
        }
        Ok(Some((tx, object)))
    }
}
