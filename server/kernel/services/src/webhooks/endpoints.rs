//! Endpoints: listed, made, changed, given new secrets, removed.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use tenon_sdk::{
    Ctx, Error, Result, SystemTx, TenantTx, audit::Action, events::Event, permission::Permission,
};
use uuid::Uuid;

use super::{
    model,
    permissions::EndpointsManage,
    retire, secrets,
    shapes::{ChangedEndpoint, Endpoint, MadeEndpoint, NewEndpoint, RotatedSecret, Rotation},
    tell,
};

/// Longest address.
const LONGEST_URL: usize = 2000;
/// Hours that a secret is good after it was replaced, at most, and unless somebody says otherwise.
const MOST_HOURS: u32 = 168;
const USUAL_HOURS: u32 = 24;

pub(super) fn not_found() -> Error {
    Error::not_found("webhooks.endpoint_not_found", "There is no such endpoint.")
}

pub(super) fn disabled() -> Error {
    Error::conflict("webhooks.endpoint_disabled", "The endpoint is switched off.").hint("Switch it on first.")
}

/// One at a time in an organisation, so that what is counted stays true.
pub(super) async fn lock(tx: &TenantTx) -> Result<()> {
    let sql = "select pg_advisory_xact_lock(hashtextextended('webhooks ' || $1::uuid, 0))";
    tx.query(sql, &[&tx.org_id()]).await.map(drop)
}

async fn in_plan(tx: &TenantTx) -> Result<()> {
    if tell::allowed(tx).await? {
        return Ok(());
    }
    Err(Error::forbidden(
        "tenancy.not_in_plan",
        "The organisation's plan does not include this.",
    )
    .details("It has no webhooks.")
    .hint("Ask for a larger plan."))
}

/// An address that may be called.
async fn address<'a>(ctx: &Ctx, written: &'a str) -> Result<&'a str> {
    let written = written.trim();
    let refused = || {
        Error::unprocessable("webhooks.url_invalid", "This address cannot be told anything.")
            .hint("It begins with https://, holds no password and has at most 2000 characters.")
    };
    if written.len() > LONGEST_URL || written.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(refused());
    }
    let checked = ctx.kernel().outbound().check_address(written).await;
    checked.map_err(|error| match error.code.as_ref() {
        "outbound.bad_request" => refused(),
        _ => error,
    })?;
    Ok(written)
}

/// All endpoints, oldest first.
pub(super) async fn list(ctx: &Ctx) -> Result<Vec<Endpoint>> {
    let org = ctx.org_id();
    let tx = SystemTx::begin(ctx.kernel().db(), "secrets of webhooks").await?;
    let rows = tx
        .query(
            "select endpoint_id, max(expires_at) from webhooks.secrets \
             where org_id = $1 and expires_at > now() group by endpoint_id",
            &[&org],
        )
        .await?;
    tx.commit().await?;
    let old: HashMap<Uuid, Timestamp> = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_>>()?;
    let tx = ctx.begin().await?;
    let rows = tx
        .query(
            "select id, url, description, events, disabled_because, disabled_at, failing_since, created_at \
             from webhooks.endpoints where org_id = $1 order by id limit 1000",
            &[&org],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            let (id, disabled_at): (Uuid, Option<Timestamp>) = (row.try_get(0)?, row.try_get(5)?);
            Ok(Endpoint {
                id,
                url: row.try_get(1)?,
                description: row.try_get(2)?,
                events: row.try_get(3)?,
                enabled: disabled_at.is_none(),
                disabled_because: row.try_get(4)?,
                disabled_at,
                failing_since: row.try_get(6)?,
                old_secret_until: old.get(&id).copied(),
                created_at: row.try_get(7)?,
            })
        })
        .collect()
}

/// Begins a transaction of somebody who may still manage endpoints: the request's body may have been long in coming.
pub(super) async fn begin(ctx: &Ctx) -> Result<TenantTx> {
    let tx = ctx.begin().await?;
    tx.require(EndpointsManage::DEF.name)?;
    Ok(tx)
}

/// Makes an endpoint.
pub(super) async fn create(ctx: &Ctx, new: &NewEndpoint) -> Result<MadeEndpoint> {
    let (url, description) = (
        address(ctx, &new.url).await?,
        model::description(&new.description)?,
    );
    let events = model::kinds(&new.events)?;
    let secret = secrets::make(ctx).await?;
    let tx = begin(ctx).await?;
    in_plan(&tx).await?;
    lock(&tx).await?;
    let most = ctx.kernel().config().webhooks.endpoints;
    let count: i64 = tx
        .query_one(
            "select count(*) from webhooks.endpoints where org_id = $1",
            &[&tx.org_id()],
        )
        .await?
        .try_get(0)?;
    if count >= i64::from(most) {
        return Err(Error::unprocessable(
            "webhooks.too_many",
            format!("An organisation has at most {most} endpoints."),
        )
        .hint("Remove one that is not needed any more."));
    }
    let id = tx.env().new_id();
    tx.execute(
        "insert into webhooks.endpoints (org_id, id, url, description, events, created_by) values ($1, $2, $3, $4, $5, $6)",
        &[&tx.org_id(), &id, &url, &description, &events, &tx.user_id()],
    )
    .await?;
    secrets::put(&tx, id, &secret, 0.0).await?;
    retire::start(&tx).await?;
    tx.emit(&Event::new(
        "webhooks.endpoint_created",
        id,
        json!({ "events": events }),
    ))
    .await?;
    tx.commit().await?;
    Ok(MadeEndpoint {
        id,
        secret: secret.shown,
    })
}

/// Changes an endpoint.
pub(super) async fn change(ctx: &Ctx, id: Uuid, new: &ChangedEndpoint) -> Result<()> {
    let url = match &new.url {
        Some(url) => Some(address(ctx, url).await?),
        None => None,
    };
    let description = new.description.as_deref().map(model::description).transpose()?;
    let events = new.events.as_deref().map(model::kinds).transpose()?;
    let tx = begin(ctx).await?;
    let row = tx
        .query_opt(
            "select disabled_at is null from webhooks.endpoints where org_id = $1 and id = $2 for no key update",
            &[&tx.org_id(), &id],
        )
        .await?
        .ok_or_else(not_found)?;
    let before: bool = row.try_get(0)?;
    let enabled = new.enabled.unwrap_or(before);
    if enabled && !before {
        in_plan(&tx).await?;
    }
    tx.execute(
        "update webhooks.endpoints set url = coalesce($3, url), description = coalesce($4, description), \
         events = coalesce($5, events), \
         failing_since = case when $6 and disabled_at is not null or $3 <> url then null else failing_since end, \
         disabled_because = case when $6 then null else coalesce(disabled_because, 'person') end, \
         disabled_at = case when $6 then null else coalesce(disabled_at, now()) end \
         where org_id = $1 and id = $2",
        &[&tx.org_id(), &id, &url, &description, &events, &enabled],
    )
    .await?;
    let kind = match (before, enabled) {
        (true, false) => "webhooks.endpoint_disabled",
        (false, true) => "webhooks.endpoint_enabled",
        _ => "webhooks.endpoint_changed",
    };
    let particulars = if before && !enabled {
        json!({ "because": "person" })
    } else {
        json!({})
    };
    tx.emit(&Event::new(kind, id, particulars)).await?;
    tx.commit().await
}

/// Removes an endpoint with its log. What waits for it is not sent.
pub(super) async fn remove(ctx: &Ctx, id: Uuid) -> Result<()> {
    let tx = begin(ctx).await?;
    let gone = tx
        .execute(
            "delete from webhooks.endpoints where org_id = $1 and id = $2",
            &[&tx.org_id(), &id],
        )
        .await?;
    if gone == 0 {
        return Err(not_found());
    }
    tx.emit(&Event::new("webhooks.endpoint_deleted", id, json!({})))
        .await?;
    tx.commit().await
}

/// Gives an endpoint a new secret; the old one signs beside it for a while.
pub(super) async fn rotate(ctx: &Ctx, id: Uuid, rotation: &Rotation) -> Result<RotatedSecret> {
    let hours = rotation.keep_hours.unwrap_or(USUAL_HOURS);
    if hours > MOST_HOURS {
        return Err(Error::unprocessable(
            "webhooks.keep_invalid",
            format!("An old secret is good for at most {MOST_HOURS} hours more."),
        ));
    }
    let secret = secrets::make(ctx).await?;
    let tx = begin(ctx).await?;
    tx.query_opt(
        "select from webhooks.endpoints where org_id = $1 and id = $2 for no key update",
        &[&tx.org_id(), &id],
    )
    .await?
    .ok_or_else(not_found)?;
    let old_secret_until = secrets::put(&tx, id, &secret, f64::from(hours) * 3600.0).await?;
    let row = id.to_string();
    let action = Action {
        table: Some("webhooks.endpoints"),
        row: Some(&row),
        details: json!({ "keep_hours": hours }),
        ..Action::new("webhooks.secret.rotate")
    };
    tx.audit(&action).await?;
    tx.emit(&Event::new(
        "webhooks.secret_rotated",
        id,
        json!({ "keep_hours": hours }),
    ))
    .await?;
    tx.commit().await?;
    Ok(RotatedSecret {
        secret: secret.shown,
        old_secret_until,
    })
}
