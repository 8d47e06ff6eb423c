//! A person makes a token with which a program acts as them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx, UserId, ctx::Identity};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::keys::{Kind, NewSecret};

/// Most tokens of one person that are good at a time.
const MAX_TOKENS: i64 = 50;

/// What a new token is for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewToken {
    /// For its owner.
    #[schema(example = "Reports on my laptop", min_length = 1, max_length = 80)]
    pub name: String,
    /// The only organisation it is good in; without, all of its owner's.
    #[serde(default)]
    pub organization: Option<Uuid>,
    /// Permissions and patterns that it is narrowed to, written out as they are now; without, whatever its owner may.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Days until it ends, at most 366; without, it does not end.
    #[serde(default)]
    pub expires_in_days: Option<u32>,
}

/// What a token may be narrowed to. One that may do a part of what its owner does shall not let in others or give away roles: what it
/// cannot do itself, those could.
fn narrowed(names: BTreeSet<&'static str>) -> Result<Vec<&'static str>> {
    let people: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| super::for_people(name))
        .collect();
    if people.is_empty() {
        return Ok(names.into_iter().collect());
    }
    Err(Error::unprocessable(
        "access.scope_not_for_keys",
        "A narrowed token cannot have these permissions.",
    )
    .details(format!("For people only: {}.", people.join(", ")))
    .hint("Leave them out, or make a token that may do whatever you may."))
}

/// Makes a token; gives its id and its text, which is shown this once. It never does more than its owner may at that moment.
pub async fn create_token(
    kernel: &Kernel,
    user: UserId,
    identity: &Identity,
    new: &NewToken,
) -> Result<(Uuid, String)> {
    let env = kernel.env();
    let name = super::name(&new.name)?;
    let now = env.now();
    let expires_at = super::expiry(now, new.expires_in_days)?;
    let scopes: Option<Vec<&str>> = match &new.scopes {
        Some(scopes) => Some(narrowed(super::granted(kernel, scopes, &[])?)?),
        None => None,
    };
    let claims: Value = serde_json::from_str(&identity.claims).unwrap_or_default();
    let aal = match claims["aal"].as_str() {
        Some("aal2") => "aal2",
        _ => "aal1",
    };
    let tx = SystemTx::begin(kernel.db(), "new token").await?;
    let email: Option<String> = tx
        .query_one("select email from auth.users where id = $1 for update", &[&user])
        .await?
        .try_get(0)?;
    if email.is_none() {
        return Err(
            Error::forbidden("access.address_needed", "A visitor's account has no tokens.")
                .hint("Add an e-mail address and a password to the account first."),
        );
    }
    if let Some(org) = new.organization {
        tx.query_opt(
            "select from tenancy.memberships where org_id = $1 and user_id = $2 and suspended_at is null",
            &[&org, &user],
        )
        .await?
        .ok_or_else(|| Error::not_found("tenancy.org_not_found", "There is no such organisation."))?;
    }
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.api_keys where user_id = $1 and revoked_at is null \
             and (expires_at is null or expires_at > $2)",
            &[&user, &now],
        )
        .await?
        .try_get(0)?;
    if count >= MAX_TOKENS {
        return Err(Error::unprocessable(
            "access.too_many",
            format!("A person has at most {MAX_TOKENS} tokens at a time."),
        )
        .hint("Revoke one that is not needed any more."));
    }
    let (id, secret) = (env.new_id(), NewSecret::generate(env, Kind::Personal));
    tx.execute(
        "insert into tenancy.api_keys (id, kind, org_id, user_id, name, prefix, secret_hash, scopes, aal, created_by, created_at, \
         expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $4, $10, $11)",
        &[
            &id,
            &Kind::Personal.as_str(),
            &new.organization,
            &user,
            &name,
            &secret.shown,
            &secret.hash,
            &scopes,
            &aal,
            &now,
            &expires_at,
        ],
    )
    .await?;
    let traits =
        serde_json::json!({ "token_id": id, "prefix": secret.shown, "organization": new.organization });
    crate::identity::audit::record(&tx, env, Some(user.0), "personal_token_created", traits).await?;
    tx.commit().await?;
    Ok((id, secret.text))
}
