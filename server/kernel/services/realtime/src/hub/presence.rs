//! Who is there: what the members of a topic say of themselves, under keys that several may share. Pure; the hub keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One member of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub node: u64,
    /// The member within it.
    pub member: u64,
}

/// What one member says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// The key it is filed under.
    pub key: String,
    /// Who says so.
    pub owner: Owner,
    /// Tells this saying from the one before.
    pub reference: String,
    /// What is said.
    pub payload: Map<String, Value>,
}

/// All that is said in one topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presences(BTreeMap<String, Vec<Presence>>);

/// What came and what went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// What came.
    pub joins: Vec<Presence>,
    /// What went.
    pub leaves: Vec<Presence>,
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }

    /// As the payload of `presence_diff`.
    pub fn to_json(&self) -> Value {
        json!({ "joins": grouped(&self.joins), "leaves": grouped(&self.leaves) })
    }
}

impl Presences {
    /// A member says something of itself; what it said before is gone. The same again changes nothing.
    pub fn track(&mut self, presence: Presence) -> Diff {
        let said = self.0.entry(presence.key.clone()).or_default();
        let mut diff = Diff::default();
        if let Some(before) = said.iter_mut().find(|before| before.owner == presence.owner) {
            if before.payload == presence.payload {
                return diff;
            }
            diff.leaves.push(std::mem::replace(before, presence.clone()));
        } else {
            said.push(presence.clone());
        }
        diff.joins.push(presence);
        diff
    }

    /// Everything that somebody said is gone.
    pub fn forget(&mut self, gone: impl Fn(Owner) -> bool) -> Diff {
        let mut diff = Diff::default();
        self.0.retain(|_, said| {
            diff.leaves
                .extend(said.extract_if(.., |presence| gone(presence.owner)));
            !said.is_empty()
        });
        diff
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Presence> {
        self.0.values().flatten()
    }

    /// As the payload of `presence_state`.
    pub fn to_json(&self) -> Value {
        Value::Object(grouped(self.iter()))
    }
}

fn grouped<'a>(presences: impl IntoIterator<Item = &'a Presence>) -> Map<String, Value> {
    let mut keys = Map::new();
    for presence in presences {
        let mut meta = Map::new();
        meta.insert("phx_ref".into(), Value::String(presence.reference.clone()));
        meta.extend(presence.payload.clone());
        let key = keys
            .entry(presence.key.clone())
            .or_insert_with(|| json!({ "metas": [] }));
        if let Some(metas) = key["metas"].as_array_mut() {
            metas.push(Value::Object(meta));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(key: &str, member: u64, what: i32) -> Presence {
        let payload = json!({ "x": what }).as_object().cloned().expect("an object");
        Presence {
            key: key.into(),
            owner: Owner { node: 1, member },
            reference: format!("r{what}"),
            payload,
        }
    }

    #[test]
    fn a_member_that_says_something_new_leaves_with_the_old() {
        let mut topic = Presences::default();
        assert_eq!(topic.track(says("a", 1, 1)).joins.len(), 1);
        let diff = topic.track(says("a", 1, 2));
        assert_eq!(
            diff.to_json(),
            json!({"joins": {"a": {"metas": [{"phx_ref": "r2", "x": 2}]}}, "leaves": {"a": {"metas": [{"phx_ref": "r1", "x": 1}]}}})
        );
        assert!(
            topic.track(says("a", 1, 2)).is_empty(),
            "the same again is no news"
        );
    }

    #[test]
    fn several_members_share_a_key() {
        let mut topic = Presences::default();
        topic.track(says("a", 1, 1));
        topic.track(says("a", 2, 2));
        assert_eq!(topic.to_json()["a"]["metas"].as_array().map(Vec::len), Some(2));
        assert_eq!(topic.forget(|owner| owner.member == 1).leaves.len(), 1);
        assert_eq!(
            topic.to_json(),
            json!({"a": {"metas": [{"phx_ref": "r2", "x": 2}]}})
        );
        topic.forget(|owner| owner.node == 1);
        assert!(topic.is_empty());
    }
}
