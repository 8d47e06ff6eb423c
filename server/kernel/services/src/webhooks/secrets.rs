//! Secrets of endpoints: made, replaced, and brought out to sign with.

use jiff::Timestamp;
use tenon_sdk::{
    Ctx, OrgId, Result, SystemTx, TenantTx,
    secrets::{Plain, Sealed},
};
use uuid::Uuid;

use super::{SECRETS, sign};

/// A secret that is not written yet.
pub(super) struct Made {
    id: Uuid,
    sealed: Sealed,
    /// As it is shown this once.
    pub(super) shown: String,
}

/// Makes a secret. Not with a transaction open: the first of an organisation makes a key.
pub(super) async fn make(ctx: &Ctx) -> Result<Made> {
    let env = ctx.kernel().env();
    let (id, secret) = (env.new_id(), sign::new_secret(env));
    let sealed = SECRETS
        .seal(
            ctx.kernel().secrets(),
            Some(ctx.org_id()),
            &id.to_string(),
            secret.expose(),
        )
        .await?;
    Ok(Made {
        id,
        sealed,
        shown: sign::shown(&secret),
    })
}

/// Writes a secret down; those that the endpoint had are good for so many seconds more. Gives until when, if there were any.
pub(super) async fn put(
    tx: &TenantTx,
    endpoint: Uuid,
    made: &Made,
    keep_seconds: f64,
) -> Result<Option<Timestamp>> {
    let sql = "select webhooks.put_secret($1, $2, $3, $4)";
    let row = tx
        .query_one(sql, &[&endpoint, &made.id, &made.sealed, &keep_seconds])
        .await?;
    Ok(row.try_get(0)?)
}

/// What an endpoint's messages are signed with, youngest first.
pub(super) async fn valid(ctx: &Ctx, endpoint: Uuid) -> Result<Vec<Plain>> {
    let (kernel, org): (_, OrgId) = (ctx.kernel(), ctx.org_id());
    let tx = SystemTx::begin(kernel.db(), "secrets of a webhook").await?;
    let rows = tx
        .query(
            "select id, sealed from webhooks.secrets where org_id = $1 and endpoint_id = $2 \
             and (expires_at is null or expires_at > now()) order by created_at desc, id desc",
            &[&org, &endpoint],
        )
        .await?;
    tx.commit().await?;
    let mut secrets = Vec::new();
    for row in &rows {
        let (id, sealed): (Uuid, Sealed) = (row.try_get(0)?, row.try_get(1)?);
        secrets.push(
            SECRETS
                .open(kernel.secrets(), Some(org), &id.to_string(), &sealed)
                .await?,
        );
    }
    Ok(secrets)
}
