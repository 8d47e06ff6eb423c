//! An admin decides whether members need a second factor. The rule takes effect with the next request of each member: who has not
//! shown one is asked for it, whatever token they hold.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, events::Event};
use utoipa::ToSchema;

use crate::tenancy::{Acting, permissions::SecurityUpdate};

/// Whether members need a second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorWish {
    /// Whether it is so.
    pub required: bool,
}

/// The rule, and whom it would keep out.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorRule {
    /// Whether members need a second factor.
    pub required: bool,
    /// Members who are let in.
    pub members: i64,
    /// Those of them who have no second factor yet.
    pub members_without: i64,
}

/// The rule as it is.
pub(in super::super) async fn second_factor_rule(ctx: &Ctx) -> Result<SecondFactorRule> {
    let tx = SystemTx::begin(ctx.kernel().db(), "rule about second factors").await?;
    let rule = read(&tx, ctx).await?;
    tx.commit().await?;
    Ok(rule)
}

async fn read(tx: &SystemTx, ctx: &Ctx) -> Result<SecondFactorRule> {
    let row = tx
        .query_one(
            "select o.require_second_factor, count(m.user_id), count(m.user_id) filter (where not exists ( \
                 select from auth.mfa_factors f where f.user_id = m.user_id and f.status = 'verified')) \
             from tenancy.organizations o \
             left join tenancy.memberships m on m.org_id = o.id and m.suspended_at is null \
             where o.id = $1 group by o.id",
            &[&ctx.org_id()],
        )
        .await?;
    Ok(SecondFactorRule {
        required: row.try_get(0)?,
        members: row.try_get(1)?,
        members_without: row.try_get(2)?,
    })
}

/// Sets the rule.
///
/// Errors: `tenancy.second_factor_missing` if whoever asks for second factors has none: they would be the first who is kept out.
pub(in super::super) async fn require_second_factor(
    ctx: &Ctx,
    wish: &SecondFactorWish,
) -> Result<SecondFactorRule> {
    let acting = Acting::begin::<SecurityUpdate>(ctx, "rule about second factors").await?;
    let (org, tx) = (acting.org(), acting.tx());
    if wish.required {
        let own = tx
            .query_one(
                "select exists (select from auth.mfa_factors where user_id = $1 and status = 'verified')",
                &[&ctx.user_id()],
            )
            .await?;
        if !own.try_get::<_, bool>(0)? {
            return Err(Error::unprocessable(
                "tenancy.second_factor_missing",
                "You have no second factor yourself.",
            )
            .hint("Add one to your account first; else you would be kept out."));
        }
    }
    let changed = tx
        .execute(
            "update tenancy.organizations set require_second_factor = $2 \
             where id = $1 and require_second_factor <> $2",
            &[&org, &wish.required],
        )
        .await?;
    if changed > 0 {
        let event = Event::new(
            "tenancy.second_factor_rule_changed",
            org.0,
            json!({ "required": wish.required }),
        );
        acting.emit(&event).await?;
    }
    let rule = read(tx, ctx).await?;
    acting.commit().await?;
    Ok(rule)
}
