//! The WebSocket: one task for each connection, which reads frames, keeps the channels and writes what waits for them.

mod caller;
mod channel;
mod join;
mod settings;
mod subscriber;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
    routing::get,
};
use caller::Callers;
use channel::Channel;
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, ctx::Identity, db::OrgSelector, http::Query, stopping::Stopping};
use tokio::time::Instant;

use crate::{
    Realtime, Service,
    allowance::Allowance,
    context,
    figures::{Open, STOPPING},
    hub::outbox::{Outbox, Waiting},
    limits::Counted,
    visitor::Visitor,
    wire::{self, Incoming, Payload, Version},
};

/// How long the last words to a client may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// Messages written together at most, so that a stream of them does not keep the connection from all else.
const TOGETHER: usize = 64;
/// Frames that are not read are kept small: most connections are idle.
const BUFFER: usize = 4 << 10;

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route("/realtime/v1/websocket", get(upgrade))
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    vsn: String,
    #[serde(default)]
    apikey: String,
    /// The organisation, for clients that cannot send headers.
    #[serde(default, alias = "x-org-id")]
    org: String,
}

async fn upgrade(
    visitor: Visitor,
    State(kernel): State<Kernel>,
    Extension(service): Extension<Service>,
    Query(parameters): Query<Parameters>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    let realtime = service.get()?;
    let identity = if visitor.identity.is_principal() || parameters.apikey.is_empty() {
        visitor.identity
    } else {
        kernel.authenticator().authenticate(&parameters.apikey).await?
    };
    let org = match OrgSelector::parse(&parameters.org) {
        OrgSelector::Default => visitor.org,
        named => named,
    };
    let (connection, waiting) =
        Connection::open(realtime, identity, org, Version::parse(&parameters.vsn), "socket").await?;
    let settings = &kernel.config().realtime;
    Ok(upgrade
        .max_frame_size(settings.max_frame_bytes)
        .max_message_size(settings.max_frame_bytes)
        .read_buffer_size(BUFFER)
        .write_buffer_size(4 * BUFFER)
        .on_upgrade(move |socket| connection.run(socket, waiting)))
}

/// A connection and its channels.
pub(crate) struct Connection {
    realtime: Arc<Realtime>,
    version: Version,
    callers: Callers,
    pub(crate) outbox: Arc<Outbox>,
    channels: HashMap<String, Channel>,
    silence: Duration,
    stopping: Stopping,
    pub(super) allowance: Arc<Allowance>,
    _counted: Counted,
    _open: Open,
}

impl Connection {
    /// A connection of somebody without channels, and what will wait for it.
    ///
    /// Errors: `realtime.connections`, if the organisation has too many; as for any request, if the caller is not in it.
    pub(crate) async fn open(
        realtime: Arc<Realtime>,
        identity: Identity,
        org: OrgSelector,
        version: Version,
        kind: &'static str,
    ) -> Result<(Self, Waiting)> {
        let kernel = &realtime.kernel;
        let resolved = kernel.db().resolve(&context::of(kernel, &identity, &org)).await?;
        let Some(counted) = realtime.limits.connect(resolved.org) else {
            return Err(Error::rate_limited(
                "realtime.connections",
                "The organisation has too many connections.",
            )
            .hint("Close some, or ask the operator for a higher limit (realtime.connections)."));
        };
        let settings = &kernel.config().realtime;
        let (outbox, waiting) = Outbox::new(settings.max_waiting_bytes);
        let connection = Self {
            version,
            callers: Callers::new(identity, resolved.org, org),
            silence: Duration::from_secs(settings.silent_seconds.max(1)),
            stopping: kernel.stopping().clone(),
            _open: realtime.figures.opened(kind),
            allowance: Allowance::new(settings),
            realtime,
            outbox,
            channels: HashMap::new(),
            _counted: counted,
        };
        Ok((connection, waiting))
    }

    async fn run(mut self, socket: WebSocket, mut waiting: Waiting) {
        let (mut sink, mut frames) = socket.split();
        let mut heard = Instant::now();
        let reason = loop {
            let due = self.next_check().min(heard + self.silence);
            tokio::select! {
                reason = ended(&self.outbox, &self.stopping) => break reason,
                Some(message) = waiting.next() => {
                    match self.write(&mut sink, message, &mut waiting).await {
                        Ok(None) => {}
                        Ok(Some(reason)) => break reason,
                        Err(_) => return,
                    }
                }
                frame = frames.next() => {
                    heard = Instant::now();
                    match frame {
                        Some(Ok(Message::Text(text))) => match wire::read_text(self.version, &text) {
                            Ok(incoming) => self.handle(incoming).await,
                            Err(wrong) => break wrong.0,
                        },
                        Some(Ok(Message::Binary(bytes))) => match wire::read_binary(&bytes) {
                            Ok(incoming) => self.handle(incoming).await,
                            Err(wrong) => break wrong.0,
                        },
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                () = tokio::time::sleep_until(due) => {
                    if heard.elapsed() >= self.silence {
                        break "no heartbeat";
                    }
                    self.check().await;
                }
            }
        };
        tracing::debug!(reason, "a connection is closed");
        let close = CloseFrame {
            code: if reason == STOPPING {
                close_code::RESTART
            } else {
                close_code::POLICY
            },
            reason: reason.into(),
        };
        let _ = tokio::time::timeout(FAREWELL, sink.send(Message::Close(Some(close)))).await;
    }

    /// Writes what waits. Whoever does not read has as long as somebody who says nothing; meanwhile tokens end as ever. Gives why the
    /// connection is to end, if it is.
    async fn write(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        first: Message,
        waiting: &mut Waiting,
    ) -> Result<Option<&'static str>, axum::Error> {
        let (outbox, stopping) = (self.outbox.clone(), self.stopping.clone());
        let until = Instant::now() + self.silence;
        let mut written = std::pin::pin!(write(sink, first, waiting));
        loop {
            tokio::select! {
                done = &mut written => return done.map(|()| None),
                reason = ended(&outbox, &stopping) => return Ok(Some(reason)),
                () = tokio::time::sleep_until(self.next_check().min(until)) => {
                    if Instant::now() >= until {
                        return Ok(Some("slow consumer: messages were not read in time"));
                    }
                    self.check().await;
                }
            }
        }
    }

    async fn handle(&mut self, incoming: Incoming) {
        let Incoming {
            join_ref,
            reference,
            topic,
            event,
            payload,
        } = incoming;
        if topic == "phoenix" {
            if event == "heartbeat" {
                self.reply(&Value::Null, &reference, &topic, "ok", &json!({}));
            }
            return;
        }
        match (event.as_str(), payload) {
            ("phx_join", Payload::Json(payload)) => {
                let reference = if reference.is_null() {
                    join_ref.clone()
                } else {
                    reference
                };
                self.join(&topic, &reference, payload).await;
            }
            ("phx_leave", _) => {
                let left = self.channels.remove(&topic);
                self.reply(&join_ref, &reference, &topic, "ok", &json!({}));
                if let Some(channel) = left {
                    let join_ref = channel.parts.join_ref.clone();
                    self.push(&join_ref, &join_ref, &topic, "phx_close", &json!({}));
                }
            }
            (event, payload) => {
                let Some(channel) = self.channels.get_mut(&topic) else {
                    self.reply(
                        &join_ref,
                        &reference,
                        &topic,
                        "error",
                        &json!({ "reason": "unmatched topic" }),
                    );
                    return;
                };
                let database = (event == "access_token").then(|| self.allowance.clone());
                let _database = match &database {
                    Some(database) => database.database().await,
                    None => None,
                };
                let done = channel
                    .handle(&self.realtime, &self.callers, event, payload, &reference)
                    .await;
                if let Err(why) = done {
                    self.shut(&topic, &why);
                }
            }
        }
    }

    /// Ends a channel; its client is told why.
    fn shut(&mut self, topic: &str, why: &str) {
        if let Some(channel) = self.channels.remove(topic) {
            channel.system("system", "error", why);
            let join_ref = channel.parts.join_ref.clone();
            self.push(&join_ref, &join_ref, topic, "phx_close", &json!({}));
        }
    }

    fn reply(&self, join_ref: &Value, reference: &Value, topic: &str, status: &str, response: &Value) {
        let payload = json!({ "status": status, "response": response });
        self.push(join_ref, reference, topic, "phx_reply", &payload);
    }

    fn push(&self, join_ref: &Value, reference: &Value, topic: &str, event: &str, payload: &Value) {
        self.outbox.text(wire::write(
            self.version,
            join_ref,
            reference,
            topic,
            event,
            payload,
        ));
    }

    /// What says that the server stops.
    pub(crate) fn stopping(&self) -> Stopping {
        self.stopping.clone()
    }

    /// For how long it may be silent, or not read.
    pub(crate) fn silence(&self) -> Duration {
        self.silence
    }

    /// When a token has to be looked at again.
    pub(crate) fn next_check(&self) -> Instant {
        let checks = self.channels.values().map(|channel| channel.check_at);
        checks.min().unwrap_or_else(|| Instant::now() + self.silence)
    }

    /// Looks at tokens again whose time has come.
    pub(crate) async fn check(&mut self) {
        let due: Vec<String> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.check_at <= Instant::now())
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in due {
            let allowance = self.allowance.clone();
            let _database = allowance.database().await;
            if let Some(channel) = self.channels.get_mut(&topic)
                && let Err(why) = channel.check(&self.realtime, &self.callers).await
            {
                self.shut(&topic, &why);
            }
        }
    }
}

/// Waits until a connection is to end, and says why.
pub(crate) async fn ended(outbox: &Outbox, stopping: &Stopping) -> &'static str {
    tokio::select! {
        reason = outbox.ended() => reason,
        () = stopping.closed() => STOPPING,
    }
}

/// Writes a message and some that wait behind it, then lets them go together.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    first: Message,
    waiting: &mut Waiting,
) -> Result<(), axum::Error> {
    sink.feed(first).await?;
    for _ in 0..TOGETHER {
        match waiting.at_once() {
            Some(next) => sink.feed(next).await?,
            None => break,
        }
    }
    sink.flush().await
}
