//! One shared connection: a task that writes batches and a task that hands out the answers in the same order.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use postgres_protocol::{IsNull, message::frontend};
use tokio::{
    io::{AsyncWriteExt, WriteHalf},
    sync::{mpsc, oneshot},
};

use super::{
    super::connect::Stream,
    Answer, Batch, Failure, Lease, OnTheWay, Request, Statement, Step,
    cancel::Cancel,
    handshake::Ready,
    reader::{Reader, Wire},
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
pub(super) struct Pending {
    pub(super) batch: Arc<Batch>,
    /// Which names its `Parse` messages gave; none for a statement that is not kept.
    pub(super) parses: Vec<Option<(Key, u64)>>,
    /// None once it has been told, while the rest still arrives.
    pub(super) reply: Option<oneshot::Sender<Answer>>,
    pub(super) lease: Option<Lease>,
    pub(super) on_the_way: Option<OnTheWay>,
}

impl Pending {
    /// Tells whoever waits, once.
    pub(super) fn tell(&mut self, answer: Answer) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(answer);
        }
    }
}

pub(super) type Shared = Arc<Mutex<Statements>>;

/// Starts the tasks of a connection; `cancel` ends its statement from outside.
pub(super) fn spawn(ready: Ready, cancel: Cancel) -> Handle {
    let (reading, writing) = tokio::io::split(ready.stream);
    let (requests, incoming) = mpsc::unbounded_channel();
    let (pending, expected) = mpsc::unbounded_channel();
    let statements = Shared::default();
    let reader = Reader::new(
        Wire::new(reading, ready.read),
        expected,
        statements.clone(),
        requests.downgrade(),
        cancel,
    );
    let reader = tokio::spawn(reader.run());
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
        // Whoever else is ready to run comes first: requests that arrive together leave in one message.
        tokio::task::yield_now().await;
        while let Ok(request) = incoming.try_recv() {
            batch.push(request);
        }
        for request in batch.drain(..) {
            // Nobody waits for it; but what ends a transaction has to be said all the same.
            if request.reply.is_closed() && request.lease.is_none() {
                continue;
            }
            let start = out.len();
            let Request {
                batch,
                reply,
                lease,
                on_the_way,
            } = request;
            match encode(&batch, &statements, &mut out) {
                // The reader is gone when the connection broke: dropping the sender tells the caller.
                Ok(parses) => {
                    let sent = pending.send(Pending {
                        batch,
                        parses,
                        reply: Some(reply),
                        lease,
                        on_the_way,
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
