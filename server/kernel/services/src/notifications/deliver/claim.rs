//! Messages whose turn it is.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tenon_sdk::{Kernel, Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

/// How long one that was armed is left to whoever armed it. Far more than a try may take.
pub(super) const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// A message that is being sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    /// The number of this try, from 1.
    pub(crate) attempt: i32,
    pub(crate) channel: String,
    pub(crate) hook: Option<Value>,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// Whether it holds what is as good as a password.
    pub(crate) proof: bool,
    pub(crate) provider: String,
    /// When the first try began.
    pub(crate) since: Timestamp,
    /// How often the provider was asked after it.
    pub(crate) asked: i32,
}

impl Due {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            kind: row.try_get(1)?,
            attempt: row.try_get(2)?,
            channel: row.try_get(3)?,
            hook: row.try_get(4)?,
            recipient: row.try_get(5)?,
            subject: row.try_get(6)?,
            text: row.try_get(7)?,
            html: row.try_get(8)?,
            proof: row.try_get(9)?,
            provider: row.try_get::<_, Option<String>>(10)?.unwrap_or_default(),
            since: row.try_get(11)?,
            asked: row.try_get(12)?,
        })
    }

    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self {
            id: Uuid::from_u128(7),
            kind: "test.sample".into(),
            attempt: 1,
            channel: "mail".into(),
            hook: None,
            recipient: "ada@example.com".into(),
            subject: "Fertig".into(),
            text: "Fertig\n".into(),
            html: "<p>Fertig</p>".into(),
            proof: false,
            provider: "smtp".into(),
            since: Timestamp::UNIX_EPOCH,
            asked: 0,
        }
    }
}

/// Arms the next message, in a transaction of its own. `sms` and `mail` say who would carry it, `held` which channels rest.
pub(super) async fn claim(kernel: &Kernel, sms: &str, mail: &str, held: &[&str]) -> Result<Option<Due>> {
    let now = kernel.env().now();
    take(
        kernel,
        include_str!("claim.sql"),
        &[&now, &(now + LEASE), &sms, &mail, &held],
    )
    .await
}

/// Takes a message in `state` (`sending`, `uncertain`) whose time is over.
pub(super) async fn unsettled(kernel: &Kernel, state: &str) -> Result<Option<Due>> {
    let now = kernel.env().now();
    take(
        kernel,
        include_str!("unsettled.sql"),
        &[&now, &(now + LEASE), &state],
    )
    .await
}

async fn take(
    kernel: &Kernel,
    sql: &str,
    values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Option<Due>> {
    let (tx, row) = SystemTx::begin_query_opt(kernel.db(), "messages", sql, values).await?;
    let due = row.as_ref().map(Due::from_row).transpose()?;
    tx.commit().await?;
    Ok(due)
}
