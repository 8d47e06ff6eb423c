//! What the processes of an installation tell one another, by `NOTIFY`: broadcasts, who is there, who is alive.
//!
//! A notification carries at most 8,000 bytes, so that a word may come in pieces. Words of one process arrive in their order, and
//! each of them once; what is said while the database is away is lost to the other processes, as for their clients a connection
//! that broke. Every role of SQL may notify, so that pieces are sealed and numbered: what has no seal, or was said before, is nobody's.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use tokio::{sync::mpsc, time::Instant};
use tokio_postgres::AsyncMessage;
use uuid::Uuid;

use super::{
    Hub,
    presence::Presence,
    seal::Seal,
    topic::{Broadcast, TopicKey, What},
};
use crate::wire::{Body, UserBroadcast};

/// The channel of notifications.
pub const CHANNEL: &str = "tenon_realtime";
/// Bytes of a piece; the rest of a notification says whose it is.
const PIECE: usize = 7_800;
/// Words that wait for the database at most.
const WAITING: usize = 10_000;
/// Words said together at most.
const TOGETHER: usize = 200;
/// How often a process says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// After which silence it is taken for gone.
const GONE_AFTER: Duration = Duration::from_secs(35);
/// Words of which some pieces are missing, kept at most.
const UNFINISHED: usize = 64;

/// What one process tells the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// A broadcast for everybody in a topic.
    #[serde(rename = "b")]
    Broadcast {
        /// The topic.
        key: TopicKey,
        /// The event; absent where the body is the whole payload.
        event: Option<String>,
        /// JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Box<RawValue>>,
        /// Other bytes, in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<String>,
        /// What the server says of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meta: Option<String>,
    },
    /// A channel said something of itself.
    #[serde(rename = "p")]
    Tracked {
        /// The topic.
        key: TopicKey,
        /// What it said.
        presence: Presence,
    },
    /// A channel took back what it said.
    #[serde(rename = "l")]
    Left {
        /// The topic.
        key: TopicKey,
        /// Which of the process that says so.
        member: u64,
    },
    /// A process has started, and wants to know who is there.
    #[serde(rename = "h")]
    Hello,
    /// A process lives.
    #[serde(rename = "a")]
    Alive,
}

impl Word {
    /// A broadcast.
    pub fn broadcast(key: &TopicKey, broadcast: &Broadcast) -> Self {
        let json = |bytes: &[u8]| serde_json::from_slice::<Box<RawValue>>(bytes).ok();
        let (event, json, bytes) = match &broadcast.what {
            What::Whole(payload) => (None, json(payload), None),
            What::User(UserBroadcast {
                event,
                body: Body::Json(text),
            }) => (Some(event.clone()), json(text), None),
            What::User(UserBroadcast {
                event,
                body: Body::Binary(bytes),
            }) => (Some(event.clone()), None, Some(STANDARD.encode(bytes))),
        };
        Self::Broadcast {
            key: key.clone(),
            event,
            json,
            bytes,
            meta: broadcast.meta.as_deref().map(Into::into),
        }
    }
}

/// The sending end.
#[derive(Clone, Debug)]
pub struct Bus {
    node: u64,
    count: Arc<AtomicU64>,
    queue: mpsc::Sender<String>,
}

impl Bus {
    /// A bus and what waits to be said on it.
    pub fn new(node: u64) -> (Self, mpsc::Receiver<String>) {
        let (queue, waiting) = mpsc::channel(WAITING);
        (
            Self {
                node,
                count: Arc::default(),
                queue,
            },
            waiting,
        )
    }

    /// Tells the other processes.
    pub fn say(&self, word: &Word) {
        let Ok(text) = serde_json::to_string(word) else {
            return;
        };
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        for piece in pieces(self.node, number, &text) {
            if self.queue.try_send(piece).is_err() {
                tracing::warn!(
                    "other processes do not hear what is said here: the database is away or too slow"
                );
                return;
            }
        }
    }
}

fn pieces(node: u64, number: u64, text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.floor_char_boundary(PIECE);
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    let count = parts.len();
    let all = parts.iter().enumerate();
    all.map(|(index, part)| format!("{node:x}:{number:x}:{index:x}:{count:x}:{part}"))
        .collect()
}

/// Says what waits, until nobody can say anything any more.
pub async fn speak(kernel: Kernel, mut waiting: mpsc::Receiver<String>) {
    let mut together = Vec::new();
    let mut seal = None;
    let mut number = 0;
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        if let Err(error) = notify(&kernel, &mut seal, &mut number, &together).await {
            tracing::warn!(%error, lost = together.len(), "other processes were not told");
        }
        together.clear();
    }
}

async fn notify(kernel: &Kernel, seal: &mut Option<Seal>, number: &mut u64, texts: &[String]) -> Result<()> {
    let seal = match seal {
        Some(seal) => &*seal,
        none => none.insert(Seal::load(kernel).await?),
    };
    let sealed = texts.iter().map(|text| {
        *number += 1;
        seal.put(*number, text)
    });
    let sealed: Vec<String> = sealed.collect();
    let tx = SystemTx::begin(kernel.db(), "words between processes").await?;
    // Nothing is kept, so nothing has to reach the disk.
    let said = "select set_config('synchronous_commit', 'off', true), pg_notify($1, word) from unnest($2::text[]) word";
    tx.execute_and_commit(said, &[&CHANNEL, &sealed]).await.map(drop)
}

/// Hears what other processes say, and what changes in the schema. Comes back after a break.
pub async fn hear(kernel: Kernel, hub: Arc<Hub>, schema_changed: impl Fn() + Send + Sync) {
    let mut pause = Duration::from_millis(100);
    let mut others = Others::default();
    loop {
        match hear_once(&kernel, &hub, &mut others, &schema_changed).await {
            Ok(()) => pause = Duration::from_millis(100),
            Err(error) => {
                tracing::warn!(%error, "listening for other processes failed; trying again");
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn hear_once(
    kernel: &Kernel,
    hub: &Hub,
    others: &mut Others,
    schema_changed: &(impl Fn() + Send + Sync),
) -> Result<()> {
    let seal = Seal::load(kernel).await?;
    let (client, mut connection) = kernel.db().listen_connection().await?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut listening = Box::pin(async move {
        client
            .batch_execute(&format!("listen {CHANNEL}; listen pgrst"))
            .await
            .map_err(Error::from)?;
        Ok::<_, Error>(client)
    });
    let mut client = None;
    let mut alive = tokio::time::interval(ALIVE_EVERY);
    loop {
        tokio::select! {
            result = &mut listening, if client.is_none() => {
                client = Some(result?);
                // What was said meanwhile was not heard: all begin anew.
                schema_changed();
                for node in others.forget() {
                    hub.forget_node(node);
                }
                hub.bus.say(&Word::Hello);
                introduce(hub);
            }
            _ = alive.tick() => {
                hub.bus.say(&Word::Alive);
                for node in others.gone(Instant::now()) {
                    hub.forget_node(node);
                }
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(note))) if note.channel() == CHANNEL => {
                    if let Some((number, said)) = seal.open(note.payload())
                        && let Some((node, word)) = others.heard(hub.node, number, said, Instant::now())
                    {
                        take(hub, node, word);
                    }
                }
                Some(Ok(AsyncMessage::Notification(_))) => schema_changed(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}

/// Tells others who is there on this process.
fn introduce(hub: &Hub) {
    for (key, presence) in hub.own_presences() {
        hub.bus.say(&Word::Tracked { key, presence });
    }
}

fn take(hub: &Hub, node: u64, word: Word) {
    match word {
        Word::Broadcast {
            key,
            event,
            json,
            bytes,
            meta,
        } => {
            let body = match (json, bytes) {
                (Some(json), _) => Body::Json(String::from(Box::<str>::from(json)).into()),
                (None, Some(bytes)) => Body::Binary(STANDARD.decode(bytes).unwrap_or_default().into()),
                (None, None) => return,
            };
            let what = match (event, body) {
                (Some(event), body) => What::User(UserBroadcast { event, body }),
                (None, Body::Json(whole) | Body::Binary(whole)) => What::Whole(whole),
            };
            hub.deliver(
                &key,
                &Broadcast {
                    what,
                    meta: meta.map(Into::into),
                    id: None::<Uuid>,
                },
                None,
            );
        }
        Word::Tracked { key, presence } => _ = hub.tracked(&key, presence),
        Word::Left { key, member } => {
            _ = hub.forget(&key, |owner| owner.node == node && owner.member == member);
        }
        Word::Hello => introduce(hub),
        Word::Alive => {}
    }
}

type Unfinished = (Vec<Option<String>>, Instant);

/// The other processes, and what is known of their words.
#[derive(Debug, Default)]
struct Others {
    seen: HashMap<u64, Instant>,
    /// The last number of each, which none comes before: who listens could say again what was said.
    last: HashMap<u64, u64>,
    /// By process and number: the pieces so far, and since when.
    unfinished: HashMap<(u64, u64), Unfinished>,
}

impl Others {
    /// Takes a notification; gives the word that is whole with it.
    fn heard(&mut self, own: u64, sealed: u64, said: &str, now: Instant) -> Option<(u64, Word)> {
        let mut parts = said.splitn(5, ':');
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let (node, count, index, pieces) = (number()?, number()?, number()?, number()?);
        let text = parts.next()?;
        if node == own {
            return None;
        }
        let last = self.last.entry(node).or_default();
        if sealed <= *last {
            return None;
        }
        *last = sealed;
        self.seen.insert(node, now);
        if pieces == 1 {
            return serde_json::from_str(text).ok().map(|word| (node, word));
        }
        let (index, pieces) = (usize::try_from(index).ok()?, usize::try_from(pieces).ok()?);
        if self.unfinished.len() >= UNFINISHED {
            let oldest = self
                .unfinished
                .iter()
                .min_by_key(|(_, (_, since))| *since)
                .map(|(key, _)| *key)?;
            self.unfinished.remove(&oldest);
        }
        let (got, _) = self
            .unfinished
            .entry((node, count))
            .or_insert_with(|| (vec![None; pieces.min(1 << 16)], now));
        *got.get_mut(index)? = Some(text.to_owned());
        if got.iter().any(Option::is_none) {
            return None;
        }
        let (got, _) = self.unfinished.remove(&(node, count))?;
        let text: String = got.into_iter().flatten().collect();
        serde_json::from_str(&text).ok().map(|word| (node, word))
    }

    /// Processes that have been silent for too long.
    fn gone(&mut self, now: Instant) -> Vec<u64> {
        let gone = self
            .seen
            .extract_if(|_, seen| now.duration_since(*seen) > GONE_AFTER);
        gone.map(|(node, _)| node).collect()
    }

    /// All of them, none of which is known any more.
    fn forget(&mut self) -> Vec<u64> {
        self.unfinished.clear();
        self.seen.drain().map(|(node, _)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(size: usize) -> Word {
        let key = TopicKey {
            org: None,
            private: false,
            name: "room:ä".into(),
        };
        let what = What::Whole(serde_json::json!({ "text": "ü".repeat(size) }).to_string().into());
        Word::broadcast(
            &key,
            &Broadcast {
                what,
                meta: None,
                id: None,
            },
        )
    }

    #[tokio::test]
    async fn a_long_word_comes_in_pieces_and_is_whole_again() {
        let (bus, mut waiting) = Bus::new(1);
        let said = word(100_000);
        bus.say(&said);
        bus.say(&Word::Alive);
        let mut others = Others::default();
        let mut heard = Vec::new();
        let mut number = 0;
        while let Ok(note) = waiting.try_recv() {
            number += 1;
            // The seal takes as much again as this leaves.
            assert!(note.len() < 7_900, "a notification takes less than 8,000 bytes");
            heard.extend(others.heard(2, number, &note, Instant::now()));
            assert!(
                others.heard(2, number, &note, Instant::now()).is_none(),
                "nothing counts twice"
            );
        }
        assert_eq!(heard.len(), 2);
        assert_eq!(
            serde_json::to_string(&heard[0].1).expect("JSON"),
            serde_json::to_string(&said).expect("JSON")
        );
        assert!(others.unfinished.is_empty());
    }

    #[tokio::test]
    async fn a_process_does_not_hear_itself_nor_nonsense() {
        let (bus, mut waiting) = Bus::new(1);
        bus.say(&word(1));
        let note = waiting.try_recv().expect("a note");
        let mut others = Others::default();
        assert!(others.heard(1, 1, &note, Instant::now()).is_none());
        for nonsense in [
            "",
            ":",
            "1:2:3",
            "1:2:3:4:{",
            "x:y:z:1:{}",
            "2:1:ffffffffffffffff:ffffffffffffffff:{}",
        ] {
            assert!(
                others.heard(1, 1, nonsense, Instant::now()).is_none(),
                "{nonsense}"
            );
        }
    }
}
