//! The person answers: what is asked, and yes or no.

use axum::{Json, body::Bytes, extract::Path, response::IntoResponse};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{
    super::{
        Identity, audit, errors, factors,
        routes::{Service, current, read},
        users::User,
    },
    authorize::there,
    clients::{COLUMNS, Client, hash},
    issuer, redirects,
    scopes::Scopes,
};

/// Longest that a code may wait, whatever the settings say (RFC 6749, 4.1.2).
const LONGEST: i64 = 600;

/// A request that waits for its answer.
struct Pending {
    id: Uuid,
    public_id: String,
    redirect: String,
    scopes: Scopes,
    state: Option<String>,
    ask_again: bool,
    client: Client,
}

fn missing() -> Error {
    Error::not_found("oauth_authorization_not_found", "There is no such request.").hint(
        "It was answered, is older than ten minutes, or is somebody else's. Start again at the program.",
    )
}

/// What is asked, or where to go on if the person has agreed before.
pub(super) async fn details(
    service: Service,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let (session, user) = current(&service, &caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "authorization").await?;
    let pending = pending(&service, &tx, &id, &user, session).await?;
    if pending.goes_without_saying(&tx, user.id).await? {
        let redirect_url = approve(&service, tx, &pending, &user, session).await?;
        return Ok(Json(json!({ "redirect_url": redirect_url })));
    }
    tx.commit().await?;
    Ok(Json(json!({
        "authorization_id": pending.public_id,
        "redirect_uri": pending.redirect,
        "client": pending.client.shown(),
        "user": { "id": user.id, "email": user.email.as_deref().unwrap_or_default() },
        "scope": pending.scopes.text(),
        // Beyond what upstream tells: whether the program may go on while the person is away, and whether the operator
        // knows it.
        "refreshes": pending.client.refreshes(),
        "checked": pending.client.checked(),
    })))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    action: String,
}

/// Yes or no; the browser goes on to the program either way.
pub(super) async fn consent(
    service: Service,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (session, user) = current(&service, &caller).await?;
    let Answer { action } = read(&body)?;
    let tx = SystemTx::begin(&service.0.0.db, "consent").await?;
    let pending = pending(&service, &tx, &id, &user, session).await?;
    let redirect_url = match action.as_str() {
        "approve" => approve(&service, tx, &pending, &user, session).await?,
        "deny" => deny(&service, tx, &pending, &user).await?,
        // Beyond upstream: the person leaves the answer to another account of theirs.
        "release" => {
            tx.execute(
                "update auth.oauth_authorizations set user_id = null where id = $1",
                &[&pending.id],
            )
            .await?;
            tx.commit().await?;
            return Ok(Json(json!({})));
        }
        _ => {
            return Err(Error::invalid(
                "validation_failed",
                "action is approve, deny or release.",
            ));
        }
    };
    Ok(Json(json!({ "redirect_url": redirect_url })))
}

/// The request of an id, now this person's to answer: whoever looks first.
async fn pending(
    identity: &Identity,
    tx: &SystemTx,
    id: &str,
    user: &User,
    session: Uuid,
) -> Result<Pending> {
    let now = identity.0.env.now();
    if user.banned(now) {
        return Err(errors::user_banned());
    }
    // A program's session outlives this one: nobody who knows the password alone opens it.
    factors::require_level(tx, user.id, session).await?;
    let claimed = tx
        .query_opt(
            "update auth.oauth_authorizations set user_id = $2 \
             where authorization_id = $1 and status = 'pending' and expires_at > $3 and (user_id is null or user_id = $2) \
             returning id, authorization_id, redirect_uri, scope, state, ask_again, client_id, authenticated_after",
            &[&id, &user.id, &now],
        )
        .await?
        .ok_or_else(missing)?;
    let client = tx
        .query_one(
            &format!("select {COLUMNS} from auth.oauth_clients c where c.id = $1"),
            &[&claimed.try_get::<_, Uuid>(6)?],
        )
        .await?;
    let pending = Pending {
        id: claimed.try_get(0)?,
        public_id: claimed.try_get(1)?,
        redirect: claimed.try_get(2)?,
        scopes: Scopes::read(claimed.try_get(3)?).unwrap_or_default(),
        state: claimed.try_get(4)?,
        ask_again: claimed.try_get(5)?,
        client: Client::from_row(&client)?,
    };
    // The address may have been struck off since.
    let listed = pending.client.redirect_uris();
    if !listed
        .iter()
        .any(|one| redirects::matches(&pending.redirect, one))
    {
        return Err(missing());
    }
    if let Some(after) = claimed.try_get::<_, Option<Timestamp>>(7)? {
        let amr: Value = tx
            .query_one("select amr from auth.sessions where id = $1", &[&session])
            .await?
            .try_get(0)?;
        if auth_time(&amr).is_none_or(|at| at < after.as_second()) {
            return Err(Error::forbidden(
                "reauthentication_needed",
                "The program asks you to sign in again.",
            )
            .hint("Sign out and in, then answer."));
        }
    }
    Ok(pending)
}

/// When the person of a session last showed who they are, in seconds.
pub(super) fn auth_time(amr: &Value) -> Option<i64> {
    let moments = amr
        .as_array()?
        .iter()
        .filter_map(|method| method["timestamp"].as_i64());
    moments.max()
}

impl Pending {
    /// Whether the person has granted all of this before, to a program that nobody else can pass for.
    async fn goes_without_saying(&self, tx: &SystemTx, user: Uuid) -> Result<bool> {
        if self.ask_again || !redirects::claimed(&self.redirect) {
            return Ok(false);
        }
        let row = tx
            .query_opt(
                "select scopes from auth.oauth_consents where user_id = $1 and client_id = $2 and revoked_at is null",
                &[&user, &self.client.id],
            )
            .await?;
        let granted = row.map(|row| row.try_get::<_, String>(0)).transpose()?;
        let granted = granted.and_then(|text| Scopes::read(&text).ok());
        Ok(granted.is_some_and(|granted| self.scopes.within(&granted)))
    }
}

/// Keeps the grant and gives the address with a code.
async fn approve(
    identity: &Identity,
    tx: SystemTx,
    pending: &Pending,
    user: &User,
    session: Uuid,
) -> Result<String> {
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let code = env.new_secret::<32>();
    let seconds = identity.0.config.auth.issuer.code_seconds.clamp(1, LONGEST);
    let known = tx
        .query_opt(
            "select scopes from auth.oauth_consents where user_id = $1 and client_id = $2 and revoked_at is null",
            &[&user.id, &pending.client.id],
        )
        .await?;
    let known = known.map(|row| row.try_get::<_, String>(0)).transpose()?;
    let known = known
        .and_then(|text| Scopes::read(&text).ok())
        .unwrap_or_default();
    tx.execute(
        "insert into auth.oauth_consents as k (id, user_id, client_id, scopes, granted_at) values ($1, $2, $3, $4, $5) \
         on conflict (user_id, client_id) do update set scopes = excluded.scopes, granted_at = excluded.granted_at, \
         revoked_at = null where k.scopes <> excluded.scopes or k.revoked_at is not null",
        &[
            &env.new_id(),
            &user.id,
            &pending.client.id,
            &pending.scopes.and(&known).text(),
            &now,
        ],
    )
    .await?;
    // The program's session says how the person of this one showed who they are.
    let approved = tx
        .execute(
            "update auth.oauth_authorizations a set status = 'approved', authorization_code_hash = $2, approved_at = $3, \
             expires_at = $4, aal = s.aal, amr = s.amr, factor_id = s.factor_id from auth.sessions s where a.id = $1 and s.id = $5",
            &[
                &pending.id,
                &hash(&code),
                &now,
                &(now + SignedDuration::from_secs(seconds)),
                &session,
            ],
        )
        .await?;
    if approved == 0 {
        return Err(errors::session_not_found());
    }
    let traits = json!({ "client_id": pending.client.id, "scope": pending.scopes.text() });
    audit::record(&tx, env, Some(user.id), "oauth_authorization_approved", traits).await?;
    tx.commit().await?;
    let issuer = issuer(identity);
    let mut answer = vec![("code", code.as_str())];
    answer.extend(pending.state.as_deref().map(|state| ("state", state)));
    answer.push(("iss", &issuer));
    redirects::with(&pending.redirect, &answer).ok_or_else(missing)
}

async fn deny(identity: &Identity, tx: SystemTx, pending: &Pending, user: &User) -> Result<String> {
    tx.execute(
        "update auth.oauth_authorizations set status = 'denied' where id = $1",
        &[&pending.id],
    )
    .await?;
    let traits = json!({ "client_id": pending.client.id });
    audit::record(
        &tx,
        &identity.0.env,
        Some(user.id),
        "oauth_authorization_denied",
        traits,
    )
    .await?;
    tx.commit().await?;
    let state = pending.state.as_deref();
    there(
        identity,
        &pending.redirect,
        state,
        "access_denied",
        "The person said no.",
    )
    .ok_or_else(missing)
}
