//! Passkeys: a key pair in a telephone, a password manager or a security key that signs somebody in without a password, in the wire
//! form of GoTrue.
//!
//! Like there, a session opened by a passkey is at `aal1` with the method `passkey`, although the device has checked its person:
//! whoever asks for a second factor gets a second one.

use axum::{
    Json, Router,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, patch, post},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::Caller};
use tokio_postgres::Row;
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, PublicKeyCredential};

use super::{
    Identity, audit, errors,
    factors::{person, require_level},
    limits::{Limit, limited},
    routes::{Service, read, user_agent},
    sessions::{self, Method},
    users::User,
    webauthn::known_keys,
};

/// Most passkeys of one person.
const MOST: i64 = 10;
/// How long a ceremony may take.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Longest name of a passkey.
const LONGEST_NAME: usize = 120;

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/passkeys", get(list))
        .route("/auth/v1/passkeys/", get(list))
        .route(
            "/auth/v1/passkeys/registration/options",
            limited(Limit::Passkey, post(ask_new)),
        )
        .route(
            "/auth/v1/passkeys/registration/verify",
            limited(Limit::Passkey, post(add)),
        )
        .route(
            "/auth/v1/passkeys/authentication/options",
            limited(Limit::Passkey, post(ask)),
        )
        .route(
            "/auth/v1/passkeys/authentication/verify",
            limited(Limit::Passkey, post(sign_in)),
        )
        .route("/auth/v1/passkeys/{id}", patch(rename).delete(remove))
}

fn failed() -> Error {
    Error::invalid("webauthn_verification_failed", "Credential verification failed")
        .hint("Try again, or sign in another way.")
}

fn not_found() -> Error {
    Error::not_found("passkey_not_found", "Passkey not found")
}

fn too_many() -> Error {
    Error::unprocessable("too_many_passkeys", "Maximum number of passkeys reached")
        .hint("Remove one that is not used any more.")
}

/// Remembers what a ceremony was about. Those that nobody finished go.
async fn remember(
    identity: &Identity,
    tx: &SystemTx,
    user: Option<Uuid>,
    kind: &str,
    options: Value,
    state: &Value,
) -> Result<Value> {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    let expires = now + LIFETIME;
    tx.execute(
        "delete from auth.webauthn_challenges where expires_at <= $1",
        &[&now],
    )
    .await?;
    tx.execute(
        "insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6)",
        &[&id, &user, &kind, state, &now, &expires],
    )
    .await?;
    Ok(json!({ "challenge_id": id, "options": options, "expires_at": expires.as_second() }))
}

/// Takes what a ceremony was about, in a transaction of its own: whatever comes of it, each is good for one answer.
///
/// Errors: `webauthn_challenge_not_found`, `webauthn_challenge_expired`.
async fn take(identity: &Identity, user: Option<Uuid>, kind: &str, id: &str) -> Result<Value> {
    let unknown = || {
        Error::invalid(
            "webauthn_challenge_not_found",
            "Challenge not found or already used",
        )
        .hint("Try again.")
    };
    let id = id.parse::<Uuid>().map_err(|_| unknown())?;
    let tx = SystemTx::begin(&identity.0.db, "passkey ceremony").await?;
    let row = tx
        .query_opt(
            "delete from auth.webauthn_challenges where id = $1 and challenge_type = $2 \
             and user_id is not distinct from $3 returning session_data, expires_at",
            &[&id, &kind, &user],
        )
        .await?
        .ok_or_else(unknown)?;
    tx.commit().await?;
    if row.try_get::<_, Timestamp>(1)? <= identity.0.env.now() {
        return Err(Error::invalid("webauthn_challenge_expired", "Challenge has expired").hint("Try again."));
    }
    Ok(row.try_get(0)?)
}

async fn count(tx: &SystemTx, user: Uuid) -> Result<i64> {
    tx.query_one(
        "select count(*) from auth.webauthn_credentials where user_id = $1",
        &[&user],
    )
    .await?
    .try_get(0)
    .map_err(Error::from)
}

/// `POST /passkeys/registration/options`.
async fn ask_new(service: Service, caller: Result<Caller>, headers: HeaderMap) -> Response {
    let result = async {
        let relying_party = service.relying_party()?;
        let (session, user) = person(&service, caller).await?;
        let tx = SystemTx::begin(&service.0.0.db, "new passkey").await?;
        require_level(&tx, user.id, session).await?;
        if count(&tx, user.id).await? >= MOST {
            return Err(too_many());
        }
        let known = known_keys(&tx, user.id).await?;
        let (options, state) = relying_party.register_passkey(&user, known)?;
        let answer = remember(&service, &tx, Some(user.id), "registration", options, &state).await?;
        tx.commit().await?;
        Ok(Json(answer))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    challenge_id: String,
    #[serde(default, alias = "credential_response")]
    credential: Value,
    #[serde(default)]
    friendly_name: String,
}

/// `POST /passkeys/registration/verify`.
async fn add(service: Service, caller: Result<Caller>, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let (session, user) = person(&service, caller).await?;
        add_for(&service, session, &user, read(&body)?).await.map(Json)
    };
    errors::respond(&headers, result.await)
}

async fn add_for(identity: &Identity, session: Uuid, user: &User, answer: Answer) -> Result<Value> {
    let relying_party = identity.relying_party()?;
    let name = checked_name(&answer.friendly_name)?;
    let state = take(identity, Some(user.id), "registration", &answer.challenge_id).await?;
    let passkey = relying_party
        .registered_passkey(state, answer.credential)
        .ok_or_else(failed)?;
    let kept = serde_json::to_value(&passkey).map_err(Error::internal)?;
    let about = &kept["cred"];
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let tx = SystemTx::begin(&identity.0.db, "new passkey").await?;
    tx.query("select 1 from auth.users where id = $1 for update", &[&user.id])
        .await?;
    require_level(&tx, user.id, session).await?;
    if count(&tx, user.id).await? >= MOST {
        return Err(too_many());
    }
    let id = env.new_id();
    let transports = match &about["transports"] {
        Value::Array(all) => json!(all),
        _ => json!([]),
    };
    let flag = |name: &str| about[name].as_bool().unwrap_or(false);
    tx.execute(
        "insert into auth.webauthn_credentials (id, user_id, credential_id, sign_count, transports, \
             backup_eligible, backed_up, friendly_name, created_at, updated_at, credential) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
        &[
            &id,
            &user.id,
            passkey.cred_id(),
            &about["counter"].as_i64().unwrap_or(0),
            &transports,
            &flag("backup_eligible"),
            &flag("backup_state"),
            &name,
            &now,
            &kept,
        ],
    )
    .await
    .map_err(|error| {
        if error.code == "23505" {
            Error::unprocessable(
                "webauthn_credential_exists",
                "This credential is already registered",
            )
        } else {
            error
        }
    })?;
    audit::record(
        &tx,
        env,
        Some(user.id),
        "passkey_created",
        json!({ "passkey_id": id }),
    )
    .await?;
    tx.commit().await?;
    Ok(json!({
        "id": id, "friendly_name": name, "created_at": now, "transports": transports,
        "backup_eligible": flag("backup_eligible"), "backed_up": flag("backup_state"),
    }))
}

/// `POST /passkeys/authentication/options`: the same for everybody, since nobody is named.
async fn ask(service: Service, headers: HeaderMap) -> Response {
    let result = async {
        let (options, state) = service.relying_party()?.ask_passkey()?;
        let tx = SystemTx::begin(&service.0.0.db, "sign-in by passkey").await?;
        let answer = remember(&service, &tx, None, "authentication", options, &state).await?;
        tx.commit().await?;
        Ok(Json(answer))
    };
    errors::respond(&headers, result.await)
}

/// `POST /passkeys/authentication/verify`.
async fn sign_in(service: Service, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let answer: Answer = read(&body)?;
        sign_in_with(&service, answer, user_agent(&headers))
            .await
            .map(Json)
    };
    errors::respond(&headers, result.await)
}

async fn sign_in_with(identity: &Identity, answer: Answer, user_agent: Option<&str>) -> Result<Value> {
    let relying_party = identity.relying_party()?;
    let state = take(identity, None, "authentication", &answer.challenge_id).await?;
    let shown: PublicKeyCredential = serde_json::from_value(answer.credential).map_err(|_| failed())?;
    let (user, key) = relying_party.claimed(&shown).ok_or_else(failed)?;
    let now = identity.0.env.now();
    let tx = SystemTx::begin(&identity.0.db, "sign-in by passkey").await?;
    let row = tx
        .query_opt(
            "select id, credential from auth.webauthn_credentials \
             where credential_id = $1 and user_id = $2 for update",
            &[&key, &user],
        )
        .await?
        .ok_or_else(failed)?;
    let id: Uuid = row.try_get(0)?;
    let mut passkey: Passkey = serde_json::from_value(row.try_get(1)?).map_err(Error::internal)?;
    let result = relying_party
        .answered_passkey(state, &shown, &passkey)
        .ok_or_else(failed)?;
    passkey.update_credential(&result);
    let kept = serde_json::to_value(&passkey).map_err(Error::internal)?;
    tx.execute(
        "update auth.webauthn_credentials set credential = $2, sign_count = $3, backed_up = $4, \
             last_used_at = $5, updated_at = $5 where id = $1",
        &[
            &id,
            &kept,
            &i64::from(result.counter()),
            &result.backup_state(),
            &now,
        ],
    )
    .await?;
    let person = super::users::find(&tx, user).await?.ok_or_else(failed)?;
    if person.email.is_some() && !person.confirmed() {
        return Err(errors::email_not_confirmed());
    }
    sessions::open(identity, tx, user, Method::Passkey, user_agent).await
}

const SHOWN: &str = "id, friendly_name, created_at, last_used_at";

fn shown(row: &Row) -> Result<Value> {
    let last_used: Option<Timestamp> = row.try_get(3)?;
    let mut shown = json!({
        "id": row.try_get::<_, Uuid>(0)?,
        "friendly_name": row.try_get::<_, String>(1)?,
        "created_at": row.try_get::<_, Timestamp>(2)?,
    });
    if let Some(at) = last_used {
        shown["last_used_at"] = json!(at);
    }
    Ok(shown)
}

/// `GET /passkeys`: the caller's own, oldest first.
async fn list(service: Service, caller: Result<Caller>, headers: HeaderMap) -> Response {
    let result = async {
        let (_, user) = person(&service, caller).await?;
        let tx = SystemTx::begin(&service.0.0.db, "own passkeys").await?;
        let rows = tx
            .query(
                &format!(
                    "select {SHOWN} from auth.webauthn_credentials where user_id = $1 order by created_at, id"
                ),
                &[&user.id],
            )
            .await?;
        tx.commit().await?;
        let all: Vec<Value> = rows.iter().map(shown).collect::<Result<_>>()?;
        Ok(Json(all))
    };
    errors::respond(&headers, result.await)
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "validation_failed",
            format!("friendly_name must be {LONGEST_NAME} characters or less"),
        ));
    }
    Ok(name.to_owned())
}

#[derive(Deserialize)]
struct Rename {
    #[serde(default)]
    friendly_name: String,
}

/// `PATCH /passkeys/:id`.
async fn rename(
    service: Service,
    caller: Result<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let (_, user) = person(&service, caller).await?;
        let Rename { friendly_name } = read(&body)?;
        let name = checked_name(&friendly_name)?;
        if name.is_empty() {
            return Err(Error::invalid("validation_failed", "friendly_name is required"));
        }
        let id = id.parse::<Uuid>().map_err(|_| not_found())?;
        let env = &service.0.0.env;
        let tx = SystemTx::begin(&service.0.0.db, "name of passkey").await?;
        let row = tx
            .query_opt(
                &format!(
                    "update auth.webauthn_credentials set friendly_name = $3, updated_at = $4 \
                     where id = $1 and user_id = $2 returning {SHOWN}"
                ),
                &[&id, &user.id, &name, &env.now()],
            )
            .await?
            .ok_or_else(not_found)?;
        audit::record(
            &tx,
            env,
            Some(user.id),
            "passkey_updated",
            json!({ "passkey_id": id }),
        )
        .await?;
        tx.commit().await?;
        shown(&row).map(Json)
    };
    errors::respond(&headers, result.await)
}

/// `DELETE /passkeys/:id`.
async fn remove(
    service: Service,
    caller: Result<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let result = async {
        let (session, user) = person(&service, caller).await?;
        let id = id.parse::<Uuid>().map_err(|_| not_found())?;
        let tx = SystemTx::begin(&service.0.0.db, "passkey removed").await?;
        require_level(&tx, user.id, session).await?;
        let removed = tx
            .execute(
                "delete from auth.webauthn_credentials where id = $1 and user_id = $2",
                &[&id, &user.id],
            )
            .await?;
        if removed == 0 {
            return Err(not_found());
        }
        let env = &service.0.0.env;
        audit::record(
            &tx,
            env,
            Some(user.id),
            "passkey_deleted",
            json!({ "passkey_id": id }),
        )
        .await?;
        tx.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    };
    errors::respond(&headers, result.await)
}
