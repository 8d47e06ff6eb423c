//! The task that takes answers off one connection and hands them out in the order of their requests.

use std::sync::{Arc, PoisonError};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message, ReadyForQueryBody};
use tokio::{
    io::{AsyncReadExt, ReadHalf},
    sync::{mpsc, oneshot},
};

use super::{
    super::connect::Stream,
    Batch, Failure, Feed, Lease, Request, Results, ServerError, Step, TextRow,
    cancel::Cancel,
    connection::{Pending, Shared},
    large,
    rest::{Outlet, Piece, Rest},
};
use crate::error::Error;

/// Bytes read at a time, of answers that are kept until they are complete.
const READ: usize = 16 * 1024;

/// Bytes read at a time, of those that are handed out while they arrive.
const READ_ON: usize = 64 * 1024;

/// What the server sends, and what of it is not understood yet.
pub(super) struct Wire {
    stream: ReadHalf<Box<dyn Stream>>,
    buffer: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: ReadHalf<Box<dyn Stream>>, buffer: BytesMut) -> Self {
        Self { stream, buffer }
    }

    /// Reads more; nothing at the end.
    async fn read(&mut self, size: usize) -> Option<()> {
        // A little is enough to go on with: the rest of the buffer may still be in use.
        if self.buffer.capacity() - self.buffer.len() < size / 8 {
            self.buffer.reserve(size);
        }
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..)).then_some(())
    }
}

/// One answer while it arrives.
#[derive(Default)]
struct Arriving {
    results: Vec<Vec<TextRow>>,
    /// Statements that are complete, whether their results are still here or not.
    complete: usize,
    rows: Vec<TextRow>,
    parsed: usize,
    failure: Option<Failure>,
    /// Where goes what is not kept here.
    outlet: Option<Outlet>,
    /// Bytes of a large value that have not arrived yet.
    missing: usize,
}

pub(super) struct Reader {
    wire: Wire,
    expected: mpsc::UnboundedReceiver<Pending>,
    statements: Shared,
    requests: mpsc::WeakUnboundedSender<Request>,
    cancel: Cancel,
    current: Option<Pending>,
    arriving: Arriving,
    /// Nobody wants the rows that are still to come.
    abandoned: bool,
}

impl Reader {
    pub(super) fn new(
        wire: Wire,
        expected: mpsc::UnboundedReceiver<Pending>,
        statements: Shared,
        requests: mpsc::WeakUnboundedSender<Request>,
        cancel: Cancel,
    ) -> Self {
        Self {
            wire,
            expected,
            statements,
            requests,
            cancel,
            current: None,
            arriving: Arriving::default(),
            abandoned: false,
        }
    }

    /// Until the connection ends, or must.
    pub(super) async fn run(mut self) {
        while self.advance().await.is_some() {}
        if let Some(mut pending) = self.current {
            // Nobody may get the connection, which closes now.
            if let Some(lease) = pending.lease.take() {
                lease.discard();
            }
            pending.tell(Err(Failure::Lost));
        }
        if let Some(outlet) = self.arriving.outlet {
            outlet.end(Some(Failure::Lost)).await;
        }
        self.expected.close();
        while let Some(mut pending) = self.expected.recv().await {
            pending.tell(Err(Failure::Lost));
        }
        if self.abandoned {
            // Closing alone would not end a statement that has nothing to say for a while.
            self.cancel.send().await;
        }
    }

    /// One step; none if it was the last.
    async fn advance(&mut self) -> Option<()> {
        if self.arriving.missing > 0 {
            return self.pass_on().await;
        }
        if let Some(pending) = &mut self.current
            && pending.batch.feed == Feed::LargeValue(self.arriving.complete)
            && pending.reply.is_some()
            && self.arriving.rows.is_empty()
        {
            match large::begin(&mut self.wire.buffer) {
                large::Begin::Other => {}
                large::Begin::Unknown => return self.read().await,
                large::Begin::Large(row, length) => {
                    self.arriving.missing = length;
                    self.hand_out(Outlet::value(length), Some(row));
                    return Some(());
                }
            }
        }
        match Message::parse(&mut self.wire.buffer) {
            Ok(Some(message)) => self.take(message).await,
            Ok(None) => self.read().await,
            Err(error) => {
                tracing::warn!(%error, "database sent what is not its protocol");
                None
            }
        }
    }

    /// Reads more of the wire; none at its end, or if nobody waits for the rows that it would bring.
    async fn read(&mut self) -> Option<()> {
        let Self {
            wire,
            current,
            arriving,
            ..
        } = self;
        let pending = current
            .as_mut()
            .filter(|pending| matches!(pending.batch.feed, Feed::Rows(_)));
        let Some(pending) = pending else {
            return wire.read(READ).await;
        };
        let left = async {
            match (&mut pending.reply, &arriving.outlet) {
                (Some(reply), _) => reply.closed().await,
                (None, Some(Outlet::Rows(sender))) => sender.closed().await,
                (None, _) => std::future::pending().await,
            }
        };
        tokio::select! {
            read = wire.read(READ_ON) => return read,
            () = left => {}
        }
        self.abandoned = true;
        None
    }

    /// Passes on what has arrived of a large value.
    async fn pass_on(&mut self) -> Option<()> {
        let Self { wire, arriving, .. } = self;
        if wire.buffer.is_empty() {
            wire.read(READ_ON).await?;
        }
        let part = wire
            .buffer
            .split_to(wire.buffer.len().min(arriving.missing))
            .freeze();
        arriving.missing -= part.len();
        // What nobody wants is read all the same: others wait behind it, and it has an end.
        if let Some(outlet) = &mut arriving.outlet {
            outlet.put(Piece::Part(part)).await;
        }
        Some(())
    }

    /// Tells what there is, and hands out the rest from here on.
    fn hand_out(&mut self, (outlet, rest): (Outlet, Rest), row: Option<TextRow>) {
        self.arriving.outlet = Some(outlet);
        let mut sets = std::mem::take(&mut self.arriving.results);
        sets.extend(row.map(|row| vec![row]));
        if let Some(pending) = &mut self.current {
            pending.tell(Ok(Results {
                sets,
                rest: Some(rest),
            }));
        }
    }

    async fn take(&mut self, message: Message) -> Option<()> {
        if matches!(
            message,
            Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_)
        ) {
            return Some(());
        }
        if self.current.is_none() {
            // An error outside of any request is the server's farewell.
            if let (Message::ErrorResponse(_), true) = (&message, self.expected.is_empty()) {
                return None;
            }
            self.current = Some(self.expected.recv().await?);
        }
        match message {
            Message::ParseComplete => self.parsed(),
            Message::DataRow(row) => return self.row(&row).await,
            Message::CommandComplete(_) | Message::EmptyQueryResponse => {
                let rows = std::mem::take(&mut self.arriving.rows);
                self.arriving.results.push(rows);
                self.arriving.complete += 1;
            }
            Message::ErrorResponse(body) => self.refused(&body),
            Message::ReadyForQuery(body) => return self.complete(&body).await,
            _ => {}
        }
        Some(())
    }

    fn parsed(&mut self) {
        let parses = self.current.as_ref().map(|pending| &pending.parses);
        if let Some(Some(Some((key, name)))) = parses.map(|parses| parses.get(self.arriving.parsed).cloned())
        {
            self.statements
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .confirmed(key, name);
        }
        self.arriving.parsed += 1;
    }

    async fn row(&mut self, row: &DataRowBody) -> Option<()> {
        let row = match columns(row) {
            Ok(row) => row,
            Err(error) => {
                self.arriving.failure = Some(Failure::Broken(Error::internal(error)));
                return Some(());
            }
        };
        let feed = self.current.as_ref().map(|pending| pending.batch.feed);
        if feed != Some(Feed::Rows(self.arriving.complete)) {
            self.arriving.rows.push(row);
            return Some(());
        }
        if self.arriving.outlet.is_none() {
            self.hand_out(Outlet::rows(), None);
        }
        if let Some(outlet) = &mut self.arriving.outlet
            && !outlet.put(Piece::Row(row)).await
        {
            self.abandoned = true;
            return None;
        }
        Some(())
    }

    fn refused(&mut self, body: &ErrorResponseBody) {
        let error = ServerError::read(body);
        if let (Some(pending), true) = (&self.current, error.is_stale()) {
            let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
            for Step { role, statement } in &pending.batch.steps {
                statements.forget(&(role.clone(), statement.sql.clone()));
            }
        }
        self.arriving.failure = Some(Failure::Refused(error));
    }

    async fn complete(&mut self, body: &ReadyForQueryBody) -> Option<()> {
        let done = std::mem::take(&mut self.arriving);
        let mut pending = self.current.take()?;
        // Before anybody is told, who may ask again at once.
        pending.on_the_way.take();
        let mut answer = done.failure.map_or(
            Ok(Results {
                sets: done.results,
                rest: None,
            }),
            Err,
        );
        let open = body.status() != b'I' && !pending.batch.stays_open;
        let mut lost = false;
        match pending.lease.take() {
            // Its own transaction failed before its end: the end is sent before anybody else's request can be.
            Some(lease) if open => lost = !roll_back(lease, &self.requests),
            // What left a transaction open on a connection of many has changed nothing that lasts, and the
            // connection must not serve anybody else.
            None if open => lost = true,
            lease => drop(lease),
        }
        if open && answer.is_ok() {
            let cause = "a pipelined statement left a transaction open";
            answer = Err(Failure::Broken(Error::internal(cause)));
        }
        match done.outlet {
            Some(outlet) => outlet.end(answer.err()).await,
            None => pending.tell(answer),
        }
        (!lost).then_some(())
    }
}

fn columns(row: &DataRowBody) -> std::io::Result<TextRow> {
    let buffer = row.buffer_bytes();
    row.ranges()
        .map(|range| Ok(range.map(|range| buffer.slice(range))))
        .collect()
}

/// Ends a failed transaction before its connection is anybody else's; whether that could be sent.
fn roll_back(lease: Lease, requests: &mpsc::WeakUnboundedSender<Request>) -> bool {
    let Some(requests) = requests.upgrade() else {
        return false;
    };
    let (reply, _) = oneshot::channel();
    let request = Request {
        batch: Arc::new(Batch::end("rollback")),
        reply,
        lease: Some(lease),
        on_the_way: None,
    };
    requests.send(request).is_ok()
}
