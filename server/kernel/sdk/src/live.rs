//! Passing news to browsers that are watching: progress of a job, a changed state. Nothing here is kept; what must not
//! be lost is an event in the outbox.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::{
    db::{Db, TenantTx},
    error::{Error, Result},
    ids::OrgId,
};

/// The notification channel of the database that carries news between processes.
pub const CHANNEL: &str = "tenon_live";

/// `NOTIFY` carries at most 8,000 bytes.
const MAX_BYTES: usize = 7_900;

/// One piece of news.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct News {
    /// The organisation it belongs to; nobody else hears it.
    pub org: OrgId,
    /// What it is about, such as `imports:<id>`.
    pub topic: String,
    /// `progress`, `state` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Particulars.
    pub payload: Value,
}

impl News {
    fn text(&self) -> Result<String> {
        let text = serde_json::to_string(self).map_err(Error::internal)?;
        if text.len() > MAX_BYTES {
            return Err(Error::internal("news larger than a notification may be"));
        }
        Ok(text)
    }
}

impl TenantTx {
    /// Tells everybody who watches one of the topics, once this transaction commits, and only then.
    pub async fn publish(
        &self,
        topics: impl IntoIterator<Item = String>,
        kind: &str,
        payload: &Value,
    ) -> Result<()> {
        let texts = topics.into_iter().map(|topic| {
            News {
                org: self.org_id(),
                topic,
                kind: kind.to_owned(),
                payload: payload.clone(),
            }
            .text()
        });
        let texts: Vec<String> = texts.collect::<Result<_>>()?;
        self.query(
            "select pg_notify($1, news) from unnest($2::text[]) news",
            &[&CHANNEL, &texts],
        )
        .await
        .map(drop)
    }
}

/// Sends news to all processes and hands what arrives to the listeners of this one.
#[derive(Clone, Debug)]
pub struct Live {
    db: Db,
    arrived: broadcast::Sender<std::sync::Arc<News>>,
}

impl Live {
    pub(crate) fn new(db: Db) -> Self {
        Self {
            db,
            arrived: broadcast::Sender::new(1024),
        }
    }

    /// Tells everybody who watches the topic in the organisation. Failure is logged, never an error: news is a courtesy.
    pub async fn publish(&self, org: OrgId, topic: &str, kind: &str, payload: Value) {
        let news = News {
            org,
            topic: topic.into(),
            kind: kind.into(),
            payload,
        };
        if let Err(error) = self.send(&news).await {
            tracing::warn!(%error, topic, "news could not be sent");
        }
    }

    async fn send(&self, news: &News) -> Result<()> {
        let text = news.text()?;
        let tx = crate::db::SystemTx::begin(&self.db, "live news").await?;
        // Nothing is kept, so nothing has to reach the disk.
        tx.query(
            "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
            &[&CHANNEL, &text],
        )
        .await?;
        tx.commit().await
    }

    /// Hands in what another process, or this one, published. Called by the task that listens.
    pub fn arrived(&self, text: &str) {
        match serde_json::from_str::<News>(text) {
            Ok(news) => drop(self.arrived.send(news.into())),
            Err(error) => tracing::warn!(%error, "news cannot be read"),
        }
    }

    /// All news of this installation from now on. The caller passes on only its own organisation's.
    pub fn subscribe(&self) -> broadcast::Receiver<std::sync::Arc<News>> {
        self.arrived.subscribe()
    }
}
