//! An exclusive connection inside a transaction. However the holder ends (commit, error, cancelled future), the
//! connection goes back to the pool only after the transaction is over, so that no context outlives its request.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use deadpool_postgres::Object;
use tokio_postgres::{CopyInSink, Row, types::ToSql};

use super::Db;
use crate::error::{Error, Result};

pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How long a statement whose caller left may go on before it is cancelled; most end by themselves.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Session {
    connection: Option<Object>,
    /// A statement failed.
    failed: AtomicBool,
    /// A `COPY` was begun, whose failure its caller alone hears of.
    copied: AtomicBool,
    db: Db,
}

impl Session {
    pub(super) fn new(connection: Object, db: Db) -> Self {
        Self {
            connection: Some(connection),
            failed: AtomicBool::new(false),
            copied: AtomicBool::new(false),
            db,
        }
    }

    fn connection(&self) -> Result<&Object> {
        self.connection
            .as_ref()
            .ok_or_else(|| Error::internal("transaction is over"))
    }

    /// Opens the transaction and runs `setup` in the same round trip.
    pub(super) async fn begin(&self, setup: &str, params: Params<'_>) -> Result<Row> {
        self.begin_as("begin", setup, params).await
    }

    /// The same with a statement of its own to open it.
    pub(super) async fn begin_as(&self, opening: &str, setup: &str, params: Params<'_>) -> Result<Row> {
        let connection = self.connection()?;
        let run = async {
            // Prepared first: a statement prepared inside the pipeline would be sent after its neighbours.
            let statement = connection.prepare_cached(setup).await?;
            // futures' join polls in order, so BEGIN is on the wire first.
            let (begun, row) = futures_util::future::join(
                connection.batch_execute(opening),
                connection.query_one(&statement, params),
            )
            .await;
            begun?;
            Ok::<_, Error>(row?)
        };
        self.db.watch(setup, Box::pin(run)).await
    }

    /// Opens the transaction, runs `setup` and then `sql`, all in one round trip; gives the row of the one and those of the other.
    pub(super) async fn begin_query(
        &self,
        setup: &str,
        setup_params: Params<'_>,
        sql: &str,
        params: Params<'_>,
    ) -> Result<(Row, Vec<Row>)> {
        self.db.record(sql);
        let connection = self.connection()?;
        let prepared = connection.prepare_cached(setup).await?;
        // Only the role that `setup` takes may name what the statement names, so it is prepared behind it, the first time.
        let asked = async {
            connection
                .query(&connection.prepare_cached(sql).await?, params)
                .await
        };
        let run = async {
            let (begun, set_up, rows) = futures_util::future::join3(
                connection.batch_execute("begin"),
                connection.query_one(&prepared, setup_params),
                asked,
            )
            .await;
            begun?;
            let set_up = set_up?;
            Ok::<_, Error>((set_up, self.noting(sql, rows)?))
        };
        self.db.watch(sql, Box::pin(run)).await
    }

    fn noting<T>(&self, sql: &str, result: Result<T, tokio_postgres::Error>) -> Result<T> {
        result.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            // The table changed since the statement was prepared: the next transaction prepares it anew.
            let outdated = error
                .as_db_error()
                .is_some_and(|error| error.message().contains("cached plan"));
            if outdated && let Some(connection) = &self.connection {
                connection.statement_cache.remove(sql, &[]);
                return Error::unavailable(
                    "database.changed",
                    "The tables of the database have just changed.",
                )
                .hint("Try again.");
            }
            error.into()
        })
    }

    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        self.db.record(sql);
        let connection = self.connection()?;
        let run = async {
            let statement = self.noting(sql, connection.prepare_cached(sql).await)?;
            self.noting(sql, connection.query(&statement, params).await)
        };
        self.db.watch(sql, Box::pin(run)).await
    }

    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        self.db.record(sql);
        let connection = self.connection()?;
        let run = async {
            let statement = self.noting(sql, connection.prepare_cached(sql).await)?;
            self.noting(sql, connection.execute(&statement, params).await)
        };
        self.db.watch(sql, Box::pin(run)).await
    }

    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<bytes::Bytes>> {
        self.db.record(sql);
        self.copied.store(true, Ordering::Relaxed);
        self.noting(sql, self.connection()?.copy_in(sql).await)
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        self.db.record(sql);
        let connection = self.connection()?;
        let run = async { self.noting(sql, connection.batch_execute(sql).await) };
        self.db.watch(sql, Box::pin(run)).await
    }

    /// PostgreSQL answers COMMIT of a failed transaction with a quiet rollback; that must not pass for success.
    fn may_commit(&self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(Error::internal(
                "commit of a transaction in which a statement failed",
            ));
        }
        Ok(())
    }

    /// Runs a last statement and commits in the same round trip. If the statement fails, nothing was done.
    pub(super) async fn execute_and_commit(mut self, sql: &str, params: Params<'_>) -> Result<u64> {
        self.may_commit()?;
        self.db.record(sql);
        let connection = self.connection()?;
        let run = async {
            let statement = self.noting(sql, connection.prepare_cached(sql).await)?;
            let (done, committed) = futures_util::future::join(
                connection.execute(&statement, params),
                connection.batch_execute("commit"),
            )
            .await;
            Ok::<_, Error>((self.noting(sql, done), committed))
        };
        let (done, committed) = self.db.watch(sql, Box::pin(run)).await?;
        if committed.is_ok() {
            self.connection.take();
        }
        let done = done?;
        committed?;
        Ok(done)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        self.may_commit()?;
        let connection = self.connection()?;
        if self.copied.load(Ordering::Relaxed) {
            // Refused inside a failed transaction.
            connection.batch_execute("select").await?;
        }
        let committed = self.db.watch("commit", connection.batch_execute("commit")).await;
        if committed.is_ok() {
            self.connection.take();
        }
        committed?;
        Ok(())
    }

    /// Ends a transaction that only read, without waiting for the database to say so.
    pub(super) fn leave(mut self) {
        if let Some(connection) = self.connection.take() {
            finish(connection, "commit");
        }
    }

    pub(super) async fn rollback(mut self) -> Result<()> {
        self.connection()?.batch_execute("rollback").await?;
        self.connection.take();
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            finish(connection, "rollback");
        }
    }
}

/// Ends the transaction with `how`, and only then gives the connection back.
fn finish(connection: Object, how: &'static str) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        drop(Object::take(connection));
        return;
    };
    runtime.spawn(async move {
        let cancel = connection.cancel_token();
        match tokio::time::timeout(PATIENCE, connection.batch_execute(how)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => drop(Object::take(connection)),
            Err(_) => {
                // Never reused: the cancellation might hit whoever comes next.
                drop(Object::take(connection));
                if let Ok(tls) = super::connect::tls() {
                    let _ = cancel.cancel_query(tls).await;
                }
            }
        }
    });
}
