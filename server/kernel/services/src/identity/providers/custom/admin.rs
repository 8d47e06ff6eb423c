//! `/auth/v1/admin/custom-providers`, for programs with the service key.

use std::collections::BTreeSet;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx};

use super::{
    Custom, Kind, MOST,
    asked::{Asked, check_addresses, identifier},
    object,
};
use crate::identity::{
    Identity,
    admin::Admin,
    audit,
    providers::Providers,
    routes::{Service, read},
};

#[derive(Deserialize)]
pub(in super::super) struct Filter {
    #[serde(default, rename = "type")]
    kind: String,
}

fn missing() -> Error {
    Error::not_found("custom_provider_not_found", "Custom OAuth provider not found")
}

fn taken() -> Error {
    Error::invalid(
        "conflict",
        "A custom OAuth provider with this identifier already exists",
    )
}

async fn record(
    identity: &Identity,
    tx: &SystemTx,
    action: &str,
    custom: &Custom,
    changed: &BTreeSet<String>,
) -> Result<()> {
    let mut traits = json!({ "identifier": custom.identifier, "provider_type": custom.kind.as_str() });
    if !changed.is_empty() {
        traits["changed"] = json!(changed);
    }
    audit::record(tx, &identity.0.env, None, action, traits).await
}

/// Reads what the provider publishes, and keeps it to be shown.
async fn discover(providers: &Providers, custom: &mut Custom) -> Result<()> {
    let Some(openid) = custom.openid(providers) else {
        return Ok(());
    };
    let document = openid.document().await.map_err(|error| {
        let why = error.details.unwrap_or_default();
        Error::invalid(
            "validation_failed",
            format!("OIDC discovery failed: {} {why}", error.message)
                .trim_end()
                .to_owned(),
        )
        .hint("The issuer is where /.well-known/openid-configuration is found; discovery_url names another place.")
    })?;
    check_addresses(&providers.outbound, document.addresses(), None).await?;
    custom.discovery = Some(document.shown());
    custom.discovery_at = Some(providers.env.now());
    Ok(())
}

pub(in super::super) async fn list(
    _: Admin,
    service: Service,
    Query(filter): Query<Filter>,
) -> Result<impl IntoResponse> {
    let kind = Kind::read(&filter.kind);
    if kind.is_none() && !filter.kind.is_empty() {
        return Err(Error::invalid(
            "validation_failed",
            "type must be either 'oauth2' or 'oidc'",
        ));
    }
    let tx = SystemTx::begin(&service.0.0.db, "list of providers").await?;
    let rows = tx
        .query(
            "select * from auth.custom_oauth_providers where $1::text is null or provider_type = $1 \
             order by created_at desc, id desc",
            &[&kind.map(Kind::as_str)],
        )
        .await?;
    tx.commit().await?;
    let shown = rows.iter().map(|row| Ok(Custom::from_row(row)?.to_json()));
    Ok(Json(
        json!({ "providers": shown.collect::<Result<Vec<Value>>>()? }),
    ))
}

pub(in super::super) async fn create(_: Admin, service: Service, body: Bytes) -> Result<impl IntoResponse> {
    let (env, providers) = (&service.0.0.env, &service.0.0.providers);
    let mut custom = read::<Asked>(&body)?.fresh(env.new_id(), env.now())?;
    if providers.by_name.contains_key(&custom.identifier) {
        return Err(taken());
    }
    // Asked twice, so that whoever is refused in the end is mostly refused before anybody outside is called.
    let tx = SystemTx::begin(&service.0.0.db, "new provider").await?;
    admit(&tx, &custom.identifier).await?;
    tx.commit().await?;
    check_addresses(&providers.outbound, custom.addresses(), None).await?;
    discover(providers, &mut custom).await?;
    custom.seal(&providers.seals).await?;
    let tx = SystemTx::begin(&service.0.0.db, "new provider").await?;
    admit(&tx, &custom.identifier).await?;
    let written = custom.write(&tx, include_str!("insert.sql")).await?;
    let custom = written.ok_or_else(taken)?;
    record(
        &service,
        &tx,
        "custom_provider_created",
        &custom,
        &BTreeSet::new(),
    )
    .await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(custom.to_json())))
}

/// Whether there is room for one more, of this name.
async fn admit(tx: &SystemTx, identifier: &str) -> Result<()> {
    // One after the other, so that many at once count as many.
    tx.query(
        "select pg_advisory_xact_lock(hashtext('auth.custom_oauth_providers'))",
        &[],
    )
    .await?;
    let row = tx
        .query_one(
            "select count(*), count(*) filter (where identifier = $1) from auth.custom_oauth_providers",
            &[&identifier],
        )
        .await?;
    if row.try_get::<_, i64>(1)? > 0 {
        return Err(taken());
    }
    if row.try_get::<_, i64>(0)? >= MOST {
        return Err(Error::invalid(
            "over_custom_provider_quota",
            "Maximum number of custom OAuth/OIDC providers reached",
        )
        .hint(format!(
            "There are at most {MOST}; delete those that nobody needs."
        )));
    }
    Ok(())
}

pub(in super::super) async fn one(
    _: Admin,
    service: Service,
    Path(name): Path<String>,
) -> Result<impl IntoResponse> {
    let name = identifier(&name)?;
    let tx = SystemTx::begin(&service.0.0.db, "provider").await?;
    let custom = Custom::find(&tx, name).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(custom.to_json()))
}

pub(in super::super) async fn update(
    _: Admin,
    service: Service,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let name = identifier(&name)?;
    let asked: Asked = read(&body)?;
    let providers = &service.0.0.providers;
    // Nobody waits in a transaction for the provider.
    let tx = SystemTx::begin(&service.0.0.db, "provider").await?;
    let read = Custom::find(&tx, name).await?.ok_or_else(missing)?;
    tx.commit().await?;
    let before = read.clone().opened(&providers.seals).await?;
    let mut custom = asked.over(before.clone())?;
    check_addresses(&providers.outbound, custom.addresses(), Some(&before)).await?;
    if (&custom.issuer, &custom.discovery_url) != (&before.issuer, &before.discovery_url) {
        discover(providers, &mut custom).await?;
    }
    let changed = changed(&before, &custom);
    custom.updated_at = service.0.0.env.now();
    custom.seal(&providers.seals).await?;
    let tx = SystemTx::begin(&service.0.0.db, "change of provider").await?;
    tx.query(
        "select from auth.custom_oauth_providers where id = $1 for update",
        &[&before.id],
    )
    .await?;
    if Custom::find(&tx, name).await?.ok_or_else(missing)? != read {
        return Err(
            Error::conflict("conflict", "The provider was changed by somebody else meanwhile.")
                .hint("Try again."),
        );
    }
    let written = custom.write(&tx, include_str!("update.sql")).await?;
    let custom = written.ok_or_else(missing)?;
    if SPOKEN_TO_WITH.iter().any(|field| changed.contains(*field)) {
        forget_flows(&tx, name).await?;
    }
    record(&service, &tx, "custom_provider_updated", &custom, &changed).await?;
    tx.commit().await?;
    Ok(Json(custom.to_json()))
}

/// Whoever is on their way begins anew when one of these changes: what one provider said is not told to another.
const SPOKEN_TO_WITH: [&str; 8] = [
    "client_id",
    "client_secret",
    "pkce_enabled",
    "issuer",
    "discovery_url",
    "authorization_url",
    "token_url",
    "userinfo_url",
];

async fn forget_flows(tx: &SystemTx, name: &str) -> Result<()> {
    tx.execute("delete from auth.provider_flows where provider = $1", &[&name])
        .await
        .map(drop)
}

/// The names of what changed; the secret's, too, never the secret.
fn changed(before: &Custom, after: &Custom) -> BTreeSet<String> {
    let fields = |custom: &Custom| {
        let mut fields = object(custom.to_json());
        fields.insert("client_secret".to_owned(), json!(custom.client_secret));
        // Not of the operator's making.
        fields.remove("discovery_document");
        fields
    };
    let (before, after) = (fields(before), fields(after));
    let mut names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    names.retain(|name| before.get(name) != after.get(name));
    names
}

/// Forgets a provider. Ways in that it gave stay with their people, and open nothing.
pub(in super::super) async fn delete(
    _: Admin,
    service: Service,
    Path(name): Path<String>,
) -> Result<impl IntoResponse> {
    let name = identifier(&name)?;
    let tx = SystemTx::begin(&service.0.0.db, "deletion of provider").await?;
    let custom = Custom::find(&tx, name).await?.ok_or_else(missing)?;
    let deleted = tx
        .execute(
            "delete from auth.custom_oauth_providers where id = $1",
            &[&custom.id],
        )
        .await?;
    if deleted == 0 {
        return Err(missing());
    }
    forget_flows(&tx, name).await?;
    record(
        &service,
        &tx,
        "custom_provider_deleted",
        &custom,
        &BTreeSet::new(),
    )
    .await?;
    tx.commit().await?;
    service.0.0.providers.made.forget(name);
    Ok(StatusCode::NO_CONTENT)
}
