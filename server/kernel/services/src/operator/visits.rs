//! Entering an organisation to help: with a reason, for a time, seen by its owners.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{
    Ctx, Error, Kernel, OrgId, Result, SystemTx, UserId,
    db::EnqueueOptions,
    events::Event,
    jobs::{Job, JobCtx},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Operator, users::reason};
use crate::access;

/// Longest visit.
const MAX_MINUTES: u32 = 480;

/// Why and for how long.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewVisit {
    /// What the owners of the organisation read.
    #[schema(
        example = "Ticket 4711: an import that does not end",
        min_length = 1,
        max_length = 500
    )]
    pub reason: String,
    /// 5 to 480.
    #[schema(example = 60)]
    pub minutes: u32,
}

/// A visit of the operator's own that has not ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Visit {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub organization_slug: String,
    pub organization_name: String,
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

/// Ends a visit when its time is over, so that the organisation's log says when the operator was gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndVisit {
    id: Uuid,
    org: OrgId,
}

impl Job for EndVisit {
    const NAME: &'static str = "operator.end_visit";

    async fn run(self, job: JobCtx) -> Result<()> {
        let (kernel, env) = (job.kernel(), job.kernel().env());
        let tx = SystemTx::begin(kernel.db(), "visit is over").await?;
        let ended = tx
            .query_opt(
                "update tenancy.support_access set ended_at = ends_at where org_id = $1 and id = $2 and ended_at is null \
                 returning operator",
                &[&self.org, &self.id],
            )
            .await?;
        if let Some(row) = ended {
            let operator: Option<UserId> = row.try_get(0)?;
            let left = Event::new(
                "access.support_left",
                self.id,
                json!({ "operator": operator, "time_over": true }),
            );
            tx.emit(env, self.org, None, &left).await?;
        }
        tx.commit().await
    }
}

/// Lets the operator into an organisation as somebody with the role `support`; gives the visit's id.
pub async fn enter(kernel: &Kernel, operator: &Operator, org: Uuid, new: &NewVisit) -> Result<Uuid> {
    let reason = reason(&new.reason)?;
    if !(5..=MAX_MINUTES).contains(&new.minutes) {
        return Err(Error::unprocessable(
            "operator.time_invalid",
            format!("A visit lasts 5 to {MAX_MINUTES} minutes."),
        ));
    }
    let (env, org) = (kernel.env(), OrgId(org));
    let (id, now) = (env.new_id(), env.now());
    let ends_at = now + SignedDuration::from_mins(i64::from(new.minutes));
    let tx = operator.begin(kernel, "operator: enter").await?;
    may_enter(&tx, operator, org).await?;
    tx.commit().await?;
    // Before the visit itself, so that none is without its end, and on its own: nobody holds a connection while they ask for another. For a
    // visit that never began the job does nothing.
    let job = Ctx::for_job(kernel.clone(), org, Some(operator.user))
        .begin()
        .await?;
    let options = EnqueueOptions {
        delay: std::time::Duration::from_secs(u64::from(new.minutes) * 60),
        ..EnqueueOptions::default()
    };
    job.enqueue_with(&EndVisit { id, org }, options).await?;
    job.commit().await?;
    let tx = operator.begin(kernel, "operator: enter").await?;
    may_enter(&tx, operator, org).await?;
    // A new visit takes the place of one that is still open.
    let open = tx
        .query(
            "update tenancy.support_access set ended_at = $3, ended_by = $2 \
             where org_id = $1 and operator = $2 and ended_at is null returning id",
            &[&org, &operator.user, &now],
        )
        .await?;
    for row in &open {
        let left = Event::new(
            "access.support_left",
            row.try_get(0)?,
            json!({ "operator": operator.user.0 }),
        );
        tx.emit(env, org, Some(operator.user), &left).await?;
    }
    tx.execute(
        "insert into tenancy.support_access (org_id, id, operator, operator_name, reason, aal, started_at, ends_at) \
         select $1, $2, u.id, left(coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), 200), $4, $5, $6, $7 \
         from auth.users u where u.id = $3",
        &[&org, &id, &operator.user, &reason, &operator.aal, &now, &ends_at],
    )
    .await?;
    let payload = json!({ "operator": operator.user.0, "reason": reason, "ends_at": ends_at });
    let entered = Event::new("access.support_entered", id, payload);
    tx.emit(env, org, Some(operator.user), &entered).await?;
    tx.commit().await?;
    Ok(id)
}

/// An error unless there is the organisation and the operator is no member of it.
async fn may_enter(tx: &SystemTx, operator: &Operator, org: OrgId) -> Result<()> {
    tx.query_opt(
        "select from tenancy.organizations where id = $1 for share",
        &[&org],
    )
    .await?
    .ok_or_else(|| {
        Error::not_found(
            "operator.organization_not_found",
            "There is no such organisation.",
        )
    })?;
    let member = tx
        .query_opt(
            "select from tenancy.memberships where org_id = $1 and user_id = $2 and suspended_at is null",
            &[&org, &operator.user],
        )
        .await?;
    if member.is_some() {
        return Err(Error::conflict(
            "operator.is_member",
            "You belong to this organisation already.",
        ));
    }
    Ok(())
}

/// The operator's visits that have not ended, the one that ends first at the top.
pub async fn open(kernel: &Kernel, operator: &Operator) -> Result<Vec<Visit>> {
    let tx = SystemTx::begin(kernel.db(), "operator: visits").await?;
    let rows = tx
        .query(
            "select s.id, o.id, o.slug, o.name, s.reason, s.ends_at from tenancy.support_access s \
             join tenancy.organizations o on o.id = s.org_id \
             where s.operator = $1 and s.ended_at is null and s.ends_at > $2 order by s.ends_at, s.id limit 200",
            &[&operator.user, &kernel.env().now()],
        )
        .await?;
    tx.commit().await?;
    let visits = rows.iter().map(|row| {
        Ok(Visit {
            id: row.try_get(0)?,
            organization_id: row.try_get(1)?,
            organization_slug: row.try_get(2)?,
            organization_name: row.try_get(3)?,
            reason: row.try_get(4)?,
            ends_at: row.try_get(5)?,
        })
    });
    visits.collect()
}

/// Leaves an organisation.
pub async fn leave(kernel: &Kernel, operator: &Operator, org: Uuid, visit: Uuid) -> Result<()> {
    access::end_support(
        kernel,
        OrgId(org),
        visit,
        Some(operator.user),
        Some(operator.user),
    )
    .await
}
