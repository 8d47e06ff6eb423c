//! An exclusive connection inside a transaction. However the holder ends (commit, error, cancelled future), the
//! connection goes back to the pool only after the transaction is over, so that no context outlives its request.

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::Object;
use tokio_postgres::{CopyInSink, Row, types::ToSql};

use super::Db;
use crate::error::{Error, Result};

pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(super) struct Session {
    connection: Option<Object>,
    failed: AtomicBool,
    db: Db,
}

impl Session {
    pub(super) fn new(connection: Object, db: Db) -> Self {
        Self { connection: Some(connection), failed: AtomicBool::new(false), db }
    }

    fn connection(&self) -> Result<&Object> {
        self.connection.as_ref().ok_or_else(|| Error::internal("transaction is over"))
    }

    /// Opens the transaction and runs `setup` in the same round trip.
    pub(super) async fn begin(&self, setup: &str, params: Params<'_>) -> Result<Row> {
        let connection = self.connection()?;
        // Prepared first: a statement prepared inside the pipeline would be sent after its neighbours.
        let statement = connection.prepare_cached(setup).await?;
        // futures' join polls in order, so BEGIN is on the wire first.
        let (begun, row) = futures_util::future::join(
            connection.batch_execute("begin"),
            connection.query_one(&statement, params),
        )
        .await;
        begun?;
        Ok(row?)
    }

    fn noting<T>(&self, result: Result<T, tokio_postgres::Error>) -> Result<T> {
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        Ok(result?)
    }

    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        self.db.record(sql);
        let connection = self.connection()?;
        let statement = self.noting(connection.prepare_cached(sql).await)?;
        self.noting(connection.query(&statement, params).await)
    }

    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        self.db.record(sql);
        let connection = self.connection()?;
        let statement = self.noting(connection.prepare_cached(sql).await)?;
        self.noting(connection.execute(&statement, params).await)
    }

    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<bytes::Bytes>> {
        self.db.record(sql);
        self.noting(self.connection()?.copy_in(sql).await)
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        self.db.record(sql);
        self.noting(self.connection()?.batch_execute(sql).await)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        // PostgreSQL answers COMMIT of a failed transaction with a quiet rollback; that must not pass for success.
        if self.failed.load(Ordering::Relaxed) {
            return Err(Error::internal("commit of a transaction in which a statement failed"));
        }
        let connection = self.connection()?;
        let committed = connection.execute("commit", &[]).await;
        if committed.is_ok() {
            self.connection.take();
        }
        committed?;
        Ok(())
    }

    pub(super) async fn rollback(mut self) -> Result<()> {
        self.connection()?.batch_execute("rollback").await?;
        self.connection.take();
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            if connection.batch_execute("rollback").await.is_err() {
                drop(Object::take(connection));
            }
        });
    }
}
