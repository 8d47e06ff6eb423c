//! Who listens to what on this process, and what they hear: broadcasts and presence. Other processes hear it by the [`bus`].

pub mod bus;
pub mod outbox;
pub mod presence;
mod seal;
pub mod topic;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use presence::{Owner, Presence};
use serde_json::{Map, Value};
use topic::{Broadcast, Member, Topic, TopicKey};

use bus::{Bus, Word};

/// All topics of this process.
#[derive(Debug)]
pub struct Hub {
    node: u64,
    next: AtomicU64,
    topics: Mutex<HashMap<TopicKey, Topic>>,
    bus: Bus,
}

impl Hub {
    /// An empty one; what is said here is given to the bus.
    pub fn new(node: u64, bus: Bus) -> Arc<Self> {
        Arc::new(Self {
            node,
            next: AtomicU64::new(1),
            topics: Mutex::default(),
            bus,
        })
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<TopicKey, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a channel, and gives its number.
    pub fn join(&self, key: &TopicKey, member: Member) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.topics().entry(key.clone()).or_default().join(id, member);
        id
    }

    /// Removes a channel with what it said of itself.
    pub fn leave(&self, key: &TopicKey, id: u64) {
        let owner = Owner {
            node: self.node,
            member: id,
        };
        let mut topics = self.topics();
        let Some(topic) = topics.get_mut(key) else { return };
        topic.leave(id);
        let diff = topic.presences.forget(|said| said == owner);
        topic.tell(&key.name, &diff);
        if topic.is_empty() {
            topics.remove(key);
        }
        drop(topics);
        if !diff.is_empty() {
            self.bus.say(&Word::Left {
                key: key.clone(),
                member: id,
            });
        }
    }

    /// What a channel hears has changed.
    pub fn hears(&self, key: &TopicKey, id: u64, broadcasts: bool, presence: bool) {
        if let Some(topic) = self.topics().get_mut(key) {
            topic.hears(id, broadcasts, presence);
        }
    }

    /// Sends to everybody on every process, but for one channel here.
    pub fn broadcast(&self, key: &TopicKey, broadcast: &Broadcast, except: Option<u64>) {
        self.deliver(key, broadcast, except);
        self.bus.say(&Word::broadcast(key, broadcast));
    }

    /// Sends to everybody on this process.
    pub fn deliver(&self, key: &TopicKey, broadcast: &Broadcast, except: Option<u64>) {
        if let Some(topic) = self.topics().get(key) {
            topic.broadcast(&key.name, broadcast, except);
        }
    }

    /// A channel says something of itself.
    pub fn track(&self, key: &TopicKey, id: u64, name: &str, payload: Map<String, Value>) {
        let reference = format!("{:x}.{:x}", self.node, self.next.fetch_add(1, Ordering::Relaxed));
        let owner = Owner {
            node: self.node,
            member: id,
        };
        let presence = Presence {
            key: name.to_owned(),
            owner,
            reference,
            payload,
        };
        if self.tracked(key, presence.clone()) {
            self.bus.say(&Word::Tracked {
                key: key.clone(),
                presence,
            });
        }
    }

    /// A channel takes back what it said of itself.
    pub fn untrack(&self, key: &TopicKey, id: u64) {
        if self.forget(key, |owner| {
            owner
                == Owner {
                    node: self.node,
                    member: id,
                }
        }) {
            self.bus.say(&Word::Left {
                key: key.clone(),
                member: id,
            });
        }
    }

    /// Who is there, as the payload of `presence_state`.
    pub fn presences(&self, key: &TopicKey) -> Value {
        self.topics()
            .get(key)
            .map_or_else(|| Value::Object(Map::new()), |topic| topic.presences.to_json())
    }

    /// Everything that channels of this process said, for a process that has just started.
    pub fn own_presences(&self) -> Vec<(TopicKey, Presence)> {
        let topics = self.topics();
        let own = topics.iter().flat_map(|(key, topic)| {
            let own = topic
                .presences
                .iter()
                .filter(|presence| presence.owner.node == self.node);
            own.map(|presence| (key.clone(), presence.clone()))
        });
        own.collect()
    }

    /// Takes in what somebody said; whether it was news.
    fn tracked(&self, key: &TopicKey, presence: Presence) -> bool {
        let mut topics = self.topics();
        let topic = topics.entry(key.clone()).or_default();
        let diff = topic.presences.track(presence);
        topic.tell(&key.name, &diff);
        !diff.is_empty()
    }

    /// Lets go of what some said in a topic; whether there was any.
    fn forget(&self, key: &TopicKey, gone: impl Fn(Owner) -> bool) -> bool {
        let mut topics = self.topics();
        let Some(topic) = topics.get_mut(key) else {
            return false;
        };
        let diff = topic.presences.forget(gone);
        topic.tell(&key.name, &diff);
        if topic.is_empty() {
            topics.remove(key);
        }
        !diff.is_empty()
    }

    /// Lets go of what channels of a process said that is gone.
    fn forget_node(&self, node: u64) {
        let keys: Vec<TopicKey> = self.topics().keys().cloned().collect();
        for key in keys {
            self.forget(&key, |owner| owner.node == node);
        }
    }

    /// How many topics there are here.
    pub fn len(&self) -> usize {
        self.topics().len()
    }

    /// Whether nobody listens here.
    pub fn is_empty(&self) -> bool {
        self.topics().is_empty()
    }
}
