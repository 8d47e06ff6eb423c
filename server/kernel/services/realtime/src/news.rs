//! News of chosen topics, for members who may know of them, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::sse::{self, KeepAlive, Sse},
};
use futures_util::Stream;
use tenon_sdk::{
    Error, Kernel, Result, UserId,
    http::Permit,
    permission::{Permission, PermissionDef, Role},
};
use tokio::sync::broadcast::error::RecvError;

/// Rights are looked at again this often, so that who was removed hears nothing more.
const CHECK_EVERY: Duration = Duration::from_secs(15);
/// Topics of one stream at most.
const MAX_TOPICS: usize = 50;

/// What every member has; the tenancy service declares it.
struct OrganizationRead;

impl Permission for OrganizationRead {
    const DEF: PermissionDef = PermissionDef {
        name: "tenancy.organization.read",
        from: Role::Viewer,
        description: "See the organisation and one's own rights in it",
    };
}

/// Every member may open a stream; each topic then asks for its own permission.
pub(super) async fn stream(
    parts: &mut Parts,
    kernel: &Kernel,
    topics: &str,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>> + use<>>> {
    let permit = Permit::<OrganizationRead>::from_request_parts(parts, kernel).await?;
    let topics: Vec<String> = topics
        .split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect();
    if topics.is_empty() || topics.len() > MAX_TOPICS {
        return Err(
            Error::invalid("realtime.topics", format!("Name 1 to {MAX_TOPICS} topics."))
                .hint("For example ?topics=imports:<id>."),
        );
    }
    let mut permissions = Vec::new();
    let ctx = permit.ctx().clone();
    for topic in &topics {
        permissions.push(permission_of(kernel, topic, ctx.user_id())?);
    }
    for permission in &permissions {
        ctx.require(permission)?;
    }
    let mut news = kernel.live().subscribe();
    let stopping = kernel.stopping().clone();
    let stream = async_stream(move |sender| async move {
        // The first event tells the client that it is subscribed: what happens from here on will be heard.
        if sender
            .send(sse::Event::default().event("ready").data("{}"))
            .await
            .is_err()
        {
            return;
        }
        let mut check = tokio::time::interval(CHECK_EVERY);
        check.tick().await;
        loop {
            tokio::select! {
                () = sender.closed() => return,
                // Whoever listens opens it again, at another server.
                () = stopping.closed() => return,
                _ = check.tick() => {
                    let still = match ctx.begin().await {
                        Ok(tx) => permissions.iter().all(|permission| tx.has(permission)),
                        Err(error) => error.kind == tenon_sdk::error::Kind::Unavailable,
                    };
                    if !still {
                        let _ = sender.send(sse::Event::default().event("closed").data("{}")).await;
                        return;
                    }
                }
                received = news.recv() => match received {
                    Ok(item) if item.org == ctx.org_id() && topics.contains(&item.topic) => {
                        let mut data = serde_json::json!({ "topic": item.topic, "type": item.kind });
                        if let (Some(fields), Some(payload)) = (data.as_object_mut(), item.payload.as_object()) {
                            fields.extend(payload.clone());
                        }
                        let event = sse::Event::default().event(item.kind.clone()).data(data.to_string());
                        if sender.send(event).await.is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => {
                        // Some news was missed; the client reads the state anew.
                        if sender.send(sse::Event::default().event("reload").data("{}")).await.is_err() {
                            return;
                        }
                    }
                    Err(RecvError::Closed) => return,
                },
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(10))))
}

/// The permission a topic asks for, as its module declared it. Of topics of which everybody has their own, there is no other.
fn permission_of(kernel: &Kernel, topic: &str, user: Option<UserId>) -> Result<&'static str> {
    let (prefix, rest) = topic.split_once(':').unwrap_or((topic, ""));
    let mut own = kernel.modules().iter().flat_map(|module| &module.own_topics);
    if own.any(|name| *name == prefix) && user.is_some_and(|user| rest == user.0.to_string()) {
        return Ok(OrganizationRead::DEF.name);
    }
    kernel
        .modules()
        .iter()
        .flat_map(|module| &module.topics)
        .find(|(name, _)| *name == prefix)
        .map(|(_, permission)| *permission)
        .ok_or_else(|| {
            Error::invalid("realtime.topic_unknown", "There is no such topic.").details(topic.to_owned())
        })
}

/// A stream fed by a task; a slow reader holds the task back, and a gone reader ends it.
fn async_stream<F>(
    task: impl FnOnce(tokio::sync::mpsc::Sender<sse::Event>) -> F,
) -> impl Stream<Item = Result<sse::Event, Infallible>>
where
    F: Future<Output = ()> + Send + 'static,
{
    use futures_util::StreamExt;
    let (sender, receiver) = tokio::sync::mpsc::channel(16);
    tokio::spawn(task(sender));
    tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok)
}
