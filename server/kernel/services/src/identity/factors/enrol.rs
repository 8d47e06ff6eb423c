//! A person adds a factor, which counts once it was shown for the first time, or gives one another name.

use axum::{Json, body::Bytes, response::IntoResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{
    ENROLMENT, Factor, Id, Kind, MOST, checked_name, lock_person, person, phone, require_level, totp,
};
use crate::identity::{
    Identity, audit,
    routes::{Service, read},
    sealed,
    users::User,
};

#[derive(Deserialize)]
struct New {
    #[serde(default)]
    factor_type: String,
    friendly_name: Option<String>,
    issuer: Option<String>,
    #[serde(default)]
    phone: String,
}

/// `POST /factors`.
pub(super) async fn enrol(service: Service, caller: Caller, body: Bytes) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    enrol_for(&service, session, &user, read(&body)?).await.map(Json)
}

fn name_conflict(name: &str) -> Error {
    Error::unprocessable(
        "mfa_factor_name_conflict",
        format!("A factor with the friendly name {name:?} for this user already exists"),
    )
    .hint("Choose another name, or remove that factor.")
}

async fn enrol_for(identity: &Identity, session: Uuid, user: &User, new: New) -> Result<Value> {
    let env = &identity.0.env;
    let kind = match Kind::parse(&new.factor_type) {
        Some(Kind::Phone) => {
            phone::may_be_added(identity)?;
            Kind::Phone
        }
        Some(Kind::Webauthn) if identity.0.relying_party.is_none() => {
            return Err(Error::unprocessable(
                "mfa_webauthn_enroll_not_enabled",
                "MFA enroll is disabled for WebAuthn",
            )
            .hint("The installation needs a name: set server.site_url or auth.passkeys.rp_id."));
        }
        Some(kind) => kind,
        None => {
            return Err(Error::invalid(
                "validation_failed",
                "factor_type needs to be totp, phone, or webauthn",
            ));
        }
    };
    let friendly_name = checked_name("friendly_name", &new.friendly_name.unwrap_or_default())?;
    let issuer = checked_name("issuer", &new.issuer.unwrap_or_default())?;
    let issuer = if issuer.is_empty() {
        identity.0.site_name()
    } else {
        issuer
    };
    let tx = SystemTx::begin(&identity.0.db, "new factor").await?;
    // One at a time for each person, so that none gets more than the most.
    lock_person(&tx, user.id).await?;
    require_level(&tx, user.id, session).await?;
    let now = env.now();
    tx.execute(
        "delete from auth.mfa_factors where user_id = $1 and status = 'unverified' and created_at < $2",
        &[&user.id, &(now - ENROLMENT)],
    )
    .await?;
    let number = match kind {
        Kind::Phone => Some(phone::number(identity, &tx, user.id, &new.phone).await?),
        Kind::Totp | Kind::Webauthn => None,
    };
    let row = tx
        .query_one(
            "select count(*), count(*) filter (where friendly_name = $2 and $2 <> '') \
             from auth.mfa_factors where user_id = $1",
            &[&user.id, &friendly_name],
        )
        .await?;
    if row.try_get::<_, i64>(1)? > 0 {
        return Err(name_conflict(&friendly_name));
    }
    if row.try_get::<_, i64>(0)? >= MOST {
        return Err(Error::unprocessable(
            "too_many_enrolled_mfa_factors",
            "Maximum number of verified factors reached, unenroll to continue",
        ));
    }
    let shown = match kind {
        Kind::Totp => {
            let account = user.email.clone().unwrap_or_else(|| user.id.to_string());
            Some(totp::make(env, &issuer, &account)?)
        }
        Kind::Webauthn | Kind::Phone => None,
    };
    let id = env.new_id();
    let sealed = match &shown {
        Some(shown) => Some(
            identity
                .0
                .seals
                .seal(sealed::FACTORS, &id.to_string(), &shown.secret)
                .await?,
        ),
        None => None,
    };
    tx.execute(
        "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, sealed, created_at, updated_at, phone) \
         values ($1, $2, $3, $4::text::auth.factor_type, 'unverified', $5, $6, $6, $7)",
        &[
            &id,
            &user.id,
            &friendly_name,
            &kind.name(),
            &sealed,
            &now,
            &number,
        ],
    )
    .await?;
    let traits = json!({ "factor_id": id, "factor_type": kind.name() });
    audit::record(&tx, env, Some(user.id), "factor_in_progress", traits).await?;
    tx.commit().await?;
    let mut answer = json!({ "id": id, "type": kind.name(), "friendly_name": friendly_name });
    if let Some(number) = number {
        answer["phone"] = json!(number);
    }
    if let Some(shown) = shown {
        answer["totp"] = json!({ "qr_code": shown.qr_code, "secret": shown.secret, "uri": shown.uri });
    }
    Ok(answer)
}

#[derive(Deserialize)]
struct Rename {
    friendly_name: Option<String>,
}

/// `PATCH /factors/:id`, which GoTrue has for administrators only.
pub(super) async fn rename(
    service: Service,
    caller: Caller,
    path: Id,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (_, user) = person(&service, caller).await?;
    let Rename { friendly_name } = read(&body)?;
    let friendly_name = checked_name("friendly_name", &friendly_name.unwrap_or_default())?;
    let env = &service.0.0.env;
    let tx = SystemTx::begin(&service.0.0.db, "name of factor").await?;
    let factor = Factor::lock(&tx, user.id, &path).await?;
    tx.execute(
        "update auth.mfa_factors set friendly_name = $2, updated_at = $3 where id = $1",
        &[&factor.id, &friendly_name, &env.now()],
    )
    .await
    .map_err(|error| error.if_taken(|| name_conflict(&friendly_name)))?;
    let traits = json!({ "factor_id": factor.id });
    audit::record(&tx, env, Some(user.id), "factor_updated", traits).await?;
    tx.commit().await?;
    Ok(Json(
        json!({ "id": factor.id, "factor_type": factor.kind.name(), "friendly_name": friendly_name }),
    ))
}
