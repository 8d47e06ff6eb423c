//! One shared connection: a task that writes batches and a task that hands out the answers in the same order.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
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
    BEGIN_REQUEST, Failure, Param, Reply, Request, error_fields,
    handshake::Ready,
    statements::{Key, Statements, Use},
};
use crate::error::{Error, Result};

/// Requests that may wait for one connection's writer; more wait at the sender's side.
const QUEUE: usize = 4096;

#[derive(Clone)]
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
    parses: Vec<(Key, u64)>,
    statement: Option<Key>,
    reply: oneshot::Sender<Result<Reply, Failure>>,
}

type Shared = Arc<Mutex<Statements>>;

pub(super) fn spawn(ready: Ready) -> Handle {
    let (reading, writing) = tokio::io::split(ready.stream);
    let (requests, incoming) = mpsc::unbounded_channel();
    let (pending, expected) = mpsc::unbounded_channel();
    let statements = Shared::default();
    let reader = tokio::spawn(read(reading, ready.read, expected, statements.clone()));
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
            if request.reply.is_closed() {
                continue;
            }
            let start = out.len();
            match encode(&request, &statements, &mut out) {
                Ok((parses, statement)) => {
                    // The reader is gone when the connection broke: dropping the sender tells the caller.
                    if pending
                        .send(Pending {
                            parses,
                            statement,
                            reply: request.reply,
                        })
                        .is_err()
                    {
                        return;
                    }
                }
                Err(error) => {
                    out.truncate(start);
                    let failure = Failure::Database {
                        error: Error::internal(error),
                        stale: false,
                    };
                    let _ = request.reply.send(Err(failure));
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

type Encoded = (Vec<(Key, u64)>, Option<Key>);

fn encode(request: &Request, statements: &Shared, out: &mut BytesMut) -> std::io::Result<Encoded> {
    let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parses = Vec::new();
    for name in statements.take_closing() {
        frontend::close(b'S', &format!("s{name}"), out)?;
    }
    let begin: Key = ("", BEGIN_REQUEST.into());
    bind_and_execute(begin, &request.context, &[], &mut statements, &mut parses, out)?;
    let mut key = None;
    if let Some(statement) = &request.statement {
        let statement_key: Key = (request.role, statement.sql.clone());
        let values: Vec<_> = statement.params.iter().map(|param| param.value.clone()).collect();
        let oids: Vec<u32> = statement.params.iter().map(|Param { oid, .. }| *oid).collect();
        bind_and_execute(
            statement_key.clone(),
            &values,
            &oids,
            &mut statements,
            &mut parses,
            out,
        )?;
        key = Some(statement_key);
    }
    frontend::sync(out);
    Ok((parses, key))
}

fn bind_and_execute(
    key: Key,
    values: &[Option<Bytes>],
    oids: &[u32],
    statements: &mut Statements,
    parses: &mut Vec<(Key, u64)>,
    out: &mut BytesMut,
) -> std::io::Result<()> {
    let name = match statements.use_of(&key) {
        Use::Prepared(name) => format!("s{name}"),
        Use::Parse(number) => {
            let name = format!("s{number}");
            frontend::parse(&name, &key.1, oids.iter().copied(), out)?;
            parses.push((key, number));
            name
        }
    };
    let bound = frontend::bind(
        "",
        &name,
        [0_i16],
        values,
        |value, buffer| {
            Ok(match value {
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
    reply: Reply,
    executed: usize,
    parsed: usize,
    failure: Option<Failure>,
}

async fn read(
    mut stream: ReadHalf<Box<dyn Stream>>,
    mut buffer: BytesMut,
    mut expected: mpsc::UnboundedReceiver<Pending>,
    statements: Shared,
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
                if let Some((key, name)) = pending.parses.get(arriving.parsed).cloned() {
                    statements
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .confirmed(key, name);
                }
                arriving.parsed += 1;
            }
            Message::DataRow(row) => match columns(&row) {
                Ok(columns) if arriving.executed == 0 => arriving.reply.context = columns,
                Ok(columns) => arriving.reply.rows.push(columns),
                Err(error) => {
                    arriving.failure = Some(Failure::Database {
                        error: Error::internal(error),
                        stale: false,
                    });
                }
            },
            Message::CommandComplete(_) | Message::EmptyQueryResponse => arriving.executed += 1,
            Message::ErrorResponse(body) => {
                let failure = failure(&body);
                if let Failure::Database { stale: true, .. } = failure {
                    let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
                    statements.forget(&("", BEGIN_REQUEST.into()));
                    if let Some(key) = &pending.statement {
                        statements.forget(key);
                    }
                }
                arriving.failure = Some(failure);
            }
            Message::ReadyForQuery(body) => {
                let done = std::mem::take(&mut arriving);
                // A statement that leaves a transaction open has changed nothing that lasts, and its connection must
                // not serve anybody else.
                let open = body.status() != b'I';
                let answer = match done.failure {
                    Some(failure) => Err(failure),
                    None if open => Err(Failure::Database {
                        error: Error::internal("a pipelined statement left a transaction open"),
                        stale: false,
                    }),
                    None => Ok(done.reply),
                };
                if let Some(pending) = current.take() {
                    let _ = pending.reply.send(answer);
                }
                if open {
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

fn columns(row: &DataRowBody) -> std::io::Result<Vec<Option<Bytes>>> {
    let buffer = row.buffer_bytes();
    row.ranges()
        .map(|range| Ok(range.map(|range| buffer.slice(range))))
        .collect()
}

fn failure(body: &postgres_protocol::message::backend::ErrorResponseBody) -> Failure {
    let mut fields = error_fields(body);
    let state = fields.remove(&b'C').unwrap_or_default();
    let message = fields.remove(&b'M').unwrap_or_default();
    // 26000: no such prepared statement; 0A000 with this text: its result changed under DDL.
    let outdated = state == "26000" || (state == "0A000" && message.contains("cached plan"));
    let error = Error::from_sqlstate(
        &state,
        message,
        fields.remove(&b'D'),
        fields.remove(&b'H'),
        fields.get(&b'n').map(String::as_str),
    );
    Failure::Database {
        error,
        stale: outdated,
    }
}
