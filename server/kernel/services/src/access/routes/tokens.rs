//! A person's own tokens.

use axum::{extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ErrorBody, Json, Path},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    super::commands::{self, NewToken},
    MadeSecret,
};
use crate::identity::require_session;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
}

/// Tokens are managed by whoever signed in: one that leaked shall not make others.
async fn signed_in(kernel: &Kernel, caller: &Caller) -> Result<()> {
    if caller.identity.session.is_some() {
        return require_session(kernel, caller).await;
    }
    Err(
        Error::forbidden("access.session_required", "Sign in to manage your tokens.")
            .details("A token cannot make, see or revoke tokens."),
    )
}

/// A personal token. Its text is not kept.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    id: Uuid,
    name: String,
    /// Its first letters.
    prefix: String,
    /// The only organisation it is good in.
    organization: Option<TokenOrganization>,
    /// What it is narrowed to.
    scopes: Option<Vec<String>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// To the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// The organisation of a token.
#[derive(Debug, Serialize, ToSchema)]
struct TokenOrganization {
    id: Uuid,
    name: String,
}

/// The caller's own tokens, newest first, at most 500.
#[utoipa::path(get, path = "/api/v1/access/tokens", tag = "access",
    responses((status = 200, body = Vec<Token>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn list_tokens(caller: Caller, State(kernel): State<Kernel>) -> Result<Json<Vec<Token>>> {
    signed_in(&kernel, &caller).await?;
    let tx = SystemTx::begin(kernel.db(), "own tokens").await?;
    let rows = tx
        .query(
            "select k.id, k.name, k.prefix, o.id, o.name, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at \
             from tenancy.api_keys k left join tenancy.organizations o on o.id = k.org_id \
             where k.user_id = $1 order by k.created_at desc, k.id limit 500",
            &[&caller.user],
        )
        .await?;
    tx.commit().await?;
    let tokens = rows.iter().map(|row| {
        let organization: Option<Uuid> = row.try_get(3)?;
        let name: Option<String> = row.try_get(4)?;
        Ok(Token {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            prefix: row.try_get(2)?,
            organization: organization.map(|id| TokenOrganization {
                id,
                name: name.unwrap_or_default(),
            }),
            scopes: row.try_get(5)?,
            created_at: row.try_get(6)?,
            expires_at: row.try_get(7)?,
            revoked_at: row.try_get(8)?,
            last_used_at: row.try_get(9)?,
        })
    });
    tokens.collect::<Result<_>>().map(Json)
}

/// Makes a personal token. It acts as its owner and never does more than they may.
#[utoipa::path(post, path = "/api/v1/access/tokens", tag = "access", request_body = NewToken,
    responses((status = 201, body = MadeSecret), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_token(
    caller: Caller,
    State(kernel): State<Kernel>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeSecret>)> {
    signed_in(&kernel, &caller).await?;
    let (id, secret) = commands::create_token(&kernel, caller.user, &caller.identity, &new).await?;
    Ok((StatusCode::CREATED, Json(MadeSecret { id, secret })))
}

/// Makes one of the caller's tokens good for nothing.
#[utoipa::path(delete, path = "/api/v1/access/tokens/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn revoke_token(
    caller: Caller,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    signed_in(&kernel, &caller).await?;
    commands::revoke_token(&kernel, caller.user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
