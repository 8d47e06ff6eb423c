//! Rows of `realtime.messages`: broadcasts that SQL sent.

use serde_json::json;
use tenon_sdk::OrgId;
use uuid::Uuid;

use super::{
    Changes,
    pgoutput::{Action, Cell},
    table::Change,
};
use crate::{
    hub::topic::{Broadcast, TopicKey, What},
    wire::{Body, UserBroadcast},
};

/// Whether a change is such a row.
pub fn is_one(change: &Change) -> bool {
    change.table.schema == "realtime" && change.table.name == "messages"
}

/// Sends it to those of its topic on this process; every process reads the log for itself.
pub fn deliver(changes: &Changes, change: &Change) {
    let (Action::Insert, Some(row)) = (change.action, &change.new) else {
        return;
    };
    let table = &change.table;
    let text = |name: &str| {
        let index = table.columns.iter().position(|column| column.name == name)?;
        match table.cell(row, index) {
            Cell::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    };
    let (Some(topic), Some("broadcast"), Some(id)) = (text("topic"), text("extension"), text("id")) else {
        return;
    };
    let body = match (text("binary_payload").and_then(bytes), text("payload")) {
        (Some(bytes), _) => Body::Binary(bytes.into()),
        (None, Some(payload)) => Body::Json(payload.to_owned().into()),
        (None, None) => Body::Json("null".into()),
    };
    let key = TopicKey {
        org: text("org_id")
            .and_then(|org| Uuid::try_parse(org).ok())
            .map(OrgId),
        private: text("private") == Some("t"),
        name: topic.into(),
    };
    let broadcast = Broadcast {
        what: What::User(UserBroadcast {
            event: text("event").unwrap_or_default().to_owned(),
            body,
        }),
        meta: Some(json!({ "id": id }).to_string().into()),
        id: Uuid::try_parse(id).ok(),
    };
    changes.hub.deliver(&key, &broadcast, None);
}

/// `\xdead` as bytes.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}
