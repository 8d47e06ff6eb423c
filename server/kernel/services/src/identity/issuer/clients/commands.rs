//! What is done to programs by those who look after them: the operator's own programs, and operators in their console. Whoever calls has
//! made sure that they may.

use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx, env::Env};
use uuid::Uuid;

use super::{super::super::audit, COLUMNS, Client, hash, insert, metadata::Metadata};

pub(crate) use super::metadata::Asked;

/// What a program would be after this.
///
/// Errors: `refuse`'s, with what is wrong.
pub(crate) fn check(asked: Asked, old: Option<&Client>, refuse: fn(String) -> Error) -> Result<Metadata> {
    let checked = match old {
        Some(old) => asked.over(old.metadata.clone()),
        None => asked.fresh(),
    };
    let metadata = checked.map_err(|fault| refuse(fault.description.into_owned()))?;
    if old.is_some_and(|old| old.confidential() != metadata.confidential()) {
        return Err(refuse("A program stays public or confidential.".to_owned()).hint("Register it anew."));
    }
    Ok(metadata)
}

/// A program that nobody else changes until the end of the transaction.
pub(crate) async fn locked(tx: &SystemTx, id: Uuid) -> Result<Option<Client>> {
    let row = tx
        .query_opt(
            &format!("select {COLUMNS} from auth.oauth_clients c where c.id = $1 for update"),
            &[&id],
        )
        .await?;
    row.as_ref().map(Client::from_row).transpose()
}

/// Registers a program; gives its secret, if it has one, which is never seen again.
pub(crate) async fn create(
    env: &Env,
    tx: &SystemTx,
    by: Option<Uuid>,
    metadata: &Metadata,
) -> Result<(Client, Option<String>)> {
    let (client, secret) = insert(env, tx, metadata, "manual").await?;
    record(env, tx, by, "oauth_client_created", &client).await?;
    Ok((client, secret))
}

pub(crate) async fn change(
    env: &Env,
    tx: &SystemTx,
    by: Option<Uuid>,
    client: &Client,
    metadata: &Metadata,
) -> Result<Client> {
    let row = tx
        .query_one(
            &format!(
                "update auth.oauth_clients c set token_endpoint_auth_method = $2, redirect_uris = $3, \
                 grant_types = $4, client_name = $5, client_uri = $6, logo_uri = $7, scope = $8, updated_at = $9 \
                 where c.id = $1 returning {COLUMNS}"
            ),
            &[
                &client.id,
                &metadata.method,
                &metadata.redirect_uris,
                &metadata.grant_types,
                &metadata.name,
                &metadata.uri,
                &metadata.logo_uri,
                &metadata.scope,
                &env.now(),
            ],
        )
        .await?;
    let changed = Client::from_row(&row)?;
    record(env, tx, by, "oauth_client_updated", &changed).await?;
    Ok(changed)
}

/// Gives a program another secret; the old one is void at once. None for one that has no secret.
pub(crate) async fn renew_secret(
    env: &Env,
    tx: &SystemTx,
    by: Option<Uuid>,
    client: &Client,
) -> Result<Option<String>> {
    if !client.confidential() {
        return Ok(None);
    }
    let secret = env.new_secret::<32>();
    tx.execute(
        "update auth.oauth_clients set client_secret_hash = $2, updated_at = $3 where id = $1",
        &[&client.id, &hash(&secret), &env.now()],
    )
    .await?;
    record(env, tx, by, "oauth_client_secret_regenerated", client).await?;
    Ok(Some(secret))
}

/// Forgets a program; its sessions and grants end with it.
pub(crate) async fn remove(env: &Env, tx: &SystemTx, by: Option<Uuid>, client: &Client) -> Result<()> {
    tx.execute("delete from auth.oauth_clients where id = $1", &[&client.id])
        .await?;
    record(env, tx, by, "oauth_client_deleted", client).await
}

async fn record(env: &Env, tx: &SystemTx, by: Option<Uuid>, action: &str, client: &Client) -> Result<()> {
    let traits = json!({ "client_id": client.id, "client_name": client.metadata.name });
    audit::record(tx, env, by, action, traits).await
}
