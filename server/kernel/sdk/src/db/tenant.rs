//! The only way to tenant data: a transaction bound to one organisation and one caller.

use serde_json::Value;
use tokio_postgres::{CopyInSink, Row, types::ToSql};
use uuid::Uuid;

use super::{Db, RequestContext, Resolved, session::Session};
use crate::{
    env::Env,
    error::{Error, Result},
    events::Event,
    ids::{OrgId, UserId},
    jobs::Job,
    schedule::Schedule,
};

/// A transaction inside one organisation. Dropped without [`TenantTx::commit`], it is rolled back.
pub struct TenantTx {
    session: Session,
    resolved: Resolved,
    org: OrgId,
    user: Option<UserId>,
    env: Env,
}

/// Jobs that one statement enqueues.
const AT_ONCE: usize = 5000;

/// How a job is enqueued.
#[derive(Clone, Debug, Default)]
pub struct EnqueueOptions {
    /// At most one waiting or running job of this name has this key in the organisation; a second one is not enqueued.
    pub unique_key: Option<String>,
    /// Not before so long from now.
    pub delay: std::time::Duration,
    /// Higher goes first, within the organisation; 0 is usual.
    pub priority: i16,
    /// It shares this limit with all jobs of the organisation that name the same key.
    pub limit: Option<JobLimit>,
}

/// How many jobs of one key may run. What was said last counts for all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLimit {
    /// At most 200 characters, such as `mail:example.com`.
    pub key: String,
    /// So many at a time.
    pub concurrent: Option<i32>,
    /// So many starts in so long; as many may start at once after a silence.
    pub rate: Option<(i32, std::time::Duration)>,
}

impl TenantTx {
    pub(crate) async fn begin(db: &Db, env: &Env, context: &RequestContext) -> Result<Self> {
        let (session, resolved) = super::request::begin(db, context).await?;
        Self::in_org(session, resolved, context.user, env)
    }

    pub(crate) async fn begin_job(db: &Db, env: &Env, org: OrgId, user: Option<UserId>) -> Result<Self> {
        Self::job(db, env, org, user, "begin").await
    }

    pub(crate) async fn begin_snapshot(db: &Db, env: &Env, org: OrgId, user: Option<UserId>) -> Result<Self> {
        Self::job(
            db,
            env,
            org,
            user,
            "begin isolation level repeatable read, read only",
        )
        .await
    }

    async fn job(db: &Db, env: &Env, org: OrgId, user: Option<UserId>, begin: &str) -> Result<Self> {
        let session = db.session().await?;
        let row = session
            .begin_as(
                begin,
                "select org_id, member_role, permissions from kernel.begin_job($1, $2)",
                &[&org, &user],
            )
            .await?;
        let resolved = Resolved::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Self::in_org(session, resolved, user, env)
    }

    fn in_org(session: Session, resolved: Resolved, user: Option<UserId>, env: &Env) -> Result<Self> {
        let Some(org) = resolved.org else {
            return Err(
                Error::not_found("tenancy.org_not_found", "There is no such organisation.")
                    .hint("Name an organisation you belong to in the header x-org-id."),
            );
        };
        Ok(Self {
            session,
            resolved,
            org,
            user,
            env: env.clone(),
        })
    }

    /// The organisation.
    pub fn org_id(&self) -> OrgId {
        self.org
    }

    /// The person on whose behalf this runs.
    pub fn user_id(&self) -> Option<UserId> {
        self.user
    }

    /// The caller's role and permissions in the organisation.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Clock, ids and randomness.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Whether the caller has a permission.
    pub fn has(&self, permission: &str) -> bool {
        self.resolved.has(permission)
    }

    /// An error naming the permission, unless the caller has it.
    pub fn require(&self, permission: &str) -> Result<()> {
        self.resolved.require(permission)
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

    /// Starts `COPY … FROM STDIN`.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyInSink<bytes::Bytes>> {
        self.session.copy_in(sql).await
    }

    /// Records an event in the outbox, in this transaction; its number is the next of the organisation.
    pub async fn emit(&self, event: &Event) -> Result<()> {
        self.emit_all(std::slice::from_ref(event)).await
    }

    /// Records several events in their order with one statement.
    pub async fn emit_all(&self, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = events.iter().map(|_| self.env.new_id()).collect();
        let kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
        let subjects: Vec<Option<Uuid>> = events.iter().map(|event| event.subject).collect();
        let payloads: Vec<&Value> = events.iter().map(|event| &event.payload).collect();
        self.session
            .query(
                "select events.emit($1, $2, $3, $4)",
                &[&ids, &kinds, &subjects, &payloads],
            )
            .await
            .map(drop)
    }

    /// Enqueues a job that runs after this transaction commits, and only then.
    pub async fn enqueue<J: Job>(&self, job: &J) -> Result<Option<Uuid>> {
        self.enqueue_with(job, EnqueueOptions::default()).await
    }

    /// Enqueues a job with options; `None` if its unique key is taken.
    pub async fn enqueue_with<J: Job>(&self, job: &J, options: EnqueueOptions) -> Result<Option<Uuid>> {
        let mut ids = self.enqueue_all(&[(job, options)]).await?;
        Ok(ids.pop().flatten())
    }

    /// Enqueues many jobs at once; for each its id, or `None` if its unique key is taken.
    pub async fn enqueue_all<J: Job>(&self, jobs: &[(&J, EnqueueOptions)]) -> Result<Vec<Option<Uuid>>> {
        let mut enqueued = Vec::with_capacity(jobs.len());
        for some in jobs.chunks(AT_ONCE) {
            let ids: Vec<Uuid> = some.iter().map(|_| self.env.new_id()).collect();
            let row = self.enqueue_chunk(&ids, some).await?;
            let made: std::collections::HashSet<Uuid> = row.try_get::<_, Vec<Uuid>>(0)?.into_iter().collect();
            enqueued.extend(ids.into_iter().map(|id| made.contains(&id).then_some(id)));
        }
        Ok(enqueued)
    }

    async fn enqueue_chunk<J: Job>(&self, ids: &[Uuid], jobs: &[(&J, EnqueueOptions)]) -> Result<Row> {
        let payloads = jobs
            .iter()
            .map(|(job, _)| serde_json::to_value(job).map_err(Error::internal));
        let payloads = payloads.collect::<Result<Vec<_>>>()?;
        let each = || jobs.iter().map(|(_, options)| options);
        let limits = || each().map(|options| options.limit.as_ref());
        let rates = || limits().map(|limit| limit.and_then(|limit| limit.rate));
        let keys: Vec<_> = each().map(|options| options.unique_key.as_deref()).collect();
        let delays: Vec<_> = each().map(|options| options.delay.as_secs_f64()).collect();
        let priorities: Vec<_> = each().map(|options| options.priority).collect();
        let limit_keys: Vec<_> = limits()
            .map(|limit| limit.map(|limit| limit.key.as_str()))
            .collect();
        let concurrents: Vec<_> = limits()
            .map(|limit| limit.and_then(|limit| limit.concurrent))
            .collect();
        let starts: Vec<_> = rates().map(|rate| rate.map(|(starts, _)| starts)).collect();
        let periods: Vec<_> = rates()
            .map(|rate| rate.map(|(_, period)| period.as_secs_f64()))
            .collect();
        self.query_one(
            "select jobs.enqueue_all($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &[
                &J::NAME,
                &J::MAX_ATTEMPTS,
                &ids,
                &payloads,
                &keys,
                &delays,
                &priorities,
                &limit_keys,
                &concurrents,
                &starts,
                &periods,
            ],
        )
        .await
    }

    /// Enqueues a job again and again. A schedule of this name in the organisation is written anew.
    pub async fn schedule<J: Job>(&self, name: &str, job: &J, schedule: &Schedule) -> Result<Uuid> {
        schedule.times()?;
        let payload = serde_json::to_value(job).map_err(Error::internal)?;
        let row = self
            .query_one(
                "select jobs.put_schedule($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                &[
                    &self.env.new_id(),
                    &name,
                    &schedule.cron,
                    &schedule.zone,
                    &schedule.overlap.as_str(),
                    &schedule.missed.as_str(),
                    &J::NAME,
                    &payload,
                    &J::MAX_ATTEMPTS,
                ],
            )
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Ends a schedule; false if there is none of this name.
    pub async fn unschedule(&self, name: &str) -> Result<bool> {
        let row = self.query_one("select jobs.drop_schedule($1)", &[&name]).await?;
        Ok(row.try_get(0)?)
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

pub(super) fn one(rows: Vec<Row>) -> Result<Option<Row>> {
    if rows.len() > 1 {
        return Err(Error::internal(
            "a statement gave several rows where one was meant",
        ));
    }
    Ok(rows.into_iter().next())
}

impl std::fmt::Debug for TenantTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantTx")
            .field("org", &self.org)
            .finish_non_exhaustive()
    }
}
