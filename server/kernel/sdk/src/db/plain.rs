//! A database that is not Tenon's: no kernel schema, no organisations, roles that somebody else made.
//!
//! Each request has a connection for itself, and all its statements travel in one round trip: the opener, which sets
//! role and settings for the transaction, then what the caller wants. Results come in text form and errors as the
//! server reported them.

use std::{sync::Arc, time::Duration};

use tokio_postgres::Config as PgConfig;

use super::{
    connect,
    pipeline::{
        Batch, Exclusive, ExclusiveOptions, Failure, Feed, Lease, NoLease, Rest, Results, Role, ServerError,
        Statement, Step, TextRow,
    },
};
use crate::error::{Error, Result};

/// How often a read is tried on another connection when its own breaks.
const TRIES: usize = 3;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct PlainOptions {
    /// Address and login.
    pub config: PgConfig,
    /// Most connections.
    pub pool_size: usize,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// After so long without use a connection is closed.
    pub idle: Duration,
    /// After so long a connection is closed.
    pub life: Duration,
    /// Statements are kept prepared.
    pub prepared: bool,
}

/// How isolated a transaction is from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    #[default]
    ReadCommitted,
    /// All statements see the same.
    RepeatableRead,
    /// As if all transactions ran one after the other.
    Serializable,
}

/// How the transaction of a request is made.
#[derive(Clone, Debug)]
pub struct PlainContext {
    /// The role that the statements run as; the opener takes it.
    pub role: Arc<str>,
    /// Sets role and settings.
    pub opener: Statement,
    /// Isolation.
    pub isolation: Isolation,
    /// Writes are refused.
    pub read_only: bool,
    /// Nothing is kept.
    pub roll_back: bool,
}

/// What of a result is handed out while it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The last value of its one row, if it is large. The row has arrived but for that.
    LargeValue,
    /// Its rows.
    Rows,
}

/// Why there is no result.
#[derive(Debug)]
pub enum PlainError {
    /// The server refused a statement.
    Refused(ServerError),
    /// No connection can be opened, or it broke.
    Unreachable(Error),
    /// The connection broke while a statement that may have written was on it.
    Lost,
    /// No connection became free in time.
    Busy,
}

/// How the connections are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlainFigures {
    /// As many as there may be.
    pub most: usize,
    /// Open ones that nobody uses.
    pub idle: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

/// A database that is not Tenon's.
#[derive(Clone)]
pub struct PlainDb(Arc<Inner>);

struct Inner {
    config: PgConfig,
    connections: Exclusive,
    options: PlainOptions,
}

impl PlainDb {
    /// Prepares the connections; opens them when they are needed.
    pub fn new(options: PlainOptions) -> Result<Self> {
        let config = options.config.clone();
        let connections = Exclusive::new(
            config.clone(),
            ExclusiveOptions {
                size: options.pool_size,
                wait: options.wait,
                idle: options.idle,
                life: options.life,
            },
        )?;
        Ok(Self(Arc::new(Inner {
            config,
            connections,
            options,
        })))
    }

    /// Runs statements in a transaction of their own, in one round trip; gives the rows of each.
    pub async fn run(
        &self,
        context: &PlainContext,
        statements: Vec<Statement>,
    ) -> Result<Vec<Vec<TextRow>>, PlainError> {
        let count = statements.len();
        let (results, before) = self.run_as(context, statements, None).await?;
        Ok(wanted(results.sets, before, count))
    }

    /// As [`PlainDb::run`], but hands out what is wanted of the last statement while it arrives. What is handed out
    /// must not depend on how the transaction ends.
    pub async fn run_feeding(
        &self,
        context: &PlainContext,
        statements: Vec<Statement>,
        of_last: Wanted,
    ) -> Result<(Vec<Vec<TextRow>>, Option<Rest>), PlainError> {
        let count = statements.len();
        let (results, before) = self.run_as(context, statements, Some(of_last)).await?;
        Ok((wanted(results.sets, before, count), results.rest))
    }

    /// The results, and how many of them come before those of the statements.
    async fn run_as(
        &self,
        context: &PlainContext,
        statements: Vec<Statement>,
        of_last: Option<Wanted>,
    ) -> Result<(Results, usize), PlainError> {
        let explicit = context.roll_back || context.isolation != Isolation::ReadCommitted;
        let mut steps = Vec::with_capacity(statements.len() + 4);
        if explicit {
            steps.push(Step::common(begin(context)));
        }
        steps.extend(body(context, statements));
        let last = steps.len() - 1;
        if explicit {
            steps.extend(end(context.roll_back));
        }
        let feed = match of_last {
            None => Feed::Nothing,
            Some(Wanted::LargeValue) => Feed::LargeValue(last),
            Some(Wanted::Rows) => Feed::Rows(last),
        };
        let batch = Batch {
            steps,
            stays_open: false,
            prepared: self.0.options.prepared,
            feed,
        };
        let repeatable = context.read_only || context.roll_back;
        let results = send(&self.0.connections, batch, repeatable).await?;
        Ok((results, 1 + usize::from(explicit)))
    }

    /// Runs statements and keeps their transaction open, so that their result decides how it ends.
    pub async fn begin(
        &self,
        context: &PlainContext,
        statements: Vec<Statement>,
    ) -> Result<(PlainTx, Vec<Vec<TextRow>>), PlainError> {
        let count = statements.len();
        let mut steps = vec![Step::common(begin(context))];
        steps.extend(body(context, statements));
        let mut batch = Arc::new(Batch {
            steps,
            stays_open: true,
            prepared: self.0.options.prepared,
            feed: Feed::Nothing,
        });
        loop {
            let tx = PlainTx {
                lease: Some(self.0.connections.lease().await?),
                roll_back: context.roll_back,
            };
            let answer = match &tx.lease {
                Some(lease) => lease.next(batch.clone()).await,
                None => Err(Failure::Lost),
            };
            match answer {
                Ok(results) => return Ok((tx, wanted(results.sets, 2, count))),
                Err(failure) if failure.is_stale() && batch.prepared => batch = unprepared(&batch),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Runs one statement as the login, in a transaction of its own.
    pub async fn query(&self, statement: Statement) -> Result<Vec<TextRow>, PlainError> {
        self.query_all(vec![statement])
            .await?
            .pop()
            .ok_or(PlainError::Lost)
    }

    /// Runs statements as the login, in one transaction and one round trip. They must not write.
    pub async fn query_all(&self, statements: Vec<Statement>) -> Result<Vec<Vec<TextRow>>, PlainError> {
        let batch = Batch {
            steps: statements.into_iter().map(Step::common).collect(),
            stays_open: false,
            prepared: self.0.options.prepared,
            feed: Feed::Nothing,
        };
        Ok(send(&self.0.connections, batch, true).await?.sets)
    }

    /// A connection of its own outside the pool, for `LISTEN`.
    pub async fn listen_connection(
        &self,
    ) -> Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<connect::RawStream, connect::RawTlsStream>,
    )> {
        connect::connect_raw(&self.0.config).await
    }

    /// How the connections are used at the moment.
    pub fn figures(&self) -> PlainFigures {
        let (idle, waiting) = self.0.connections.figures();
        PlainFigures {
            most: self.0.options.pool_size,
            idle,
            waiting,
        }
    }

    /// Closes the connections that nobody uses.
    pub fn close(&self) {
        self.0.connections.clear();
    }
}

/// A transaction that waits for its end. Dropped, it is rolled back.
#[derive(Debug)]
pub struct PlainTx {
    lease: Option<Lease>,
    roll_back: bool,
}

impl PlainTx {
    /// Runs more statements in the transaction, in one round trip, as the same role.
    pub async fn run(
        &self,
        role: &Arc<str>,
        statements: Vec<Statement>,
    ) -> Result<Vec<Vec<TextRow>>, PlainError> {
        let steps = statements.into_iter().map(|statement| Step {
            role: Role::Named(role.clone()),
            statement,
        });
        let batch = Arc::new(Batch {
            steps: steps.collect(),
            stays_open: true,
            // A statement that went stale could not be sent again: its error has ended the transaction.
            prepared: false,
            feed: Feed::Nothing,
        });
        let lease = self.lease.as_ref().ok_or(PlainError::Lost)?;
        Ok(lease.next(batch).await?.sets)
    }

    /// Ends it as its context says: keeps what was done, or nothing.
    pub async fn finish(mut self) -> Result<(), PlainError> {
        let lease = self.lease.take().ok_or(PlainError::Lost)?;
        let batch = Batch {
            steps: end(self.roll_back),
            stays_open: false,
            prepared: false,
            feed: Feed::Nothing,
        };
        lease.last(Arc::new(batch)).await?;
        Ok(())
    }
}

impl Drop for PlainTx {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.roll_back();
        }
    }
}

/// Sends a batch on a connection of its own. One that is `repeatable` is sent again when its connection breaks.
pub(super) async fn send(
    connections: &Exclusive,
    batch: Batch,
    repeatable: bool,
) -> Result<Results, PlainError> {
    let mut batch = Arc::new(batch);
    let mut lost = 0;
    loop {
        let lease = connections.lease().await?;
        match lease.last(batch.clone()).await {
            Ok(results) => return Ok(results),
            // Whatever went stale was undone with its transaction.
            Err(failure) if failure.is_stale() && batch.prepared => batch = unprepared(&batch),
            Err(Failure::Lost) if repeatable && lost + 1 < TRIES => lost += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
}

fn begin(context: &PlainContext) -> Statement {
    Statement::new(match (context.isolation, context.read_only) {
        (Isolation::ReadCommitted, false) => "begin isolation level read committed read write",
        (Isolation::ReadCommitted, true) => "begin isolation level read committed read only",
        (Isolation::RepeatableRead, false) => "begin isolation level repeatable read read write",
        (Isolation::RepeatableRead, true) => "begin isolation level repeatable read read only",
        (Isolation::Serializable, false) => "begin isolation level serializable read write",
        (Isolation::Serializable, true) => "begin isolation level serializable read only",
    })
}

/// A rehearsal finds what a commit would have found, so constraints that wait for the end are checked.
fn end(roll_back: bool) -> Vec<Step> {
    let statements: &[&str] = if roll_back {
        &["set constraints all immediate", "rollback"]
    } else {
        &["commit"]
    };
    statements
        .iter()
        .map(|sql| Step::common(Statement::new(*sql)))
        .collect()
}

fn body(context: &PlainContext, statements: Vec<Statement>) -> impl Iterator<Item = Step> {
    let opener = Step::common(context.opener.clone());
    let role = context.role.clone();
    std::iter::once(opener).chain(statements.into_iter().map(move |statement| Step {
        role: Role::Named(role.clone()),
        statement,
    }))
}

/// The results without those before and after.
fn wanted(results: Vec<Vec<TextRow>>, before: usize, count: usize) -> Vec<Vec<TextRow>> {
    results.into_iter().skip(before).take(count).collect()
}

fn unprepared(batch: &Batch) -> Arc<Batch> {
    Arc::new(Batch {
        steps: batch.steps.clone(),
        stays_open: batch.stays_open,
        prepared: false,
        feed: batch.feed,
    })
}

impl From<NoLease> for PlainError {
    fn from(reason: NoLease) -> Self {
        match reason {
            NoLease::TimedOut => Self::Busy,
            NoLease::Unreachable(error) => Self::Unreachable(error),
        }
    }
}

impl From<Failure> for PlainError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => Self::Refused(error),
            Failure::Broken(error) => Self::Unreachable(error),
            Failure::Lost => Self::Lost,
        }
    }
}

impl From<PlainError> for Error {
    fn from(error: PlainError) -> Self {
        match error {
            PlainError::Refused(error) => error.into(),
            PlainError::Unreachable(error) => error,
            PlainError::Lost => Self::unavailable(
                "database.unavailable",
                "The database is not reachable at the moment.",
            )
            .hint("Try again in a few seconds."),
            PlainError::Busy => Self::unavailable("database.busy", "All database connections are in use.")
                .hint("Try again in a few seconds."),
        }
    }
}

impl std::fmt::Display for PlainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Unreachable(error) => error.fmt(f),
            Self::Lost => f.write_str("the connection to the database was lost"),
            Self::Busy => f.write_str("no connection to the database became free in time"),
        }
    }
}

impl std::error::Error for PlainError {}

impl std::fmt::Debug for PlainDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainDb")
    }
}
