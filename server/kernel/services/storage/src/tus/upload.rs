//! The row of an upload.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::answer;
use crate::{asker::Asker, model::Bucket, objects::Wish, service::Storage, store::Growing};

/// How long a request holds an upload after it last said that it lives.
pub(super) const HELD: SignedDuration = SignedDuration::from_secs(10);

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// All content is there, and the object is being made.
    Whole,
    /// There is the object.
    Done,
}

/// An upload on its way.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) id: Uuid,
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) began_by: String,
    pub(super) owner: Option<String>,
    pub(super) upsert: bool,
    pub(super) kind: String,
    pub(super) cache_control: String,
    pub(super) user_metadata: Option<Value>,
    pub(super) told: String,
    pub(super) length: Option<u64>,
    pub(super) growing: Growing,
    pub(super) acknowledged: u64,
    pub(super) state: State,
    pub(super) expires_at: Timestamp,
}

const COLUMNS: &str = "id, bucket_id, name, version, began_by, owner_id, upsert, mime_type, cache_control, user_metadata, told, length, \
     growing, acknowledged, state, expires_at";

/// Whose an upload is that a token allowed.
const OF_TOKEN: &str = "token";

/// Who goes on with an upload.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// A caller, whose rights are the policies'.
    Caller(Box<Asker>),
    /// Whoever has a token for the object.
    Token(String),
}

impl Who {
    /// How a row names them.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Caller(asker) => asker.name(),
            Self::Token(_) => OF_TOKEN.to_owned(),
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Upload {
    fn read(row: &Row) -> Result<Self> {
        let length: Option<i64> = row.try_get("length")?;
        let acknowledged: i64 = row.try_get("acknowledged")?;
        let growing: Value = row.try_get("growing")?;
        Ok(Self {
            id: row.try_get("id")?,
            bucket: row.try_get("bucket_id")?,
            name: row.try_get("name")?,
            key: row.try_get("version")?,
            began_by: row.try_get("began_by")?,
            owner: row.try_get("owner_id")?,
            upsert: row.try_get("upsert")?,
            kind: row.try_get("mime_type")?,
            cache_control: row.try_get("cache_control")?,
            user_metadata: row.try_get("user_metadata")?,
            told: row.try_get("told")?,
            length: length.map(i64::unsigned_abs),
            growing: serde_json::from_value(growing).map_err(Error::internal)?,
            acknowledged: acknowledged.unsigned_abs(),
            state: match row.try_get::<_, &str>("state")? {
                "open" => State::Open,
                "whole" => State::Whole,
                _ => State::Done,
            },
            expires_at: row.try_get("expires_at")?,
        })
    }

    /// What is to become of the content.
    pub(super) async fn wish(&self, kernel: &Kernel) -> Result<Wish> {
        let tx = SystemTx::begin(kernel.db(), "bucket of an upload").await?;
        let bucket = Bucket::find(&tx, &self.bucket).await?;
        tx.commit().await?;
        Ok(Wish {
            bucket,
            name: self.name.clone(),
            owner: self.owner.clone(),
            upsert: self.upsert,
            kind: self.kind.clone(),
            cache_control: self.cache_control.clone(),
            user_metadata: self.user_metadata.clone(),
            length: self.length,
        })
    }

    pub(super) async fn insert(&self, kernel: &Kernel) -> Result<()> {
        let tx = SystemTx::begin(kernel.db(), "begin a resumable upload").await?;
        tx.execute(
            include_str!("insert.sql"),
            &[
                &self.id,
                &self.bucket,
                &self.name,
                &self.key,
                &self.began_by,
                &self.owner,
                &self.upsert,
                &self.kind,
                &self.cache_control,
                &self.user_metadata,
                &self.told,
                &self.length.map(signed),
                &self.growing_json()?,
                &kernel.env().now(),
                &self.expires_at,
            ],
        )
        .await?;
        tx.commit().await
    }

    fn growing_json(&self) -> Result<Value> {
        serde_json::to_value(&self.growing).map_err(Error::internal)
    }

    /// One that is there, and this caller's.
    pub(super) async fn find(storage: &Storage, id: &str, who: &Who) -> Result<Self> {
        let id = Uuid::try_parse(id).map_err(|_| answer::no_such_upload())?;
        let tx = SystemTx::begin(storage.kernel.db(), "a resumable upload").await?;
        let sql =
            format!("select {COLUMNS} from storage.resumable_uploads where id = $1 and expires_at > $2");
        let row = tx.query_opt(&sql, &[&id, &storage.kernel.env().now()]).await?;
        tx.commit().await?;
        let upload = Self::read(&row.ok_or_else(answer::no_such_upload)?)?;
        // Somebody else's is not there.
        if upload.began_by != who.name() {
            return Err(answer::no_such_upload());
        }
        if let Who::Token(token) = who {
            let good = crate::signed::Use::Upload;
            storage.signer.verify(token, good, &upload.bucket, &upload.name)?;
        }
        Ok(upload)
    }

    /// Takes hold of it for a request, unless another one has; gives it as it is then.
    pub(super) async fn hold(kernel: &Kernel, id: Uuid, holder: Uuid) -> Result<Option<Self>> {
        let now = kernel.env().now();
        let tx = SystemTx::begin(kernel.db(), "hold a resumable upload").await?;
        let sql = format!(
            "update storage.resumable_uploads set holder = $2, held_until = $4 \
             where id = $1 and (holder is null or holder = $2 or held_until < $3) returning {COLUMNS}"
        );
        let row = tx.query_opt(&sql, &[&id, &holder, &now, &(now + HELD)]).await?;
        tx.commit().await?;
        row.as_ref().map(Self::read).transpose()
    }

    /// Says that its holder lives; false if it is another's by now.
    pub(super) async fn still_held(kernel: &Kernel, id: Uuid, holder: Uuid) -> Result<bool> {
        let tx = SystemTx::begin(kernel.db(), "hold a resumable upload").await?;
        let held = tx
            .execute_and_commit(
                "update storage.resumable_uploads set held_until = $3 where id = $1 and holder = $2",
                &[&id, &holder, &(kernel.env().now() + HELD)],
            )
            .await?;
        Ok(held == 1)
    }

    pub(super) async fn let_go(kernel: &Kernel, id: Uuid, holder: Uuid) -> Result<()> {
        let tx = SystemTx::begin(kernel.db(), "let a resumable upload go").await?;
        tx.execute_and_commit(
            "update storage.resumable_uploads set holder = null, held_until = null where id = $1 and holder = $2",
            &[&id, &holder],
        )
        .await?;
        Ok(())
    }

    /// Writes down how far it is, as its holder.
    pub(super) async fn save(&self, kernel: &Kernel, holder: Uuid) -> Result<()> {
        let state = match self.state {
            State::Open => "open",
            State::Whole => "whole",
            State::Done => "done",
        };
        let tx = SystemTx::begin(kernel.db(), "progress of a resumable upload").await?;
        let saved = tx
            .execute_and_commit(
                "update storage.resumable_uploads set growing = $3, acknowledged = $4, length = $5, state = $6, held_until = $7 \
                 where id = $1 and holder = $2",
                &[
                    &self.id,
                    &holder,
                    &self.growing_json()?,
                    &signed(self.acknowledged),
                    &self.length.map(signed),
                    &state,
                    &(kernel.env().now() + HELD),
                ],
            )
            .await?;
        if saved == 1 { Ok(()) } else { Err(answer::held()) }
    }

    pub(super) async fn delete(kernel: &Kernel, id: Uuid) -> Result<()> {
        let tx = SystemTx::begin(kernel.db(), "end a resumable upload").await?;
        tx.execute_and_commit("delete from storage.resumable_uploads where id = $1", &[&id])
            .await?;
        Ok(())
    }
}
