//! One topic of one organisation: who listens on this process, and who is there on any.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::extract::ws::Message;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use tenon_sdk::OrgId;
use uuid::Uuid;

use super::{
    outbox::Outbox,
    presence::{Diff, Presences},
};
use crate::wire::{self, Body, TextBroadcast, UserBroadcast, Version};

/// Which topic: the same name is another topic in another organisation, and another one if it is private.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicKey {
    /// Whose; `None`: of those who belong to no organisation.
    pub org: Option<OrgId>,
    /// Whether policies say who may join.
    pub private: bool,
    /// Its name, without `realtime:`.
    pub name: String,
}

/// A channel that listens.
#[derive(Debug)]
pub struct Member {
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// How they are written.
    pub version: Version,
    /// Hears broadcasts.
    pub broadcasts: bool,
    /// Hears who comes and goes.
    pub presence: bool,
    /// Messages it has had already, by replay.
    pub replayed: HashSet<Uuid>,
}

/// What is sent to all.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// What its sender wrote.
    pub what: What,
    /// What the server says of it, as JSON text.
    pub meta: Option<Arc<str>>,
    /// Its id, if it stands in `realtime.messages`.
    pub id: Option<Uuid>,
}

/// What a sender wrote.
#[derive(Clone, Debug)]
pub enum What {
    /// Event and body.
    User(UserBroadcast),
    /// The whole payload of a text frame, as JSON text: it may say more than event and body.
    Whole(Bytes),
}

/// The members and presences of a topic.
#[derive(Debug, Default)]
pub struct Topic {
    members: HashMap<u64, Member>,
    /// Who is there, on all processes.
    pub presences: Presences,
}

impl Topic {
    /// Adds a member.
    pub fn join(&mut self, id: u64, member: Member) {
        self.members.insert(id, member);
    }

    /// Removes a member.
    pub fn leave(&mut self, id: u64) -> bool {
        self.members.remove(&id).is_some()
    }

    /// What a member hears has changed.
    pub fn hears(&mut self, id: u64, broadcasts: bool, presence: bool) {
        if let Some(member) = self.members.get_mut(&id) {
            member.broadcasts = broadcasts;
            member.presence = presence;
        }
    }

    /// Whether nobody listens and nobody is there.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.presences.is_empty()
    }

    /// Sends to all members but one. A frame is written once for each version, however many read it.
    pub fn broadcast(&self, name: &str, broadcast: &Broadcast, except: Option<u64>) {
        let frames = Frames::new(name);
        for (id, member) in &self.members {
            let had = broadcast.id.is_some_and(|id| member.replayed.contains(&id));
            if !member.broadcasts || had || Some(*id) == except {
                continue;
            }
            if let Some(frame) = frames.get(member.version, broadcast) {
                member.outbox.send(frame);
            }
        }
    }

    /// Tells all members who came and went.
    pub fn tell(&self, name: &str, diff: &Diff) {
        if diff.is_empty() {
            return;
        }
        let payload = diff.to_json();
        let frame = |version| {
            let topic = format!("realtime:{name}");
            let text = wire::write(
                version,
                &Value::Null,
                &Value::Null,
                &topic,
                "presence_diff",
                &payload,
            );
            Message::Text(text.into())
        };
        let (mut one, mut two) = (None, None);
        for member in self.members.values().filter(|member| member.presence) {
            let known = match member.version {
                Version::One => &mut one,
                Version::Two => &mut two,
            };
            member
                .outbox
                .send(known.get_or_insert_with(|| frame(member.version)).clone());
        }
    }
}

/// The frames of one broadcast, written when first asked for.
struct Frames {
    topic: String,
    one: OnceCell<Option<Message>>,
    two: OnceCell<Option<Message>>,
}

impl Frames {
    fn new(name: &str) -> Self {
        Self {
            topic: format!("realtime:{name}"),
            one: OnceCell::new(),
            two: OnceCell::new(),
        }
    }

    fn get(&self, version: Version, broadcast: &Broadcast) -> Option<Message> {
        let known = match version {
            Version::One => &self.one,
            Version::Two => &self.two,
        };
        known
            .get_or_init(|| frame(&self.topic, version, broadcast))
            .clone()
    }
}

/// A broadcast as a frame; bytes that are no JSON cannot be written in version 1.0.0.
pub fn frame(topic: &str, version: Version, broadcast: &Broadcast) -> Option<Message> {
    let meta = broadcast.meta.as_deref();
    match &broadcast.what {
        What::Whole(payload) => Some(text(version, topic, raw(payload)?)),
        What::User(UserBroadcast { event, body }) => {
            if version == Version::Two
                && let Some(bytes) = wire::user_broadcast(topic, event, meta.unwrap_or_default(), body)
            {
                return Some(Message::Binary(bytes));
            }
            let Body::Json(payload) = body else { return None };
            let payload = raw(payload)?;
            let meta: Option<&RawValue> = meta.and_then(|meta| serde_json::from_str(meta).ok());
            Some(text(
                version,
                topic,
                &TextBroadcast {
                    kind: "broadcast",
                    event,
                    payload,
                    meta,
                },
            ))
        }
    }
}

fn text<P: Serialize + ?Sized>(version: Version, topic: &str, payload: &P) -> Message {
    let text = wire::write(version, &Value::Null, &Value::Null, topic, "broadcast", payload);
    Message::Text(text.into())
}

fn raw(bytes: &Bytes) -> Option<&RawValue> {
    serde_json::from_slice(bytes).ok()
}
