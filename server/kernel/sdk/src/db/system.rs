//! Work across organisations: sign-in, the job queue, the outbox. It reaches the kernel's own tables, never a tenant's.

use tokio_postgres::{Row, types::ToSql};

use super::{Db, session::Session, tenant::one};
use crate::{
    env::Env,
    error::{Error, Result},
    events::Event,
    ids::{OrgId, UserId},
};

const BEGIN: &str = "select kernel.begin_system($1, $2)";

/// A transaction of the kernel itself. Dropped without [`SystemTx::commit`], it is rolled back.
pub struct SystemTx {
    session: Session,
}

impl SystemTx {
    /// Begins; `reason` says what for and is visible in the database's activity and to its audit.
    pub async fn begin(db: &Db, reason: &'static str) -> Result<Self> {
        let session = db.session().await?;
        let origin = crate::origin::current();
        session.begin(BEGIN, &[&reason, &origin.as_deref()]).await?;
        Ok(Self { session })
    }

    /// Begins with a first statement in the same round trip, and gives its row, if there is one.
    pub async fn begin_query_opt(
        db: &Db,
        reason: &'static str,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<(Self, Option<Row>)> {
        let session = db.session().await?;
        let origin = crate::origin::current();
        let (_, rows) = session
            .begin_query(BEGIN, &[&reason, &origin.as_deref()], sql, params)
            .await?;
        Ok((Self { session }, one(rows)?))
    }

    /// Reads one row, if there is one, in a transaction of its own that is not waited for to end: one round trip.
    pub async fn read_opt(
        db: &Db,
        reason: &'static str,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>> {
        let (tx, row) = Self::begin_query_opt(db, reason, sql, params).await?;
        tx.session.leave();
        Ok(row)
    }

    /// All rows of a statement.
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.session.query(sql, params).await
    }

    /// The one row of a statement; none or several is an internal error.
    pub async fn query_one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row> {
        one(self.query(sql, params).await?)?.ok_or_else(|| Error::internal("a statement gave no row"))
    }

    /// The row of a statement, if there is one.
    pub async fn query_opt(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
        one(self.query(sql, params).await?)
    }

    /// Runs a statement, gives the number of rows it touched.
    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        self.session.execute(sql, params).await
    }

    /// Runs several statements without parameters.
    pub async fn batch(&self, sql: &str) -> Result<()> {
        self.session.batch(sql).await
    }

    /// Records an event of an organisation, caused by a person, or by the server itself.
    pub async fn emit(&self, env: &Env, org: OrgId, actor: Option<UserId>, event: &Event) -> Result<()> {
        let (ids, kinds) = ([env.new_id()], [event.kind]);
        let (subjects, payloads) = ([event.subject], [&event.payload]);
        self.query(
            "select events.append($1, $2, $3, $4, $5, $6)",
            &[
                &org,
                &actor,
                &ids.as_slice(),
                &kinds.as_slice(),
                &subjects.as_slice(),
                &payloads.as_slice(),
            ],
        )
        .await
        .map(drop)
    }

    /// Runs a last statement and makes everything done here lasting and visible, in one round trip. Gives the number of rows
    /// that the statement touched; if it fails, nothing was done.
    pub async fn execute_and_commit(self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        self.session.execute_and_commit(sql, params).await
    }

    /// Makes everything done here lasting and visible.
    pub async fn commit(self) -> Result<()> {
        self.session.commit().await
    }

    /// Undoes everything done here.
    pub async fn rollback(self) -> Result<()> {
        self.session.rollback().await
    }
}

impl std::fmt::Debug for SystemTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemTx")
    }
}
