//! `GET /realtime/v1/sse`: channels and changes as server-sent events, with the same rights as over the WebSocket; or, with `topics`,
//! news of jobs and the like.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State, ws::Message},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use tenon_sdk::{Error, Kernel, Result, http::Query};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::{
    Realtime, Service,
    changes::read_since,
    news,
    socket::{Connection, ended},
    visitor::Visitor,
    wire::Version,
};

/// Channels of one stream at most.
const MOST: usize = 50;
/// The channel that changes come by, which nobody else is in.
const CHANGES: &str = "realtime:changes";

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route("/realtime/v1/sse", get(stream))
}

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Names of news.
    topics: Option<String>,
    /// A JSON list of what `postgres_changes` of a join takes.
    changes: Option<String>,
    /// A JSON list of channels: `{"topic":"room","private":true,"presence":true}`.
    channels: Option<String>,
    /// Where to take up again, for those who cannot send `Last-Event-ID`.
    since: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    topic: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    presence: bool,
}

async fn stream(
    visitor: Visitor,
    State(kernel): State<Kernel>,
    Extension(service): Extension<Service>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Result<Response> {
    let (mut parts, _) = request.into_parts();
    if let Some(topics) = &parameters.topics {
        return Ok(news::stream(&mut parts, &kernel, topics).await?.into_response());
    }
    let (mut changes, channels): (Vec<Map<String, Value>>, Vec<Wanted>) = (
        list("changes", parameters.changes.as_deref())?,
        list("channels", parameters.channels.as_deref())?,
    );
    if (changes.is_empty() && channels.is_empty()) || channels.len() > MOST || changes.len() > MOST {
        return Err(Error::invalid("realtime.topics", format!("Name 1 to {MOST} topics, changes or channels."))
            .hint("For example ?topics=imports:<id>, or ?changes=[{\"schema\":\"purchasing\",\"table\":\"orders\"}]."));
    }
    let header = parts
        .headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok().map(str::to_owned));
    if let Some(since) = header.or(parameters.since) {
        if read_since(&since).is_none() {
            return Err(Error::invalid(
                "realtime.since",
                "Last-Event-ID is neither a position nor a time.",
            )
            .details(since));
        }
        for change in &mut changes {
            change.insert("since".to_owned(), since.clone().into());
        }
    }
    let token = bearer(&parts.headers);
    let mut joins = Vec::new();
    if !changes.is_empty() {
        joins.push((
            CHANGES.to_owned(),
            json!({ "presence": { "enabled": false }, "postgres_changes": changes }),
        ));
    }
    for Wanted {
        topic,
        private,
        presence,
    } in channels
    {
        let config = json!({ "private": private, "presence": { "enabled": presence } });
        joins.push((format!("realtime:{topic}"), config));
    }
    open(service.get()?, visitor, token, joins).await
}

/// Joins everything; what cannot be joined is told on the stream.
async fn open(
    realtime: Arc<Realtime>,
    visitor: Visitor,
    token: Option<String>,
    joins: Vec<(String, Value)>,
) -> Result<Response> {
    let (mut connection, mut waiting) =
        Connection::open(realtime, visitor.identity, visitor.org, Version::One, "stream").await?;
    let (events, stream) = mpsc::channel(16);
    let stopping = connection.stopping();
    tokio::spawn(async move {
        for (topic, config) in joins {
            let payload = json!({ "config": config, "access_token": token });
            connection.join(&topic, &Value::Null, payload).await;
        }
        loop {
            let message = tokio::select! {
                () = events.closed() => return,
                // Without a word: a stream that just ends is opened again, at another server.
                () = stopping.closed() => return,
                reason = connection.outbox.ended() => {
                    let _ = events.send(Event::default().event("closed").data(json!({ "reason": reason }).to_string())).await;
                    return;
                }
                () = tokio::time::sleep_until(connection.next_check()) => {
                    connection.check().await;
                    continue;
                }
                message = waiting.next() => message,
            };
            if let Some(Message::Text(text)) = message
                && let Some(event) = event(&text)
                && !connection.hand_out(&events, event).await
            {
                return;
            }
        }
    });
    let stream = ReceiverStream::new(stream).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(std::time::Duration::from_secs(10));
    Ok(Sse::new(stream).keep_alive(keep_alive).into_response())
}

impl Connection {
    /// Hands out an event, while tokens end as ever; false if nobody takes it in time.
    async fn hand_out(&mut self, events: &mpsc::Sender<Event>, event: Event) -> bool {
        let (outbox, stopping) = (self.outbox.clone(), self.stopping());
        let until = Instant::now() + self.silence();
        loop {
            tokio::select! {
                place = events.reserve() => {
                    return place.map(|place| place.send(event)).is_ok();
                }
                _ = ended(&outbox, &stopping) => return false,
                () = tokio::time::sleep_until(self.next_check().min(until)) => {
                    if Instant::now() >= until {
                        return false;
                    }
                    self.check().await;
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    topic: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    event: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// A frame as an event; that of a change bears its position, at which a client takes up again.
fn event(text: &str) -> Option<Event> {
    let frame: Frame<'_> = serde_json::from_str(text).ok()?;
    let topic = Value::from(frame.topic.strip_prefix("realtime:").unwrap_or(&frame.topic));
    let data = format!(r#"{{"topic":{topic},"payload":{}}}"#, frame.payload);
    let event = Event::default().event(&frame.event).data(data);
    let position = (frame.event == "postgres_changes")
        .then(|| serde_json::from_str::<Value>(frame.payload.get()).ok())
        .flatten();
    let position = position
        .as_ref()
        .and_then(|payload| payload["data"]["position"].as_str());
    Some(match position {
        Some(position) => event.id(position),
        None => event,
    })
}

fn list<T: for<'a> Deserialize<'a>>(name: &str, text: Option<&str>) -> Result<Vec<T>> {
    serde_json::from_str(text.unwrap_or("[]")).map_err(|error| {
        Error::invalid(
            "realtime.subscription",
            format!("`{name}` is not a list of subscriptions."),
        )
        .details(error.to_string())
        .hint("docs/REALTIME.md shows what it looks like.")
    })
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}
