//! People's accounts, for programs of the operator's own.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::ClientAddress};
use uuid::Uuid;

use super::{Admin, attributes::Attributes};
use crate::identity::{
    audit, errors,
    hooks::Newcomer,
    routes::{Service, read},
    users::{self, User},
};

/// Most people on one page.
const MOST: i64 = 1000;

#[derive(Deserialize)]
pub(in crate::identity) struct Page {
    page: Option<String>,
    per_page: Option<String>,
}

impl Page {
    /// The page's number, from 1, and how many stand on it. What is empty is the default, as the clients expect.
    ///
    /// Errors: `validation_failed` for what is no number above 0.
    pub(in crate::identity) fn read(&self) -> Result<(i64, i64)> {
        let number = |text: &Option<String>, default: i64| match text.as_deref() {
            None | Some("") => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                Error::invalid("validation_failed", "Bad Pagination Parameters")
                    .hint("page and per_page are whole numbers above 0.")
            }),
        };
        Ok((
            number(&self.page, 1)?.min(1_000_000),
            number(&self.per_page, 50)?.min(MOST),
        ))
    }
}

/// `Link` and `X-Total-Count` for a page.
pub(in crate::identity) fn page_headers(
    path: &str,
    page: i64,
    size: i64,
    total: i64,
) -> [(HeaderName, HeaderValue); 2] {
    let last = (total + size - 1) / size;
    let mut links = Vec::new();
    if page < last {
        links.push(format!(
            "<{path}?page={}&per_page={size}>; rel=\"next\"",
            page + 1
        ));
    }
    links.push(format!(
        "<{path}?page={}&per_page={size}>; rel=\"last\"",
        last.max(1)
    ));
    let value = HeaderValue::try_from(links.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
    [
        (header::LINK, value),
        (HeaderName::from_static("x-total-count"), HeaderValue::from(total)),
    ]
}

pub(super) async fn list(_: Admin, service: Service, Query(page): Query<Page>) -> Result<impl IntoResponse> {
    let (page, size) = page.read()?;
    let tx = SystemTx::begin(&service.0.0.db, "list of users").await?;
    let rows = tx
        .query(
            &format!(
                "select {} from auth.users order by created_at desc, id desc limit $1 offset $2",
                users::COLUMNS
            ),
            &[&size, &((page - 1) * size)],
        )
        .await?;
    let total: i64 = tx
        .query_one("select count(*) from auth.users", &[])
        .await?
        .try_get(0)?;
    tx.commit().await?;
    let users = rows
        .iter()
        .map(|row| Ok(User::from_row(row)?.to_json()))
        .collect::<Result<Vec<Value>>>()?;
    Ok((
        page_headers("/auth/v1/admin/users", page, size, total),
        Json(json!({ "users": users, "aud": "authenticated" })),
    ))
}

pub(super) async fn create(
    _: Admin,
    service: Service,
    client: ClientAddress,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let asked: Attributes = read(&body)?;
    let id = asked.id.unwrap_or_else(|| service.0.0.env.new_id());
    let checked = asked.check(&service).await?;
    if checked.email.is_none() && checked.phone.is_none() {
        return Err(Error::invalid(
            "validation_failed",
            "Cannot create a user without either an email or phone",
        ));
    }
    let data = checked.data();
    let newcomer = Newcomer {
        email: checked.email.as_deref().unwrap_or_default(),
        phone: checked.phone.as_deref().unwrap_or_default(),
        data: &data,
        provider: checked.first_way(),
    };
    service.before_user_created(client, &newcomer).await?;
    let tx = SystemTx::begin(&service.0.0.db, "user made by the operator").await?;
    let inserted = tx
        .execute(
            "insert into auth.users (id, raw_app_meta_data, created_at, updated_at) \
             values ($1, $2, $3, $3) on conflict do nothing",
            &[&id, &checked.ways_in(), &service.0.0.env.now()],
        )
        .await?;
    if inserted == 0 {
        return Err(Error::unprocessable(
            "user_already_exists",
            "A user with this id exists already.",
        ));
    }
    let user = checked.apply(&service, &tx, id).await?;
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_signedup",
        json!({ "user_id": id }),
    )
    .await?;
    tx.commit().await?;
    service.after_user_created(client, id);
    Ok(Json(user.to_json()))
}

/// The id of a path; what is none is refused as the clients expect.
pub(in crate::identity) fn id(text: &str) -> Result<Uuid> {
    text.parse()
        .map_err(|_| Error::not_found("validation_failed", "user_id must be an UUID"))
}

pub(super) async fn one(_: Admin, service: Service, Path(user): Path<String>) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "user for the operator").await?;
    let user = users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

pub(super) async fn update(
    _: Admin,
    service: Service,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let checked = read::<Attributes>(&body)?.check(&service).await?;
    let tx = SystemTx::begin(&service.0.0.db, "user changed by the operator").await?;
    let user = checked.apply(&service, &tx, user).await?;
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_modified",
        json!({ "user_id": user.id }),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

#[derive(Default, Deserialize)]
struct Delete {
    #[serde(default)]
    should_soft_delete: bool,
}

pub(super) async fn delete(
    _: Admin,
    service: Service,
    State(kernel): State<Kernel>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let ask: Delete = if body.is_empty() {
        Delete::default()
    } else {
        read(&body)?
    };
    let tx = SystemTx::begin(&service.0.0.db, "user deleted by the operator").await?;
    if ask.should_soft_delete {
        users::erase(&kernel, &tx, user).await?;
    } else {
        users::delete(&kernel, &tx, user).await?;
    }
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_deleted",
        json!({ "user_id": user, "erased": ask.should_soft_delete }),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

pub(super) async fn export(
    _: Admin,
    service: Service,
    State(kernel): State<Kernel>,
    Path(user): Path<String>,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let export = users::export(&kernel, user).await?;
    let tx = SystemTx::begin(&service.0.0.db, "export of a user").await?;
    let traits = json!({ "user_id": user });
    audit::record(&tx, kernel.env(), None, "user_data_exported", traits).await?;
    tx.commit().await?;
    Ok(Json(export))
}

pub(super) async fn audit(_: Admin, service: Service, Query(page): Query<Page>) -> Result<impl IntoResponse> {
    let (page, size) = page.read()?;
    let tx = SystemTx::begin(&service.0.0.db, "audit log").await?;
    let rows = tx
        .query(
            "select jsonb_build_object('id', id, 'payload', payload, 'created_at', created_at, \
             'ip_address', ip_address) from auth.audit_log_entries \
             order by created_at desc, id desc limit $1 offset $2",
            &[&size, &((page - 1) * size)],
        )
        .await?;
    let total: i64 = tx
        .query_one("select count(*) from auth.audit_log_entries", &[])
        .await?
        .try_get(0)?;
    tx.commit().await?;
    let entries = rows
        .iter()
        .map(|row| row.try_get(0).map_err(Error::from))
        .collect::<Result<Vec<Value>>>()?;
    Ok((
        page_headers("/auth/v1/admin/audit", page, size, total),
        Json(entries),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_links_to_the_next_and_the_last() {
        let [(_, link), (_, total)] = page_headers("/x", 1, 10, 21);
        assert_eq!(
            link,
            "</x?page=2&per_page=10>; rel=\"next\", </x?page=3&per_page=10>; rel=\"last\""
        );
        assert_eq!(total, "21");
        let [(_, link), _] = page_headers("/x", 1, 10, 0);
        assert_eq!(link, "</x?page=1&per_page=10>; rel=\"last\"");
    }

    #[test]
    fn what_is_no_page_is_refused_and_what_is_empty_the_default() {
        let read = |page: &str, size: &str| {
            Page {
                page: Some(page.into()),
                per_page: Some(size.into()),
            }
            .read()
        };
        assert_eq!(read("", "").ok(), Some((1, 50)));
        assert_eq!(read("2", "99999").ok(), Some((2, MOST)));
        for (page, per_page) in [("-3", ""), ("", "0"), ("x", ""), ("", "9223372036854775808")] {
            assert_eq!(read(page, per_page).unwrap_err().code, "validation_failed");
        }
    }
}
