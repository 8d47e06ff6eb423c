//! Messages that SQL sent to a private channel before somebody joined it.

use serde_json::{Value, json};
use tenon_sdk::{Kernel, OrgId, Result, SystemTx};
use uuid::Uuid;

use crate::{
    changes::messages::bytes,
    hub::topic::{Broadcast, What},
    wire::{Body, UserBroadcast},
};

/// Most messages that are sent again.
const MOST: i64 = 25;

/// What a client asks for: messages since a moment in milliseconds, the newest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    since: i64,
    limit: i64,
}

/// Reads `broadcast.replay` of a join; an error if it makes no sense.
pub fn read(replay: &Value) -> Result<Option<Replay>, ()> {
    if replay.is_null() {
        return Ok(None);
    }
    let number = |name: &str, or: i64| match &replay[name] {
        Value::Null => Ok(or),
        Value::Number(number) => number.as_f64().map_or(Err(()), |number| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a moment in milliseconds; what is out of range saturates"
            )]
            Ok(number as i64)
        }),
        _ => Err(()),
    };
    if !replay.is_object() {
        return Err(());
    }
    let (since, limit) = (number("since", 0)?, number("limit", MOST)?);
    if limit < 1 {
        return Err(());
    }
    Ok(Some(Replay {
        since,
        limit: limit.min(MOST),
    }))
}

/// The messages, oldest first.
pub async fn messages(
    kernel: &Kernel,
    org: Option<OrgId>,
    topic: &str,
    replay: Replay,
) -> Result<Vec<Broadcast>> {
    let tx = SystemTx::begin(kernel.db(), "messages for somebody who joins").await?;
    let rows = tx
        .query(
            include_str!("replay.sql"),
            &[&org, &topic, &replay.since, &replay.limit],
        )
        .await?;
    tx.commit().await?;
    let read = rows.iter().rev().map(|row| {
        let id: Uuid = row.try_get(0)?;
        let event: Option<String> = row.try_get(1)?;
        let payload: Option<String> = row.try_get(2)?;
        let binary: Option<String> = row.try_get(3)?;
        let body = match binary.as_deref().and_then(bytes) {
            Some(bytes) => Body::Binary(bytes.into()),
            None => Body::Json(payload.unwrap_or_else(|| "null".to_owned()).into()),
        };
        Ok(Broadcast {
            what: What::User(UserBroadcast {
                event: event.unwrap_or_default(),
                body,
            }),
            meta: Some(json!({ "replayed": true, "id": id }).to_string().into()),
            id: Some(id),
        })
    });
    read.collect()
}
