//! The door to PostgreSQL.
//!
//! The pools are private: tenant data is reached through [`TenantTx`] alone, work across organisations through
//! [`SystemTx`], and a single statement of a request through [`Db::run`], which pipelines the context, the statement
//! and the commit into one round trip.

mod connect;
mod context;
mod figures;
mod log;
mod migrate;
mod pipeline;
mod plain;
mod replication;
mod request;
mod session;
mod system;
mod tenant;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::Config as PgConfig;

pub(crate) use connect::tls_config;
pub use connect::{connect, parse_url};
pub use context::{OrgSelector, RequestContext, Resolved, Surroundings};
pub use figures::{ConnectionFigures, DbFigures};
pub use log::StatementLog;
pub use migrate::{Migration, Pending, pending};
pub use pipeline::{Param, Reply, Rest, ServerError, Statement, TextRow};
pub use plain::{Isolation, PlainContext, PlainDb, PlainError, PlainFigures, PlainOptions, PlainTx, Wanted};
pub use replication::{Lsn, ReplicationClient, ReplicationEvent};
pub use request::RequestTx;
pub use system::SystemTx;
pub use tenant::{EnqueueOptions, JobLimit, TenantTx};

use crate::{
    error::{Error, Result},
    telemetry::trace,
};

/// The login that requests run under before they take a role; it has no rights of its own.
pub const RUNTIME_LOGIN: &str = "tenon_authenticator";

/// How many times longer than another statement one may take whose rows wait for their reader.
const STREAM_PATIENCE: u32 = 20;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// A login that may create roles and schemas; used for migrations only.
    pub admin: PgConfig,
    /// The login requests use. `None`: the admin login, held down to [`RUNTIME_LOGIN`] from the first byte on.
    pub runtime: Option<PgConfig>,
    /// Exclusive connections. Half as many more serve streams.
    pub pool_size: usize,
    /// Shared, pipelined connections.
    pub pipeline_connections: usize,
    /// Further ones for writes; none lets them share those of reads.
    pub pipeline_write_connections: usize,
    /// Time-out of one pipelined statement.
    pub pipeline_timeout: Duration,
    /// Keeps the text of every statement, for tests of the rule that each names its organisation.
    pub record_statements: bool,
}

/// The database of this installation.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    admin: PgConfig,
    runtime: PgConfig,
    pool: Pool,
    pipeline: pipeline::Pipeline,
    streams: pipeline::Exclusive,
    log: Option<StatementLog>,
    slow: OnceLock<Duration>,
}

impl Db {
    /// Prepares the pools; connects lazily.
    pub fn new(options: DbOptions) -> Result<Self> {
        let tls = connect::tls()?;
        let mut runtime = options.runtime.unwrap_or_else(|| {
            let mut held_down = options.admin.clone();
            held_down.options(format!("-c role={RUNTIME_LOGIN}"));
            held_down
        });
        runtime.application_name("tenon");
        let mut exclusive = runtime.clone();
        connect::add_option(&mut exclusive, "idle_in_transaction_session_timeout=60s");
        let manager = Manager::from_config(
            exclusive,
            tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(options.pool_size.max(2))
            .wait_timeout(Some(Duration::from_secs(15)))
            .create_timeout(Some(Duration::from_secs(10)))
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        let mut shared = runtime.clone();
        connect::add_option(&mut shared, "plan_cache_mode=force_generic_plan");
        connect::add_option(
            &mut shared,
            &format!("statement_timeout={}", options.pipeline_timeout.as_millis()),
        );
        let pipeline = pipeline::Pipeline::new(
            shared,
            options.pipeline_connections,
            options.pipeline_write_connections,
        )?;
        let mut streaming = runtime.clone();
        connect::add_option(&mut streaming, "plan_cache_mode=force_generic_plan");
        let longest = options.pipeline_timeout.saturating_mul(STREAM_PATIENCE);
        connect::add_option(
            &mut streaming,
            &format!("statement_timeout={}", longest.as_millis()),
        );
        let streams = pipeline::Exclusive::new(
            streaming,
            pipeline::ExclusiveOptions {
                size: options.pool_size.div_ceil(2),
                wait: Duration::from_secs(15),
                idle: Duration::from_mins(1),
                life: Duration::from_mins(30),
            },
        )?;
        let log = options.record_statements.then(StatementLog::default);
        Ok(Self(Arc::new(Inner {
            admin: options.admin,
            runtime,
            pool,
            pipeline,
            streams,
            log,
            slow: OnceLock::new(),
        })))
    }

    /// A database that is never reached, for what only needs to be described.
    ///
    /// # Panics
    /// Never: nothing is opened, so nothing can fail.
    pub fn nowhere() -> Self {
        Self::new(DbOptions {
            admin: PgConfig::new(),
            runtime: None,
            pool_size: 1,
            pipeline_connections: 1,
            pipeline_write_connections: 0,
            pipeline_timeout: Duration::from_secs(1),
            record_statements: false,
        })
        .expect("nothing is opened yet")
    }

    /// Runs one statement in the context of a request: context, statement and commit travel in one round trip as one
    /// implicit transaction. An error in any of them undoes all.
    pub async fn run(&self, context: &RequestContext, statement: Statement) -> Result<Reply> {
        self.run_all(context, vec![statement]).await
    }

    /// Runs several statements like one, each of which sees what those before it did. The rows of the last are returned.
    pub async fn run_all(&self, context: &RequestContext, statements: Vec<Statement>) -> Result<Reply> {
        self.run_piped(context, statements, false).await
    }

    /// As [`Db::run_all`], but the last value of the row is handed out while it arrives, if it is large. What is read so must
    /// not write: it is handed out before its transaction has ended.
    pub async fn run_feeding(&self, context: &RequestContext, statements: Vec<Statement>) -> Result<Reply> {
        self.run_piped(context, statements, true).await
    }

    async fn run_piped(
        &self,
        context: &RequestContext,
        statements: Vec<Statement>,
        feeds: bool,
    ) -> Result<Reply> {
        for statement in &statements {
            self.record(&statement.sql);
        }
        let told = statements.last().map(|statement| statement.sql.clone());
        let run = self.0.pipeline.run(context, statements, feeds);
        let reply = self.watch(told.as_deref().unwrap_or_default(), run).await?;
        crate::telemetry::scope::is_in_text(reply.context.first().and_then(Option::as_deref));
        Ok(reply)
    }

    /// As [`Db::run`], but the rows are handed out while they arrive, on a connection that nobody else has meanwhile. It
    /// must not write either. The rows of a statement `before` are in the reply.
    pub async fn stream(
        &self,
        context: &RequestContext,
        before: Option<Statement>,
        statement: Statement,
    ) -> Result<Reply> {
        self.record(&statement.sql);
        let told = statement.sql.clone();
        let steps = pipeline::steps(context, before.into_iter().chain([statement]));
        let batch = pipeline::Batch {
            feed: pipeline::Feed::Rows(steps.len() - 1),
            steps,
            stays_open: false,
            prepared: true,
        };
        let sent = self.watch(&told, plain::send(&self.0.streams, batch, true)).await;
        let reply = Reply::from(sent?);
        crate::telemetry::scope::is_in_text(reply.context.first().and_then(Option::as_deref));
        Ok(reply)
    }

    /// Resolves the context of a request alone: who is asking, in which organisation, with which permissions.
    pub async fn resolve(&self, context: &RequestContext) -> Result<Resolved> {
        let run = self.0.pipeline.run(context, Vec::new(), false);
        let reply = self.watch(pipeline::BEGIN_REQUEST, run).await?;
        Resolved::from_texts(&reply.context)
    }

    /// Applies the migrations of all modules, in their order, under a lock that a second server waits for.
    pub async fn migrate(&self, modules: &[(&str, &str, &[Migration])]) -> Result<()> {
        let (client, _task) = connect::connect(&self.0.admin).await?;
        migrate::run(&client, modules).await
    }

    /// A connection of its own outside the pools, for `LISTEN`. It has no role and so no rights.
    pub async fn listen_connection(
        &self,
    ) -> Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<connect::RawStream, connect::RawTlsStream>,
    )> {
        connect::connect_raw(&self.0.runtime).await
    }

    /// A connection on which changes are streamed from a slot, as the login of migrations. Nothing streams before
    /// [`ReplicationClient::start`]; until then it takes commands.
    ///
    /// Errors: `database.unavailable`; what the server refuses, such as a login that may not replicate, is told by the first command.
    pub async fn replication(&self, slot: &str, publications: &[&str]) -> Result<ReplicationClient> {
        replication::connect(&self.0.admin, slot, publications).await
    }

    /// The statements seen so far, where recording is on.
    pub fn statement_log(&self) -> Option<&StatementLog> {
        self.0.log.as_ref()
    }

    pub(crate) fn record(&self, sql: &str) {
        if let Some(log) = &self.0.log {
            log.add(sql);
        }
    }

    /// Tells the log of statements that take longer, from now on.
    pub fn tell_slow(&self, than: Duration) {
        let _ = self.0.slow.set(than);
    }

    /// Runs a statement where traces and the log of slow ones see it.
    pub(crate) fn watch<T, E>(
        &self,
        sql: &str,
        run: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        trace::statement(sql, self.0.slow.get().copied(), run)
    }

    /// How the connections are used at the moment.
    pub fn figures(&self) -> DbFigures {
        figures::of(&self.0)
    }

    async fn session(&self) -> Result<session::Session> {
        Ok(session::Session::new(self.0.pool.get().await?, self.clone()))
    }

    /// Closes all connections; what is in flight ends with an error.
    pub fn close(&self) {
        self.0.pool.close();
        self.0.pipeline.close();
        self.0.streams.clear();
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}
