//! A small multiplexing client for the hot path.
//!
//! Each request is one batch on a shared connection: the context, the statement, one `Sync`. PostgreSQL runs such a
//! batch as an implicit transaction of its own, so requests share a connection without seeing each other's context, and
//! an error skips only to that request's `Sync`. Authentication, framing and messages are `postgres-protocol`'s. What is
//! not here: rows as Rust types, `COPY`, `LISTEN`, explicit transactions; those are `tokio-postgres`'s.

mod connection;
mod handshake;
mod statements;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::{Mutex, oneshot};
use tokio_postgres::Config as PgConfig;

pub(super) use handshake::request_tls;

use super::context::{OrgSelector, RequestContext};
use crate::error::{Error, Result};

/// The statement that opens every request.
pub(super) const BEGIN_REQUEST: &str =
    "select org_id, member_role, permissions from kernel.begin_request($1, $2, $3, $4, $5, $6, $7, $8)";

/// A value sent to the server in text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The type's OID; 0 lets the server infer it from the statement.
    pub oid: u32,
    /// The value, `None` for NULL.
    pub value: Option<Bytes>,
}

impl Param {
    /// A value whose type the server infers.
    pub fn text(value: impl Into<String>) -> Self {
        Self {
            oid: 0,
            value: Some(Bytes::from(value.into())),
        }
    }
}

/// One statement with its values. The same text is prepared once a connection and role.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The text, with `$1` … for values.
    pub sql: Arc<str>,
    /// The values.
    pub params: Vec<Param>,
}

/// What came back, in the server's text form.
#[derive(Debug, Default)]
pub struct Reply {
    /// The row of `kernel.begin_request`.
    pub context: Vec<Option<Bytes>>,
    /// The rows of the statement.
    pub rows: Vec<Vec<Option<Bytes>>>,
}

/// A request on its way to a connection.
struct Request {
    role: &'static str,
    context: Vec<Option<Bytes>>,
    statement: Option<Statement>,
    reply: oneshot::Sender<Result<Reply, Failure>>,
}

/// Why a request got no reply.
enum Failure {
    /// The server refused; `stale` when a prepared statement has to be prepared anew.
    Database { error: Error, stale: bool },
    /// The connection broke before an answer came.
    Lost,
}

/// A set of shared connections, opened when first needed and again when they break.
pub(super) struct Pipeline {
    config: PgConfig,
    tls: Arc<rustls::ClientConfig>,
    slots: Vec<Mutex<Option<connection::Handle>>>,
    next: AtomicUsize,
}

impl Pipeline {
    pub(super) fn new(config: PgConfig, connections: usize) -> Result<Self> {
        Ok(Self {
            config,
            tls: super::connect::tls_config()?,
            slots: (0..connections).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
        })
    }

    pub(super) async fn run(&self, context: &RequestContext, statement: Option<Statement>) -> Result<Reply> {
        let params = context_params(context);
        // A statement that went stale (its table changed) is tried once more where it was refused. A connection that
        // was found dead is given up for the next one; if it broke with a write on it, the write may have happened.
        let mut again = None;
        let mut stale_before = false;
        let mut lost = 0;
        while lost <= self.slots.len() {
            let handle = match again.take() {
                Some(handle) => handle,
                None => self.connection().await?,
            };
            let (reply, answer) = oneshot::channel();
            let request = Request {
                role: context.role,
                context: params.clone(),
                statement: statement.clone(),
                reply,
            };
            if handle.send(request).is_err() {
                lost += 1;
                continue;
            }
            match answer.await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(Failure::Database { stale: true, .. })) if !stale_before => {
                    stale_before = true;
                    again = Some(handle);
                }
                Ok(Err(Failure::Database { error, .. })) => return Err(error),
                Ok(Err(Failure::Lost)) | Err(_) if context.read_only => lost += 1,
                Ok(Err(Failure::Lost)) | Err(_) => break,
            }
        }
        Err(Error::unavailable(
            "database.unavailable",
            "The database is not reachable at the moment.",
        )
        .hint("Try again in a few seconds."))
    }

    async fn connection(&self) -> Result<connection::Handle> {
        // Round robin spreads evenly, since requests are of a kind; a broken connection is replaced in its slot.
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()];
        let mut slot = slot.lock().await;
        if let Some(handle) = slot.as_ref().filter(|handle| !handle.is_closed()) {
            return Ok(handle.clone());
        }
        let stream = super::connect::open_stream(&self.config, &self.tls).await?;
        let stream = handshake::start(stream, &self.config).await?;
        let handle = connection::spawn(stream);
        *slot = Some(handle.clone());
        Ok(handle)
    }

    pub(super) fn close(&self) {
        for slot in &self.slots {
            if let Ok(mut slot) = slot.try_lock() {
                slot.take();
            }
        }
    }
}

fn context_params(context: &RequestContext) -> Vec<Option<Bytes>> {
    let text = |value: &str| Some(Bytes::copy_from_slice(value.as_bytes()));
    let (org_id, slug) = match &context.org {
        OrgSelector::Default => (None, None),
        OrgSelector::Id(id) => (Some(Bytes::from(id.to_string())), None),
        OrgSelector::Slug(slug) => (None, text(slug)),
    };
    vec![
        text(context.role),
        context.user.map(|user| Bytes::from(user.to_string())),
        text(&context.claims),
        org_id,
        slug,
        context.request.as_ref().and_then(|(method, _)| text(method)),
        context.request.as_ref().and_then(|(_, path)| text(path)),
        text(if context.read_only { "t" } else { "f" }),
    ]
}

/// The fields of an error or notice message, by their one-letter code.
fn error_fields(body: &postgres_protocol::message::backend::ErrorResponseBody) -> HashMap<u8, String> {
    use fallible_iterator::FallibleIterator;
    let mut fields = HashMap::new();
    let mut iterator = body.fields();
    while let Ok(Some(field)) = iterator.next() {
        fields.insert(
            field.type_(),
            String::from_utf8_lossy(field.value_bytes()).into_owned(),
        );
    }
    fields
}
