//! `/api/v1/access`.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ErrorBody, Json, Path, Permit, Query, Tx},
    module::Routes,
    permission::Role,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    commands::{self, AssignedRole, KeyKind, NewKey, NewToken, Reach, RoleText},
    model,
    permissions::{
        KeysManage, KeysRead, ReviewRead, RolesManage, RolesRead, SpacesManage, SpacesRead, SupportEnd,
        SupportRead,
    },
    review::{self, Filter, Review},
    spaces::{self, Space, SpaceMembers, SpaceText},
};
use crate::identity::require_session;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_roles, create_role))
        .routes(routes!(preview_role))
        .routes(routes!(update_role, remove_role))
        .routes(routes!(role_members))
        .routes(routes!(assign_role))
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(access_review))
        .routes(routes!(access_review_table))
        .routes(routes!(list_spaces, create_space))
        .routes(routes!(rename_space))
        .routes(routes!(archive_space))
        .routes(routes!(set_space_members))
        .routes(routes!(list_support))
        .routes(routes!(end_support))
}

/// A permission as people read it.
#[derive(Debug, Serialize, ToSchema)]
struct PermissionInfo {
    /// `app.thing.verb`.
    name: &'static str,
    /// The title of the module that declares it.
    module: &'static str,
    /// What it allows.
    description: &'static str,
    /// The weakest built-in role that has it.
    from: Role,
    /// Whether the caller has it.
    own: bool,
}

/// A role of the organisation's own.
#[derive(Debug, Serialize, ToSchema)]
struct CustomRole {
    id: Uuid,
    /// Its name as a word.
    key: String,
    name: String,
    description: String,
    includes: Vec<String>,
    excludes: Vec<String>,
    /// What it grants, those of disabled apps, too.
    permissions: Vec<String>,
    /// How many members have it.
    members: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// All roles, and the permissions that they are made of.
#[derive(Debug, Serialize, ToSchema)]
struct Roles {
    /// All permissions of the installation, by name.
    permissions: Vec<PermissionInfo>,
    /// Roles of the organisation's own, by name.
    custom: Vec<CustomRole>,
}

/// The roles of the organisation and what they allow.
#[utoipa::path(get, path = "/api/v1/access/roles", tag = "access",
    responses((status = 200, body = Roles), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_roles(permit: Permit<RolesRead>) -> Result<Json<Roles>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "roles").await?;
    let rows = tx
        .query(
            "select r.id, r.key, r.name, r.description, r.includes, r.excludes, r.granted, r.updated_at, \
             (select count(*) from tenancy.memberships m where m.org_id = r.org_id and m.custom_role = r.id) \
             from tenancy.roles r where r.org_id = $1 order by lower(r.name), r.id",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    let mut permissions = Vec::new();
    for module in ctx.kernel().modules() {
        permissions.extend(module.permissions.iter().map(|def| PermissionInfo {
            name: def.name,
            module: module.title,
            description: def.description,
            from: def.from,
            own: ctx.resolved().is_some_and(|resolved| resolved.has(def.name)),
        }));
    }
    permissions.sort_unstable_by_key(|permission| permission.name);
    let custom = rows
        .iter()
        .map(|row| {
            let granted: String = row.try_get(6)?;
            Ok(CustomRole {
                id: row.try_get(0)?,
                key: row.try_get(1)?,
                name: row.try_get(2)?,
                description: row.try_get(3)?,
                includes: row.try_get(4)?,
                excludes: row.try_get(5)?,
                permissions: model::split(&granted).map(str::to_owned).collect(),
                members: row.try_get(8)?,
                updated_at: row.try_get(7)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Json(Roles { permissions, custom }))
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    /// Its id.
    id: Uuid,
}

/// Makes a role of the organisation's own; it grants nothing that its maker does not have.
#[utoipa::path(post, path = "/api/v1/access/roles", tag = "access", request_body = RoleText,
    responses((status = 201, body = Made), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_role(
    permit: Permit<RolesManage>,
    Json(text): Json<RoleText>,
) -> Result<(StatusCode, Json<Made>)> {
    let id = commands::create_role(permit.ctx(), &text).await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// Patterns to be tried.
#[derive(Debug, Deserialize, ToSchema)]
struct Patterns {
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
}

/// What patterns would grant.
#[derive(Debug, Serialize, ToSchema)]
struct Preview {
    /// Names of permissions.
    granted: Vec<&'static str>,
    /// Those of them that the caller does not have, and so cannot give.
    beyond: Vec<&'static str>,
    /// Patterns that name nothing.
    unknown: Vec<String>,
}

/// What patterns would grant, before a role is made of them. Changes nothing.
#[utoipa::path(post, path = "/api/v1/access/roles/preview", tag = "access", request_body = Patterns,
    responses((status = 200, body = Preview), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn preview_role(permit: Permit<RolesRead>, Json(asked): Json<Patterns>) -> Result<Json<Preview>> {
    let ctx = permit.ctx();
    let Patterns { includes, excludes } = asked;
    if includes.len() > 200 || excludes.len() > 200 {
        return Err(Error::unprocessable(
            "access.pattern_invalid",
            "Name at most 200 permissions or patterns.",
        ));
    }
    let all = || commands::all(ctx.kernel()).map(|def| def.name);
    let known = |pattern: &String| {
        model::is_pattern(pattern) && all().any(|permission| model::names(pattern, permission))
    };
    let granted = model::expand(&includes, &excludes, all());
    let tx = SystemTx::begin(ctx.kernel().db(), "preview of a role").await?;
    let reach = Reach::of(ctx, &tx).await?;
    tx.commit().await?;
    let beyond = reach.beyond(granted.iter().copied());
    let unknown = includes
        .into_iter()
        .chain(excludes)
        .filter(|pattern| !known(pattern));
    Ok(Json(Preview {
        granted: granted.into_iter().collect(),
        beyond,
        unknown: unknown.collect(),
    }))
}

/// Writes a role anew, as a whole.
#[utoipa::path(put, path = "/api/v1/access/roles/{id}", tag = "access", request_body = RoleText, params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update_role(
    permit: Permit<RolesManage>,
    Path(id): Path<Uuid>,
    Json(text): Json<RoleText>,
) -> Result<StatusCode> {
    commands::update_role(permit.ctx(), id, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a role that nobody has.
#[utoipa::path(delete, path = "/api/v1/access/roles/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn remove_role(permit: Permit<RolesManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::remove_role(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member and their roles.
#[derive(Debug, Serialize, ToSchema)]
struct RoleMember {
    id: Uuid,
    name: String,
    email: Option<String>,
    department: Option<String>,
    /// The built-in role.
    role: Role,
    /// A role of the organisation's own.
    custom_role: Option<Uuid>,
    /// Whether that one counts alone.
    custom_only: bool,
}

/// Members with their built-in and own roles, at most 10,000.
#[utoipa::path(get, path = "/api/v1/access/members", tag = "access",
    responses((status = 200, body = Vec<RoleMember>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn role_members(permit: Permit<RolesRead>) -> Result<Json<Vec<RoleMember>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "members and roles").await?;
    let rows = tx
        .query(
            "select u.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), u.email, m.department, m.role, \
             m.custom_role, m.custom_only from tenancy.memberships m join auth.users u on u.id = m.user_id \
             where m.org_id = $1 order by 2, u.id limit 10000",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    let members = rows.iter().map(|row| {
        let role: String = row.try_get(4)?;
        Ok(RoleMember {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            department: row.try_get(3)?,
            role: Role::parse(&role).ok_or_else(|| Error::internal("unknown role of member"))?,
            custom_role: row.try_get(5)?,
            custom_only: row.try_get(6)?,
        })
    });
    members.collect::<Result<_>>().map(Json)
}

/// Gives a member a role of the organisation's own, or takes it away.
#[utoipa::path(put, path = "/api/v1/access/members/{id}/role", tag = "access", request_body = AssignedRole,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn assign_role(
    permit: Permit<RolesManage>,
    Path(id): Path<Uuid>,
    Json(assigned): Json<AssignedRole>,
) -> Result<StatusCode> {
    commands::assign_role(permit.ctx(), id, &assigned).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key of the organisation. Its text is not kept.
#[derive(Debug, Serialize, ToSchema)]
struct Key {
    id: Uuid,
    kind: KeyKind,
    name: String,
    /// Its first letters.
    prefix: String,
    scopes: Vec<String>,
    created_by: Option<String>,
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
             k.expires_at, k.revoked_at, k.last_used_at from tenancy.api_keys k left join auth.users u on u.id = k.created_by \
             where k.org_id = $1 and k.kind <> 'personal' order by k.created_at desc, k.id limit 500",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    let keys = rows.iter().map(|row| {
        let kind: String = row.try_get(1)?;
        Ok(Key {
            id: row.try_get(0)?,
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
        })
    });
    keys.collect::<Result<_>>().map(Json)
}

/// Something whose text is shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct MadeSecret {
    /// Its id.
    id: Uuid,
    /// The secret, sent as `Authorization: Bearer` or as `apikey`.
    secret: String,
}

/// Makes a key; it may do nothing that its maker may not.
#[utoipa::path(post, path = "/api/v1/access/keys", tag = "access", request_body = NewKey,
    responses((status = 201, body = MadeSecret), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_key(
    permit: Permit<KeysManage>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<MadeSecret>)> {
    let (id, secret) = commands::create_key(permit.ctx(), &new).await?;
    Ok((StatusCode::CREATED, Json(MadeSecret { id, secret })))
}

/// Makes a key good for nothing, at once and for good.
#[utoipa::path(delete, path = "/api/v1/access/keys/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn revoke_key(permit: Permit<KeysManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::revoke_key(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
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

/// Who can do what in the organisation, and why.
#[utoipa::path(get, path = "/api/v1/access/review", tag = "access", params(Filter),
    responses((status = 200, body = Review), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn access_review(permit: Permit<ReviewRead>, Query(filter): Query<Filter>) -> Result<Json<Review>> {
    review::page(permit.ctx(), &filter).await.map(Json)
}

/// The same as a table (CSV) with a line for each principal and permission; pages do not count.
#[utoipa::path(get, path = "/api/v1/access/review.csv", tag = "access", params(Filter),
    responses((status = 200, content_type = "text/csv", body = String), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn access_review_table(permit: Permit<ReviewRead>, Query(filter): Query<Filter>) -> Result<Response> {
    let table = review::table(permit.ctx(), &filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"access-review.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table).into_response())
}

/// All spaces of the organisation, and whether the caller is in them.
#[utoipa::path(get, path = "/api/v1/access/spaces", tag = "access",
    responses((status = 200, body = Vec<Space>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_spaces(tx: Tx<SpacesRead>) -> Result<Json<Vec<Space>>> {
    let spaces = spaces::list(&tx).await?;
    tx.commit().await?;
    Ok(Json(spaces))
}

/// Makes a space.
#[utoipa::path(post, path = "/api/v1/access/spaces", tag = "access", request_body = SpaceText,
    responses((status = 201, body = Made), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_space(tx: Tx<SpacesManage>, Json(text): Json<SpaceText>) -> Result<(StatusCode, Json<Made>)> {
    let id = spaces::create(&tx, &text).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// Gives a space another name and description.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}", tag = "access", request_body = SpaceText, params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn rename_space(
    tx: Tx<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(text): Json<SpaceText>,
) -> Result<StatusCode> {
    spaces::rename(&tx, id, &text).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a space is put away.
#[derive(Debug, Deserialize, ToSchema)]
struct Archived {
    archived: bool,
}

/// Puts a space away, or takes it out again.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}/archived", tag = "access", request_body = Archived,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn archive_space(
    tx: Tx<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(wanted): Json<Archived>,
) -> Result<StatusCode> {
    spaces::archive(&tx, id, wanted.archived).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says who is in a space.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}/members", tag = "access", request_body = SpaceMembers,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn set_space_members(
    permit: Permit<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(members): Json<SpaceMembers>,
) -> Result<StatusCode> {
    spaces::set_members(permit.ctx(), id, &members).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A time at which an operator of the installation was in the organisation to help.
#[derive(Debug, Serialize, ToSchema)]
struct SupportVisit {
    id: Uuid,
    /// The operator's name or address.
    operator: String,
    /// Why.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ends or ended by itself.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// When it was ended before.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Whether the operator is in now.
    active: bool,
}

/// When operators of the installation were in the organisation, newest first, at most 200.
#[utoipa::path(get, path = "/api/v1/access/support", tag = "access",
    responses((status = 200, body = Vec<SupportVisit>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_support(permit: Permit<SupportRead>) -> Result<Json<Vec<SupportVisit>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "visits of support").await?;
    let rows = tx
        .query(
            "select s.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), s.reason, s.started_at, s.ends_at, s.ended_at, \
             s.ended_at is null and s.ends_at > $2 from tenancy.support_access s join auth.users u on u.id = s.operator \
             where s.org_id = $1 order by s.started_at desc, s.id limit 200",
            &[&ctx.org_id(), &ctx.kernel().env().now()],
        )
        .await?;
    tx.commit().await?;
    let visits = rows.iter().map(|row| {
        Ok(SupportVisit {
            id: row.try_get(0)?,
            operator: row.try_get(1)?,
            reason: row.try_get(2)?,
            started_at: row.try_get(3)?,
            ends_at: row.try_get(4)?,
            ended_at: row.try_get(5)?,
            active: row.try_get(6)?,
        })
    });
    visits.collect::<Result<_>>().map(Json)
}

/// Sends an operator of the installation away, at once.
#[utoipa::path(delete, path = "/api/v1/access/support/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn end_support(permit: Permit<SupportEnd>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let ctx = permit.ctx();
    commands::end_support(ctx.kernel(), ctx.org_id(), id, ctx.user_id(), None).await?;
    Ok(StatusCode::NO_CONTENT)
}
