//! A channel of a connection: what its client sends, and what is looked at while it lasts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Map, Value, json};
use tenon_sdk::db::OrgSelector;
use tokio::{sync::OwnedSemaphorePermit, task::AbortHandle, time::Instant};

use super::{
    caller::{Callers, Speaker},
    join::{next_check, unauthorized},
    settings::Settings,
    subscriber::{self, Channelled},
};
use crate::{
    Realtime,
    access::Rights,
    allowance::Allowance,
    changes::{Listening, Wanted},
    context,
    hub::{
        outbox::Outbox,
        topic::{Broadcast, TopicKey, What},
    },
    wire::{self, Payload, UserBroadcast, Version},
};

/// Numbers that clients know subscriptions by.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What a channel is made of.
pub struct ChannelParts {
    /// `realtime:<name>`
    pub topic: Arc<str>,
    /// The reference of its join.
    pub join_ref: Value,
    /// Which topic it is.
    pub key: TopicKey,
    /// Its number in the hub.
    pub member: u64,
    /// What may be done in it.
    pub rights: Rights,
    /// Who speaks.
    pub speaker: Speaker,
    /// What was asked for.
    pub settings: Settings,
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// How they are written.
    pub version: Version,
    /// What its connection may have.
    pub allowance: Arc<Allowance>,
}

/// A channel, until it is dropped.
pub struct Channel {
    pub(super) parts: ChannelParts,
    /// What it takes of the allowance by what it says of itself.
    said: Option<OwnedSemaphorePermit>,
    presence_key: String,
    wanted: Arc<[Wanted]>,
    serving: Option<AbortHandle>,
    realtime: Arc<Realtime>,
    _listening: Listening,
    /// When its token is looked at next.
    pub(super) check_at: Instant,
}

impl Channel {
    /// A channel that has joined its topic.
    pub fn new(realtime: &Arc<Realtime>, parts: ChannelParts) -> Self {
        let wanted = parts.settings.changes.iter().map(|params| Wanted {
            params: params.clone(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        });
        let presence_key = parts.settings.presence_key.clone();
        Self {
            wanted: wanted.collect(),
            presence_key: presence_key.unwrap_or_else(|| realtime.kernel.env().new_id().to_string()),
            check_at: next_check(realtime, &parts.speaker),
            serving: None,
            realtime: realtime.clone(),
            _listening: realtime.changes.listen(),
            parts,
            said: None,
        }
    }

    /// What it asks for.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    fn push(&self, event: &str, payload: &Value) {
        let text = wire::write(
            self.parts.version,
            &self.parts.join_ref,
            &Value::Null,
            &self.parts.topic,
            event,
            payload,
        );
        self.parts.outbox.text(text);
    }

    /// A message of the server's own.
    pub fn system(&self, extension: &str, status: &str, message: &str) {
        let payload = json!({ "extension": extension, "status": status, "message": message, "channel": self.parts.key.name });
        self.push("system", &payload);
    }

    /// Tells who is there, if that may be seen.
    pub fn tell_presences(&self, realtime: &Realtime) {
        if self.parts.rights.sees {
            self.push("presence_state", &realtime.hub.presences(&self.parts.key));
        }
    }

    /// Begins to hand out changes, in place of what was handed out before.
    pub fn subscribe(&mut self, realtime: &Arc<Realtime>, asked: &OrgSelector) {
        let before = self.serving.take();
        if self.wanted.is_empty() && !self.parts.settings.wants_ready {
            return;
        }
        let context = context::of(&realtime.kernel, &self.parts.speaker.identity, asked);
        let channelled = Arc::new(Channelled::new(
            self.parts.outbox.clone(),
            self.parts.version,
            self.parts.topic.clone(),
            self.parts.join_ref.clone(),
        ));
        let ready = self.parts.settings.wants_ready && before.is_none();
        let serving = subscriber::serve(
            realtime.changes.clone(),
            context,
            self.wanted.clone(),
            channelled,
            ready,
            before,
            self.parts.allowance.clone(),
        );
        self.serving = Some(tokio::spawn(serving).abort_handle());
    }

    /// What the client sends in the channel. An error ends the channel, and says why.
    pub async fn handle(
        &mut self,
        realtime: &Arc<Realtime>,
        callers: &Callers,
        event: &str,
        payload: Payload,
        reference: &Value,
    ) -> Result<(), String> {
        match (event, payload) {
            ("broadcast", Payload::Json(payload)) => {
                let what = What::Whole(payload.to_string().into());
                self.broadcast(realtime, what, reference)
            }
            ("broadcast", Payload::Broadcast(broadcast)) => {
                self.broadcast(realtime, What::User(broadcast), reference)
            }
            ("presence", Payload::Json(payload)) => self.presence(realtime, &payload, reference),
            ("access_token", Payload::Json(payload)) => {
                let token = payload["access_token"].as_str().unwrap_or_default();
                self.renew(realtime, callers, token).await
            }
            _ => Ok(()),
        }
    }

    fn answer(&self, reference: &Value, status: &str, response: &Value) {
        let payload = json!({ "status": status, "response": response });
        let text = wire::write(
            self.parts.version,
            &self.parts.join_ref,
            reference,
            &self.parts.topic,
            "phx_reply",
            &payload,
        );
        self.parts.outbox.text(text);
    }

    fn broadcast(&self, realtime: &Realtime, what: What, reference: &Value) -> Result<(), String> {
        let refused = if !self.parts.rights.sends {
            Some("Unauthorized: You do not have permissions to write to this Channel topic")
        } else if size(&what) > realtime.kernel.config().realtime.max_payload_bytes {
            Some("payload_size_exceeded")
        } else {
            None
        };
        if let Some(why) = refused {
            if self.parts.settings.acknowledges {
                self.answer(reference, "error", &json!({ "reason": why }));
            }
            return Ok(());
        }
        if !realtime.limits.event(self.parts.key.org) {
            return Err("Too many messages per second".to_owned());
        }
        let except = (!self.parts.settings.echoes).then_some(self.parts.member);
        realtime.hub.broadcast(
            &self.parts.key,
            &Broadcast {
                what,
                meta: None,
                id: None,
            },
            except,
        );
        if self.parts.settings.acknowledges {
            self.answer(reference, "ok", &json!({}));
        }
        Ok(())
    }

    fn presence(&mut self, realtime: &Realtime, payload: &Value, reference: &Value) -> Result<(), String> {
        if !realtime.limits.presence(self.parts.key.org) {
            return Err("Too many presence messages per second".to_owned());
        }
        let event = payload["event"].as_str().unwrap_or_default().to_ascii_lowercase();
        match (event.as_str(), &payload["payload"]) {
            ("track", _) if !self.parts.rights.tracks => self.answer(reference, "error", &json!({})),
            ("track", said @ (Value::Object(_) | Value::Null)) => {
                if said.to_string().len() > realtime.kernel.config().realtime.max_payload_bytes {
                    return Err("Track message size exceeded".to_owned());
                }
                // What it said before gives way.
                self.said = None;
                let weight = u32::try_from(weight(said) + self.presence_key.len()).unwrap_or(u32::MAX);
                let Ok(held) = self
                    .parts
                    .allowance
                    .presence
                    .clone()
                    .try_acquire_many_owned(weight)
                else {
                    return Err("PresenceSizeExceeded: This connection says too much of itself".to_owned());
                };
                self.said = Some(held);
                let said: Map<String, Value> = said.as_object().cloned().unwrap_or_default();
                if !self.parts.settings.presence {
                    // Who says that it is there wants to know who else is.
                    self.parts.settings.presence = true;
                    realtime.hub.hears(
                        &self.parts.key,
                        self.parts.member,
                        self.parts.rights.hears,
                        self.parts.rights.sees,
                    );
                    self.tell_presences(realtime);
                }
                realtime
                    .hub
                    .track(&self.parts.key, self.parts.member, &self.presence_key, said);
                self.answer(reference, "ok", &json!({}));
            }
            ("track", _) => {
                self.answer(
                    reference,
                    "error",
                    &json!({ "reason": "Presence track payload must be a map" }),
                );
            }
            ("untrack", _) => {
                realtime.hub.untrack(&self.parts.key, self.parts.member);
                self.said = None;
                self.answer(reference, "ok", &json!({}));
            }
            _ => self.answer(reference, "error", &json!({ "reason": "unknown presence event" })),
        }
        Ok(())
    }

    /// A new token of the same person, or of another.
    async fn renew(
        &mut self,
        realtime: &Arc<Realtime>,
        callers: &Callers,
        token: &str,
    ) -> Result<(), String> {
        let is_known = self.parts.speaker.token.as_deref() == Some(token);
        if token.is_empty() || token.starts_with("sb_") || is_known {
            return Ok(());
        }
        let speaker = callers
            .speaker(&realtime.kernel, Some(token))
            .await
            .map_err(|error| error.message)?;
        self.speaks(realtime, callers, speaker).await
    }

    /// Looks at the token again: it may have ended, its person may have left, policies may have changed.
    pub async fn check(&mut self, realtime: &Arc<Realtime>, callers: &Callers) -> Result<(), String> {
        if self
            .parts
            .speaker
            .expires
            .is_some_and(|expires| expires <= realtime.kernel.env().now())
        {
            return Err("Token has expired".to_owned());
        }
        let token = self.parts.speaker.token.clone();
        let speaker = callers
            .speaker(&realtime.kernel, token.as_deref())
            .await
            .map_err(|error| error.message)?;
        self.speaks(realtime, callers, speaker).await
    }

    async fn speaks(
        &mut self,
        realtime: &Arc<Realtime>,
        callers: &Callers,
        speaker: Speaker,
    ) -> Result<(), String> {
        let name = &self.parts.key.name;
        if speaker.org != self.parts.key.org {
            return Err(format!(
                "You no longer have permission to read from this Channel topic: {name}"
            ));
        }
        if self.parts.settings.private {
            let context = context::of(&realtime.kernel, &speaker.identity, callers.asked());
            let rights = realtime.walls.rights(&realtime.kernel, &context, name).await;
            let rights = rights.map_err(|_| unauthorized(name))?;
            if (self.parts.rights.hears && !rights.hears) || (self.parts.rights.sees && !rights.sees) {
                return Err(format!(
                    "You no longer have permission to read from this Channel topic: {name}"
                ));
            }
            self.parts.rights = rights;
            realtime.hub.hears(
                &self.parts.key,
                self.parts.member,
                rights.hears,
                rights.sees && self.parts.settings.presence,
            );
        }
        let changed = speaker.identity != self.parts.speaker.identity;
        self.parts.speaker = speaker;
        self.check_at = next_check(realtime, &self.parts.speaker);
        if changed && !self.wanted.is_empty() {
            self.subscribe(realtime, callers.asked());
        }
        Ok(())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
        self.realtime.hub.leave(&self.parts.key, self.parts.member);
    }
}

/// Bytes that a value takes in memory, as an estimate.
fn weight(value: &Value) -> usize {
    const EACH: usize = 64;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| EACH + name.len() + weight(value))
            .sum(),
        _ => 0,
    }
}

fn size(what: &What) -> usize {
    match what {
        What::Whole(payload) => payload.len(),
        What::User(UserBroadcast { body, .. }) => body.size(),
    }
}
