//! What of an answer is still on its way when its beginning is handed out.
//!
//! Rows wait on the wire until they are taken: PostgreSQL stops where their reader does. A large value must not do that,
//! because others may wait for the same connection: after a moment its rest goes to a file ([`super::spool`]).

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::{sync::mpsc, time::timeout};

use super::{super::plain::PlainError, Failure, TextRow, spool};
use crate::error::Error;

/// Rows that wait for whoever takes them.
const ROWS: usize = 16;

/// Parts of a value that wait, each as large as one read of the wire.
pub(super) const PARTS: usize = 4;

/// How long all parts of a value together may hold up the wire.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whoever takes nothing for so long is gone.
pub(super) const STALL: Duration = Duration::from_mins(1);

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Piece {
    /// A row.
    Row(TextRow),
    /// A part of the large value.
    Part(Bytes),
}

pub(super) enum Sent {
    Piece(Piece),
    Failure(Failure),
    End,
}

/// The rest of an answer. Dropped before its end, nobody reads it.
pub struct Rest {
    length: Option<usize>,
    pieces: mpsc::Receiver<Sent>,
    /// What was looked at without being taken.
    ahead: Option<Sent>,
}

impl Rest {
    /// How long the value is whose rest this is; none if these are rows.
    pub fn length(&self) -> Option<usize> {
        self.length
    }

    /// The next row; none at the end, and an error if the end will not come.
    pub async fn row(&mut self) -> Result<Option<TextRow>, PlainError> {
        match self.next().await? {
            Some(Piece::Row(row)) => Ok(Some(row)),
            Some(Piece::Part(_)) => Err(misplaced("a part of a value among rows")),
            None => Ok(None),
        }
    }

    /// A row that has arrived already.
    pub fn row_at_hand(&mut self) -> Option<TextRow> {
        if self.ahead.is_none() {
            self.ahead = self.pieces.try_recv().ok();
        }
        match self.ahead.take() {
            Some(Sent::Piece(Piece::Row(row))) => Some(row),
            other => {
                self.ahead = other;
                None
            }
        }
    }

    /// The next part of the value; none at the end, and an error if the end will not come.
    pub async fn part(&mut self) -> Result<Option<Bytes>, PlainError> {
        match self.next().await? {
            Some(Piece::Part(part)) => Ok(Some(part)),
            Some(Piece::Row(_)) => Err(misplaced("a row among the parts of a value")),
            None => Ok(None),
        }
    }

    async fn next(&mut self) -> Result<Option<Piece>, PlainError> {
        let sent = match self.ahead.take() {
            Some(sent) => Some(sent),
            None => self.pieces.recv().await,
        };
        match sent {
            Some(Sent::Piece(piece)) => Ok(Some(piece)),
            Some(Sent::End) => Ok(None),
            Some(Sent::Failure(failure)) => Err(failure.into()),
            None => Err(PlainError::Lost),
        }
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Where the pieces are put.
pub(super) enum Outlet {
    /// Rows: the wire waits.
    Rows(mpsc::Sender<Sent>),
    /// Parts of a value: the wire waits for as long as is left.
    Value(mpsc::Sender<Sent>, Duration),
    /// Parts of a value whose reader is slow.
    Spool(mpsc::Sender<Sent>),
}

impl Outlet {
    /// For rows.
    pub(super) fn rows() -> (Self, Rest) {
        let (sender, rest) = rest(ROWS, None);
        (Self::Rows(sender), rest)
    }

    /// For a value of this length.
    pub(super) fn value(length: usize) -> (Self, Rest) {
        let (sender, rest) = rest(PARTS, Some(length));
        (Self::Value(sender, PATIENCE), rest)
    }

    /// Puts a piece; whether anybody is there to take it.
    pub(super) async fn put(&mut self, piece: Piece) -> bool {
        self.send(Sent::Piece(piece)).await
    }

    /// Says how it ended.
    pub(super) async fn end(mut self, failure: Option<Failure>) {
        self.send(failure.map_or(Sent::End, Sent::Failure)).await;
    }

    async fn send(&mut self, sent: Sent) -> bool {
        let (sender, patience) = match self {
            Self::Rows(sender) => return matches!(timeout(STALL, sender.send(sent)).await, Ok(Ok(()))),
            Self::Spool(sender) => return sender.send(sent).await.is_ok(),
            Self::Value(sender, patience) => (sender, patience),
        };
        let sent = match sender.try_send(sent) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(sent)) => sent,
        };
        let since = Instant::now();
        if let Ok(place) = timeout(*patience, sender.reserve()).await {
            *patience = patience.saturating_sub(since.elapsed());
            return place.map(|place| place.send(sent)).is_ok();
        }
        let spool = spool::begin(sender.clone());
        let known = spool.send(sent).await.is_ok();
        *self = Self::Spool(spool);
        known
    }
}

fn misplaced(what: &'static str) -> PlainError {
    PlainError::Unreachable(Error::internal(what))
}

fn rest(waiting: usize, length: Option<usize>) -> (mpsc::Sender<Sent>, Rest) {
    let (sender, pieces) = mpsc::channel(waiting);
    let rest = Rest {
        length,
        pieces,
        ahead: None,
    };
    (sender, rest)
}
