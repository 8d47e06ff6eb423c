//! Broadcasts over HTTP.

use std::collections::HashMap;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tenon_sdk::{
    Error, Kernel, OrgId, Result,
    http::{Path, Query},
};

use crate::{
    Realtime, Service, context,
    hub::topic::{Broadcast, TopicKey, What},
    visitor::Visitor,
    wire::{Body, UserBroadcast},
};

/// Messages of one request at most.
const MOST: usize = 1_000;

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/realtime/v1/api/broadcast", post(several))
        .route("/realtime/v1/api/broadcast/{topic}/events/{event}", post(one))
}

#[derive(Deserialize)]
struct Messages {
    messages: Option<Vec<Value>>,
}

/// Who sends, and what of it goes out.
struct Sender<'a> {
    realtime: &'a Realtime,
    visitor: &'a Visitor,
    org: Option<OrgId>,
    /// Private topics of which policies were asked, and what they said: once a request, however many messages it brings.
    asked: HashMap<String, bool>,
}

impl<'a> Sender<'a> {
    async fn new(realtime: &'a Realtime, visitor: &'a Visitor) -> Result<Self> {
        let context = context::of(&realtime.kernel, &visitor.identity, &visitor.org);
        let org = realtime.kernel.db().resolve(&context).await?.org;
        Ok(Self {
            realtime,
            visitor,
            org,
            asked: HashMap::new(),
        })
    }

    async fn may_send(&mut self, topic: &str) -> Result<bool> {
        if let Some(sends) = self.asked.get(topic) {
            return Ok(*sends);
        }
        let (walls, kernel) = (&self.realtime.walls, &self.realtime.kernel);
        let context = context::of(kernel, &self.visitor.identity, &self.visitor.org);
        let sends = walls.rights(kernel, &context, topic).await?.sends;
        self.asked.insert(topic.to_owned(), sends);
        Ok(sends)
    }

    /// Sends a message; false if policies do not let the caller.
    async fn send(&mut self, topic: &str, private: bool, message: UserBroadcast) -> Result<bool> {
        if private && !self.may_send(topic).await? {
            return Ok(false);
        }
        let realtime = self.realtime;
        if !realtime.limits.event(self.org) {
            return Err(
                Error::rate_limited("realtime.too_many_events", "Too many messages per second.")
                    .hint("Wait a second, or send fewer messages."),
            );
        }
        let key = TopicKey {
            org: self.org,
            private,
            name: topic.into(),
        };
        let broadcast = Broadcast {
            what: What::User(message),
            meta: None,
            id: None,
        };
        realtime.hub.broadcast(&key, &broadcast, None);
        Ok(true)
    }
}

/// `POST /realtime/v1/api/broadcast`: several messages, each to a topic. Those to private topics that policies refuse are left out.
async fn several(
    visitor: Visitor,
    State(kernel): State<Kernel>,
    Extension(service): Extension<Service>,
    body: Bytes,
) -> Result<Response> {
    let realtime = service.get()?;
    let Ok(Messages {
        messages: Some(messages),
    }) = serde_json::from_slice(&body)
    else {
        return Ok(wrong(&json!({ "messages": ["can't be blank"] })));
    };
    let most = kernel.config().realtime.max_payload_bytes;
    let checked: Result<Vec<_>, Value> = messages.iter().map(|message| read(message, most)).collect();
    let checked = match checked {
        Ok(checked) if checked.len() <= MOST => checked,
        Ok(_) => {
            return Ok(wrong(
                &json!({ "messages": [format!("should have at most {MOST} items")] }),
            ));
        }
        Err(errors) => return Ok(wrong(&json!({ "messages": [errors] }))),
    };
    let mut sender = Sender::new(&realtime, &visitor).await?;
    for (topic, private, message) in checked {
        sender.send(&topic, private, message).await?;
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Topic, whether it is private, and the message; else what is wrong with its fields.
fn read(message: &Value, most: usize) -> Result<(String, bool, UserBroadcast), Value> {
    let text = |name: &str| {
        let text = message[name].as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| json!({ name: ["can't be blank"] }))
    };
    let (topic, event) = (text("topic")?, text("event")?);
    let payload = match &message["payload"] {
        Value::Null => return Err(json!({ "payload": ["can't be blank"] })),
        payload => payload.to_string(),
    };
    if payload.len() > most {
        return Err(json!({ "payload": ["Payload size exceeds tenant limit"] }));
    }
    let message_of = UserBroadcast {
        event: event.to_owned(),
        body: Body::Json(payload.into()),
    };
    Ok((
        topic.to_owned(),
        message["private"].as_bool().unwrap_or(false),
        message_of,
    ))
}

fn wrong(errors: &Value) -> Response {
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        axum::Json(json!({ "errors": errors })),
    )
        .into_response()
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    private: bool,
}

/// `POST /realtime/v1/api/broadcast/{topic}/events/{event}`: one message, JSON or any bytes.
async fn one(
    visitor: Visitor,
    State(kernel): State<Kernel>,
    Extension(service): Extension<Service>,
    Path((topic, event)): Path<(String, String)>,
    Query(Options { private }): Query<Options>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let realtime = service.get()?;
    if body.len() > kernel.config().realtime.max_payload_bytes {
        return Err(
            Error::too_large("realtime.payload_too_large", "The message is too large.")
                .hint("realtime.max_payload_bytes says how large one may be."),
        );
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let body = if kind.starts_with("application/octet-stream") {
        Body::Binary(body)
    } else if serde_json::from_slice::<&RawValue>(&body).is_ok() {
        Body::Json(body)
    } else {
        return Ok(wrong(&json!({ "payload": ["is not JSON"] })));
    };
    let mut sender = Sender::new(&realtime, &visitor).await?;
    if sender
        .send(&topic, private, UserBroadcast { event, body })
        .await?
    {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(
            Error::forbidden("realtime.may_not_send", "You may not write to this topic.")
                .hint("Policies on realtime.messages decide who may."),
        )
    }
}
