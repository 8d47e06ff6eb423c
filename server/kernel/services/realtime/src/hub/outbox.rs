//! What waits to be written to one connection: never more than a limit, so that a slow reader costs nobody else memory.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use axum::extract::ws::Message;
use tokio::sync::{Notify, mpsc};

/// Bytes that a queued message costs besides its own, as an estimate.
const OVERHEAD: usize = 64;

/// The sending end. Nothing waits here: what does not fit ends the connection.
#[derive(Debug)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Message>,
    waiting: AtomicUsize,
    limit: usize,
    ended: Notify,
    reason: OnceLock<&'static str>,
}

/// The end that the connection's task reads.
#[derive(Debug)]
pub struct Waiting {
    queue: mpsc::UnboundedReceiver<Message>,
    outbox: Arc<Outbox>,
}

impl Outbox {
    /// An empty one that takes `limit` bytes.
    pub fn new(limit: usize) -> (Arc<Self>, Waiting) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let outbox = Arc::new(Self {
            queue,
            waiting: AtomicUsize::new(0),
            limit,
            ended: Notify::new(),
            reason: OnceLock::new(),
        });
        let waiting = Waiting {
            queue: receiver,
            outbox: outbox.clone(),
        };
        (outbox, waiting)
    }

    /// Queues a message. More than the limit ends the connection, and nothing more is taken.
    pub fn send(&self, message: Message) {
        if self.reason.get().is_some() {
            return;
        }
        let size = cost(&message);
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        // One message may always wait, whatever its size: it has passed a limit of its own.
        if before > 0 && before + size > self.limit {
            self.end("slow consumer: messages were not read in time");
            return;
        }
        let _ = self.queue.send(message);
    }

    /// Queues a text.
    pub fn text(&self, text: String) {
        self.send(Message::Text(text.into()));
    }

    /// Ends the connection; its client is told why.
    pub fn end(&self, reason: &'static str) {
        if self.reason.set(reason).is_ok() {
            self.ended.notify_one();
        }
    }

    /// Waits until the connection is to end, and says why.
    pub async fn ended(&self) -> &'static str {
        loop {
            if let Some(reason) = self.reason.get() {
                return reason;
            }
            self.ended.notified().await;
        }
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Waiting {
    /// The next message; `None` never comes while the outbox lives.
    pub async fn next(&mut self) -> Option<Message> {
        let message = self.queue.recv().await?;
        self.taken(&message);
        Some(message)
    }

    /// The next message, if one waits already.
    pub fn at_once(&mut self) -> Option<Message> {
        let message = self.queue.try_recv().ok()?;
        self.taken(&message);
        Some(message)
    }

    fn taken(&self, message: &Message) {
        self.outbox.waiting.fetch_sub(cost(message), Ordering::Relaxed);
    }
}

fn cost(message: &Message) -> usize {
    OVERHEAD
        + match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            Message::Close(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_read_is_dropped_with_a_reason() {
        let (outbox, mut waiting) = Outbox::new(1000);
        for _ in 0..20 {
            outbox.text("x".repeat(100));
        }
        assert!(outbox.waiting() <= 1000 + 164);
        assert!(outbox.ended().await.starts_with("slow consumer"));
        let mut read = 0;
        while waiting.at_once().is_some() {
            read += 1;
        }
        assert!(read < 20);
        outbox.text("more".into());
        assert!(waiting.at_once().is_none(), "nothing is taken after the end");
    }

    #[tokio::test]
    async fn what_is_read_makes_room() {
        let (outbox, mut waiting) = Outbox::new(1000);
        for _ in 0..100 {
            outbox.text("x".repeat(800));
            assert!(waiting.next().await.is_some());
        }
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn one_message_larger_than_the_limit_goes_through() {
        let (outbox, mut waiting) = Outbox::new(10);
        outbox.text("x".repeat(800));
        assert!(waiting.at_once().is_some());
    }
}
