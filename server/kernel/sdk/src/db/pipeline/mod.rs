//! A small multiplexing client for the hot path.
//!
//! Each request is one [`Batch`]: the context, the statements, one `Sync`. PostgreSQL runs such a batch as an implicit
//! transaction of its own, so requests share a connection without seeing each other's context ([`Pipeline`]), and an
//! error skips only to that request's `Sync`. A batch that begins and ends its transaction itself has its connection for
//! itself ([`Exclusive`]), because after an error only a `ROLLBACK` ends it. Authentication, framing and messages are
//! `postgres-protocol`'s. What is not here: rows as Rust types, `COPY`, `LISTEN`; those are `tokio-postgres`'s.

mod batch;
mod cancel;
mod connection;
mod exclusive;
mod handshake;
mod large;
mod places;
mod reader;
mod rest;
mod spool;
mod statements;

use std::sync::Arc;

use bytes::Bytes;
use places::{OnTheWay, Places};
use tokio::sync::oneshot;
use tokio_postgres::Config as PgConfig;

pub(super) use batch::{Batch, Feed, Step};
pub use batch::{Param, ServerError, Statement, TextRow};
pub(super) use exclusive::{Exclusive, ExclusiveOptions, Lease, NoLease};
pub(super) use handshake::request_tls;
pub use rest::Rest;
pub(super) use statements::Role;

use super::context::{OrgSelector, RequestContext};
use crate::error::{Error, Result};

/// The statement that opens every request.
pub(super) const BEGIN_REQUEST: &str = "select org_id, member_role, permissions from kernel.begin_request($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// Sets the time zone of a request.
pub(super) const TIME_ZONE: &str = "select set_config('timezone', $1, true)";

/// What came back, in the server's text form.
#[derive(Debug, Default)]
pub struct Reply {
    /// The row of `kernel.begin_request`.
    pub context: TextRow,
    /// The rows of the last statement that is complete.
    pub rows: Vec<TextRow>,
    /// What is still on its way: the last value of the one row, if it is large, or rows.
    pub rest: Option<Rest>,
}

impl From<Results> for Reply {
    fn from(results: Results) -> Self {
        let mut sets = results.sets.into_iter();
        Self {
            context: sets.next().and_then(|mut rows| rows.pop()).unwrap_or_default(),
            // Whatever stands between has nothing to tell.
            rows: sets.next_back().unwrap_or_default(),
            rest: results.rest,
        }
    }
}

/// A batch on its way to a connection.
struct Request {
    batch: Arc<Batch>,
    reply: oneshot::Sender<Answer>,
    /// Who has the connection for themselves; it is free once the answer is there, whether anybody waits for it or not.
    lease: Option<Lease>,
    /// Counts it among the requests of a shared connection.
    on_the_way: Option<OnTheWay>,
}

/// The rows of each statement of a batch.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) sets: Vec<Vec<TextRow>>,
    /// What of the last of them is still on its way.
    pub(super) rest: Option<Rest>,
}

type Answer = Result<Results, Failure>;

/// Why a request got no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused.
    Refused(ServerError),
    /// The batch cannot be sent, or left the connection in a state that it must not be in.
    Broken(Error),
    /// The connection broke before an answer came.
    Lost,
}

impl Failure {
    /// A prepared statement has to be prepared anew.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_stale())
    }
}

/// Connections that keep the processors busy: while one waits for its client, and one for the next message, a third works.
fn busy_at_once() -> usize {
    3 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// A set of shared connections, opened when first needed and again when they break.
pub(super) struct Pipeline {
    config: PgConfig,
    tls: Arc<rustls::ClientConfig>,
    reads: Places,
    /// Writes wait for the disk and for locks, and reads do not wait with them.
    writes: Places,
}

impl Pipeline {
    /// With so many connections for reads, and as many for writes; these share those of reads if they have none.
    pub(super) fn new(config: PgConfig, reads: usize, writes: usize) -> Result<Self> {
        Ok(Self {
            config,
            tls: super::connect::tls_config()?,
            reads: Places::new(reads.max(1), busy_at_once()),
            writes: Places::new(writes, writes),
        })
    }

    /// Runs statements in the context of a request. With `feeds`, the last value of the last one's row is handed out while it
    /// arrives, if it is large.
    pub(super) async fn run(
        &self,
        context: &RequestContext,
        statements: Vec<Statement>,
        feeds: bool,
    ) -> Result<Reply> {
        let steps = steps(context, statements);
        let batch = Arc::new(Batch {
            feed: if feeds {
                Feed::LargeValue(steps.len() - 1)
            } else {
                Feed::Nothing
            },
            steps,
            stays_open: false,
            prepared: true,
        });
        // A statement that went stale (its table changed) is tried once more where it was refused. A connection that
        // was found dead is given up for the next one; if it broke with a write on it, the write may have happened.
        let mut again = None;
        let mut stale_before = false;
        let mut lost = 0;
        let places = if context.read_only || self.writes.slots().is_empty() {
            &self.reads
        } else {
            &self.writes
        };
        while lost <= places.slots().len() {
            let (handle, on_the_way) = match again.take() {
                Some(handle) => (handle, None),
                None => self.place(places).await?,
            };
            let (reply, answer) = oneshot::channel();
            let request = Request {
                batch: batch.clone(),
                reply,
                lease: None,
                on_the_way,
            };
            if handle.send(request).is_err() {
                lost += 1;
                continue;
            }
            match answer.await {
                Ok(Ok(results)) => {
                    return Ok(Reply::from(results));
                }
                Ok(Err(failure)) if failure.is_stale() && !stale_before => {
                    stale_before = true;
                    again = Some(handle);
                }
                Ok(Err(Failure::Refused(error))) => return Err(error.into()),
                Ok(Err(Failure::Broken(error))) => return Err(error),
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

    /// A connection, and a place among the requests on it. A broken connection is replaced.
    async fn place(&self, places: &Places) -> Result<(connection::Handle, Option<OnTheWay>)> {
        let (slot, on_the_way) = places
            .take()
            .ok_or_else(|| Error::internal("a pipeline without connections"))?;
        let mut known = slot.handle.lock().await;
        let handle = match known.as_ref().filter(|handle| !handle.is_closed()) {
            Some(handle) => handle.clone(),
            None => known.insert(connect(&self.config, &self.tls).await?).clone(),
        };
        Ok((handle, Some(on_the_way)))
    }

    /// Requests on their way, of reads and of writes.
    pub(super) fn on_the_way(&self) -> (usize, usize) {
        (self.reads.on_the_way(), self.writes.on_the_way())
    }

    pub(super) fn close(&self) {
        for slot in self.reads.slots().iter().chain(self.writes.slots()) {
            if let Ok(mut handle) = slot.handle.try_lock() {
                handle.take();
            }
        }
    }
}

/// Opens a connection and starts its tasks.
async fn connect(config: &PgConfig, tls: &Arc<rustls::ClientConfig>) -> Result<connection::Handle> {
    let stream = super::connect::open_stream(config, tls).await?;
    let ready = handshake::start(stream, config).await?;
    let cancel = cancel::Cancel {
        config: config.clone(),
        tls: tls.clone(),
        key: ready.key,
    };
    Ok(connection::spawn(ready, cancel))
}

/// The context of a request, and its statements.
pub(super) fn steps(context: &RequestContext, statements: impl IntoIterator<Item = Statement>) -> Vec<Step> {
    let opener = Step::common(Statement {
        sql: BEGIN_REQUEST.into(),
        params: context_params(context),
    });
    let zone = context.time_zone.as_ref().map(|zone| {
        Step::common(Statement {
            sql: TIME_ZONE.into(),
            params: vec![Param::text(zone.as_str())],
        })
    });
    let statements = statements.into_iter().map(|statement| Step {
        role: Role::Fixed(context.role),
        statement,
    });
    let mut steps = vec![opener];
    steps.extend(zone);
    steps.extend(statements);
    steps
}

/// Where a request comes from, if it may write: what reads leaves no trace of it.
pub(super) fn origin(context: &RequestContext) -> Option<Arc<str>> {
    if context.read_only {
        return None;
    }
    crate::origin::current()
}

fn context_params(context: &RequestContext) -> Vec<Param> {
    let text = |value: &str| Some(Bytes::copy_from_slice(value.as_bytes()));
    let (org_id, slug) = match &context.org {
        OrgSelector::Default => (None, None),
        OrgSelector::Id(id) => (Some(Bytes::from(id.to_string())), None),
        OrgSelector::Slug(slug) => (None, text(slug)),
    };
    let values = [
        text(context.role),
        context.user.map(|user| Bytes::from(user.to_string())),
        text(&context.claims),
        org_id,
        slug,
        context.request.as_ref().and_then(|(method, _)| text(method)),
        context.request.as_ref().and_then(|(_, path)| text(path)),
        text(if context.read_only { "t" } else { "f" }),
        context.surroundings.search_path.as_deref().and_then(text),
        context.surroundings.headers.as_deref().and_then(text),
        context.key.map(|key| Bytes::from(key.to_string())),
        origin(context).as_deref().and_then(text),
    ];
    values.into_iter().map(|value| Param { oid: 0, value }).collect()
}
