//! A channel as a subscriber of changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tenon_sdk::db::RequestContext;
use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    allowance::Allowance,
    changes::{Changes, Refused, Stream, Wanted, group::Subscriber, position::Position},
    hub::outbox::Outbox,
    wire::{self, Version},
};

/// How long a subscription rests that could not be served.
const REST: Duration = Duration::from_secs(5);

/// Writes changes as frames of a channel.
pub struct Channelled {
    outbox: Arc<Outbox>,
    version: Version,
    topic: Arc<str>,
    topic_json: String,
    join_ref: Value,
    broken: AtomicBool,
    failed: Notify,
}

impl Channelled {
    /// Frames go to the outbox.
    pub fn new(outbox: Arc<Outbox>, version: Version, topic: Arc<str>, join_ref: Value) -> Self {
        let topic_json = Value::from(&*topic).to_string();
        Self {
            outbox,
            version,
            topic,
            topic_json,
            join_ref,
            broken: AtomicBool::new(false),
            failed: Notify::new(),
        }
    }

    fn system(&self, extension: &str, status: &str, message: &str) {
        let name = self.topic.strip_prefix("realtime:").unwrap_or(&self.topic);
        let payload =
            json!({ "extension": extension, "status": status, "message": message, "channel": name });
        let text = wire::write(
            self.version,
            &self.join_ref,
            &Value::Null,
            &self.topic,
            "system",
            &payload,
        );
        self.outbox.text(text);
    }
}

impl Subscriber for Channelled {
    fn changed(&self, ids: &[u64], data: &str, _position: Position) {
        let topic = &self.topic_json;
        let text = match self.version {
            Version::One => format!(
                r#"{{"topic":{topic},"event":"postgres_changes","payload":{{"ids":{ids:?},"data":{data}}},"ref":null}}"#
            ),
            Version::Two => {
                format!(r#"[null,null,{topic},"postgres_changes",{{"ids":{ids:?},"data":{data}}}]"#)
            }
        };
        self.outbox.text(text);
    }

    fn reload(&self, why: &str) {
        self.system("postgres_changes", "error", &format!("Reload: {why}"));
    }

    fn failed(&self, why: &str) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            self.system("postgres_changes", "error", why);
            self.failed.notify_one();
        }
    }
}

/// Serves a channel until it is aborted: subscribes, and does so again after a rest when that did not go well. What was served
/// `before` ends once the new subscription stands, so that nothing falls between the two.
pub async fn serve(
    changes: Arc<Changes>,
    context: RequestContext,
    wanted: Arc<[Wanted]>,
    channelled: Arc<Channelled>,
    ready: bool,
    before: Option<AbortHandle>,
    allowance: Arc<Allowance>,
) {
    let before = before.map(Aborts);
    if ready {
        let mut state = changes.state();
        if state.wait_for(|state| *state == Stream::Up).await.is_ok() {
            channelled.system("system", "ok", "Replication connection established");
        }
    }
    if wanted.is_empty() {
        return;
    }
    let mut before = before;
    let mut was_served = false;
    loop {
        channelled.broken.store(false, Ordering::Relaxed);
        match changes
            .subscribe(context.clone(), &wanted, channelled.clone(), &allowance)
            .await
        {
            Ok(_subscribed) => {
                drop(before.take());
                channelled.system("postgres_changes", "ok", "Subscribed to PostgreSQL");
                if was_served {
                    channelled.reload("Changes were passed over meanwhile: read again what you show.");
                }
                was_served = true;
                channelled.failed.notified().await;
            }
            Err(Refused::Params(why)) => {
                channelled.system("postgres_changes", "error", &why);
                return;
            }
            Err(Refused::Full(why)) => {
                // What was served before takes the room of what comes after it.
                if before.take().is_none() {
                    channelled.system("postgres_changes", "error", &why);
                    return;
                }
                was_served = true;
            }
            Err(Refused::Away(why)) => channelled.system("postgres_changes", "error", &why),
        }
        tokio::time::sleep(REST).await;
    }
}

/// Aborts when it is dropped.
struct Aborts(AbortHandle);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
