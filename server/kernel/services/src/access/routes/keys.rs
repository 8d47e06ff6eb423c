//! Keys with which programs speak for the organisation.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Result, SystemTx,
    http::{ErrorBody, Json, Path, Permit},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::{
    commands::{self, KeyKind, NewKey},
    keys::access_key,
    permissions::{KeysManage, KeysRead},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
}

/// A key of the organisation. Its text is not kept.
#[derive(Debug, Serialize, ToSchema)]
struct Key {
    id: Uuid,
    kind: KeyKind,
    name: String,
    /// Its first letters.
    prefix: String,
    /// The access key for S3 clients, if it is one of theirs.
    access_key_id: Option<String>,
    scopes: Vec<String>,
    created_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// Whether it is good for nothing for now: the organisation's plan has no keys, or whoever made it is suspended.
    paused: bool,
    /// To the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// A new key, whose texts are shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct MadeKey {
    /// Its id.
    id: Uuid,
    /// The secret, sent as `Authorization: Bearer` or as `apikey`.
    secret: String,
    /// For S3 clients: the access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// For S3 clients: what they sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<String>,
}

/// The organisation's keys, newest first, at most 500.
#[utoipa::path(get, path = "/api/v1/access/keys", tag = "access",
    responses((status = 200, body = Vec<Key>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_keys(permit: Permit<KeysRead>) -> Result<Json<Vec<Key>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "keys").await?;
    let rows = tx
        .query(
            "select k.id, k.kind, k.name, k.prefix, k.scopes, coalesce(u.raw_user_meta_data ->> 'name', u.email), k.created_at, \
             k.expires_at, k.revoked_at, k.last_used_at, not tenancy.has_feature(o.plan, o.settings, 'api_keys') \
             or k.kind = 'secret' and coalesce(m.suspended_at is not null or m.barred_until > $2, false), s.key_id is not null \
             from tenancy.api_keys k join tenancy.organizations o on o.id = k.org_id \
             left join auth.users u on u.id = k.created_by left join tenancy.s3_secrets s on s.key_id = k.id \
             left join tenancy.memberships m on m.org_id = k.org_id and m.user_id = k.created_by \
             where k.org_id = $1 and k.kind <> 'personal' order by k.created_at desc, k.id limit 500",
            &[&ctx.org_id(), &ctx.kernel().env().now()],
        )
        .await?;
    tx.commit().await?;
    let keys = rows.iter().map(|row| {
        let (id, kind, signs): (Uuid, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(11)?);
        Ok(Key {
            id,
            access_key_id: signs.then(|| access_key(id)),
            kind: if kind == "publishable" {
                KeyKind::Publishable
            } else {
                KeyKind::Secret
            },
            name: row.try_get(2)?,
            prefix: row.try_get(3)?,
            scopes: row.try_get(4)?,
            created_by: row.try_get(5)?,
            created_at: row.try_get(6)?,
            expires_at: row.try_get(7)?,
            revoked_at: row.try_get(8)?,
            last_used_at: row.try_get(9)?,
            paused: row.try_get(10)?,
        })
    });
    keys.collect::<Result<_>>().map(Json)
}

/// Makes a key; it may do nothing that its maker may not.
#[utoipa::path(post, path = "/api/v1/access/keys", tag = "access", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_key(
    permit: Permit<KeysManage>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>)> {
    let made = commands::create_key(permit.ctx(), &new).await?;
    let (access_key_id, secret_access_key) = made.s3.unzip();
    let made = MadeKey {
        id: made.id,
        secret: made.secret,
        access_key_id,
        secret_access_key,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Makes a key good for nothing, at once and for good.
#[utoipa::path(delete, path = "/api/v1/access/keys/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn revoke_key(permit: Permit<KeysManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::revoke_key(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
