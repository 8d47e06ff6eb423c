//! One shared connection: a task that writes batches and a task that hands out the answers in the same order.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    IsNull,
    message::{
        backend::{DataRowBody, Message},
        frontend,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{mpsc, oneshot},
};

use super::{
    super::connect::Stream,
    Answer, Batch, Failure, Lease, Request, ServerError, Statement, Step, TextRow,
    handshake::Ready,
    statements::{Key, Statements, Use},
};
use crate::error::Error;

/// Requests that may wait for one connection's writer; more wait at the sender's side.
const QUEUE: usize = 4096;

/// Longer statements are made of what one request happens to ask for, and would only fill memory on both sides.
const LONGEST_KEPT: usize = 16 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Handle {
    requests: mpsc::UnboundedSender<Request>,
}

impl Handle {
    pub(super) fn send(&self, request: Request) -> Result<(), ()> {
        self.requests.send(request).map_err(drop)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }
}

/// What the reader has to know of a batch on the wire.
struct Pending {
    batch: Arc<Batch>,
    /// Which names its `Parse` messages gave; none for a statement that is not kept.
    parses: Vec<Option<(Key, u64)>>,
    reply: oneshot::Sender<Answer>,
    lease: Option<Lease>,
}

type Shared = Arc<Mutex<Statements>>;

pub(super) fn spawn(ready: Ready) -> Handle {
    let (reading, writing) = tokio::io::split(ready.stream);
    let (requests, incoming) = mpsc::unbounded_channel();
    let (pending, expected) = mpsc::unbounded_channel();
    let statements = Shared::default();
    let reader = tokio::spawn(read(
        reading,
        ready.read,
        expected,
        statements.clone(),
        requests.downgrade(),
    ));
    tokio::spawn(write(
        writing,
        incoming,
        pending,
        statements,
        reader.abort_handle(),
    ));
    Handle { requests }
}

async fn write(
    mut stream: WriteHalf<Box<dyn Stream>>,
    mut incoming: mpsc::UnboundedReceiver<Request>,
    pending: mpsc::UnboundedSender<Pending>,
    statements: Shared,
    reader: tokio::task::AbortHandle,
) {
    let mut batch = Vec::new();
    let mut out = BytesMut::new();
    loop {
        tokio::select! {
            // The server ended the connection: nobody may be put on it any more.
            () = pending.closed() => break,
            received = incoming.recv_many(&mut batch, QUEUE) => if received == 0 { break },
        }
        for request in batch.drain(..) {
            // Nobody waits for it; but what ends a transaction has to be said all the same.
            if request.reply.is_closed() && request.lease.is_none() {
                continue;
            }
            let start = out.len();
            let Request { batch, reply, lease } = request;
            match encode(&batch, &statements, &mut out) {
                // The reader is gone when the connection broke: dropping the sender tells the caller.
                Ok(parses) => {
                    let sent = pending.send(Pending {
                        batch,
                        parses,
                        reply,
                        lease,
                    });
                    if sent.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    out.truncate(start);
                    let _ = reply.send(Err(Failure::Broken(Error::internal(error))));
                }
            }
        }
        if stream.write_all(&out).await.is_err() || reader.is_finished() {
            break;
        }
        out.clear();
    }
    // All handles are gone (or the socket broke): say good-bye and let the reader finish what is on the wire.
    out.clear();
    frontend::terminate(&mut out);
    let _ = stream.write_all(&out).await;
    let _ = stream.shutdown().await;
}

type Parses = Vec<Option<(Key, u64)>>;

fn encode(batch: &Batch, statements: &Shared, out: &mut BytesMut) -> std::io::Result<Parses> {
    let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parses = Vec::new();
    for name in statements.take_closing() {
        frontend::close(b'S', &format!("s{name}"), out)?;
    }
    for Step { role, statement } in &batch.steps {
        let oids = || statement.params.iter().map(|param| param.oid);
        if !batch.prepared || statement.sql.len() > LONGEST_KEPT {
            frontend::parse("", &statement.sql, oids(), out)?;
            parses.push(None);
            bind_and_execute("", statement, out)?;
            continue;
        }
        let key: Key = (role.clone(), statement.sql.clone());
        let name = match statements.use_of(&key) {
            Use::Prepared(number) => format!("s{number}"),
            Use::Parse(number) => {
                let name = format!("s{number}");
                frontend::parse(&name, &statement.sql, oids(), out)?;
                parses.push(Some((key, number)));
                name
            }
        };
        bind_and_execute(&name, statement, out)?;
    }
    frontend::sync(out);
    Ok(parses)
}

fn bind_and_execute(name: &str, statement: &Statement, out: &mut BytesMut) -> std::io::Result<()> {
    let bound = frontend::bind(
        "",
        name,
        [0_i16],
        &statement.params,
        |param, buffer| {
            Ok(match &param.value {
                Some(bytes) => {
                    buffer.extend_from_slice(bytes);
                    IsNull::No
                }
                None => IsNull::Yes,
            })
        },
        [0_i16],
        out,
    );
    match bound {
        Ok(()) => frontend::execute("", 0, out),
        Err(frontend::BindError::Conversion(error)) => Err(std::io::Error::other(error)),
        Err(frontend::BindError::Serialization(error)) => Err(error),
    }
}

/// One answer while it arrives.
#[derive(Default)]
struct Arriving {
    results: Vec<Vec<TextRow>>,
    rows: Vec<TextRow>,
    parsed: usize,
    failure: Option<Failure>,
}

async fn read(
    mut stream: ReadHalf<Box<dyn Stream>>,
    mut buffer: BytesMut,
    mut expected: mpsc::UnboundedReceiver<Pending>,
    statements: Shared,
    requests: mpsc::WeakUnboundedSender<Request>,
) {
    let mut current: Option<Pending> = None;
    let mut arriving = Arriving::default();
    loop {
        let message = match Message::parse(&mut buffer) {
            Ok(Some(message)) => message,
            Ok(None) => match stream.read_buf(&mut buffer).await {
                Ok(1..) => continue,
                Ok(0) | Err(_) => break,
            },
            Err(error) => {
                tracing::warn!(%error, "database sent what is not its protocol");
                break;
            }
        };
        if matches!(
            message,
            Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_)
        ) {
            continue;
        }
        if current.is_none() {
            // An error outside of any request is the server's farewell.
            if let (Message::ErrorResponse(_), true) = (&message, expected.is_empty()) {
                break;
            }
            current = expected.recv().await;
        }
        let Some(pending) = &mut current else { break };
        match message {
            Message::ParseComplete => {
                if let Some(Some((key, name))) = pending.parses.get(arriving.parsed).cloned() {
                    statements
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .confirmed(key, name);
                }
                arriving.parsed += 1;
            }
            Message::DataRow(row) => match columns(&row) {
                Ok(columns) => arriving.rows.push(columns),
                Err(error) => arriving.failure = Some(Failure::Broken(Error::internal(error))),
            },
            Message::CommandComplete(_) | Message::EmptyQueryResponse => {
                arriving.results.push(std::mem::take(&mut arriving.rows));
            }
            Message::ErrorResponse(body) => {
                let error = ServerError::read(&body);
                if error.is_stale() {
                    let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
                    for Step { role, statement } in &pending.batch.steps {
                        statements.forget(&(role.clone(), statement.sql.clone()));
                    }
                }
                arriving.failure = Some(Failure::Refused(error));
            }
            Message::ReadyForQuery(body) => {
                let done = std::mem::take(&mut arriving);
                let Some(pending) = current.take() else { break };
                let mut answer = done.failure.map_or(Ok(done.results), Err);
                let open = body.status() != b'I' && !pending.batch.stays_open;
                let mut lost = false;
                match pending.lease {
                    // Its own transaction failed before its end: the end is sent before anybody else's request can be.
                    Some(lease) if open => lost = !roll_back(lease, &requests),
                    // What left a transaction open on a connection of many has changed nothing that lasts, and the
                    // connection must not serve anybody else.
                    None if open => lost = true,
                    lease => drop(lease),
                }
                if open && answer.is_ok() {
                    let cause = "a pipelined statement left a transaction open";
                    answer = Err(Failure::Broken(Error::internal(cause)));
                }
                let _ = pending.reply.send(answer);
                if lost {
                    break;
                }
            }
            _ => {}
        }
    }
    if let Some(pending) = current {
        let _ = pending.reply.send(Err(Failure::Lost));
    }
    expected.close();
    while let Some(pending) = expected.recv().await {
        let _ = pending.reply.send(Err(Failure::Lost));
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
    };
    requests.send(request).is_ok()
}
