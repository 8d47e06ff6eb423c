//! Tokens for a code, and new ones for a refresh token (RFC 6749, 4.1.3 and 6).

use axum::{
    Json,
    body::Bytes,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{
    super::{
        Identity, audit, pkce,
        routes::{Service, user_agent},
        sessions::{self, Session},
        tokens::{self, Claims},
        users::{self, User},
    },
    authorize,
    clients::{self, Client, hash},
    decide,
    fault::{Fault, not_kept},
    issuer,
    parameters::Parameters,
    person,
    scopes::Scopes,
};

pub(super) async fn token(service: Service, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let parameters = Parameters::form(&headers, &body)?;
        let tx = SystemTx::begin(&service.0.0.db, "token of a program").await?;
        let client = clients::authenticate(&tx, &headers, &parameters).await?;
        authorize::resource(&service, &parameters)?;
        match parameters.required("grant_type")? {
            "authorization_code" => code(&service, tx, &client, &parameters, user_agent(&headers)).await,
            "refresh_token" => refresh(&service, tx, &client, &parameters).await,
            _ => Err(Fault::new(
                "unsupported_grant_type",
                "grant_type is authorization_code or refresh_token.",
            )),
        }
    };
    match result.await {
        Ok(body) => not_kept(Json(body)),
        Err(fault) => fault.into_response(),
    }
}

/// A session of a program and what it may know.
struct Granted<'a> {
    client: &'a Client,
    session: Session,
    scopes: Scopes,
    nonce: Option<String>,
}

async fn code(
    identity: &Identity,
    tx: SystemTx,
    client: &Client,
    parameters: &Parameters,
    user_agent: Option<&str>,
) -> Result<Value, Fault> {
    let (code, verifier) = (
        parameters.required("code")?,
        parameters.required("code_verifier")?,
    );
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let not_good =
        || Fault::invalid_grant("The code is unknown, was used before, is too old, or is another client's.");
    let row = tx
        .query_opt(
            "select id, client_id, user_id, redirect_uri, scope, nonce, code_challenge, aal, amr, \
             session_id, used_at, expires_at, factor_id from auth.oauth_authorizations where authorization_code_hash = $1 for update",
            &[&hash(code)],
        )
        .await?
        .ok_or_else(not_good)?;
    let (id, user): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(2)?);
    if row.try_get::<_, Option<Timestamp>>(10)?.is_some() {
        // Two know the code: what was given for it is taken back from both (RFC 6749, 4.1.2).
        if let Some(session) = row.try_get::<_, Option<Uuid>>(9)? {
            end(identity, &tx, user, session).await?;
            tx.commit().await?;
            tracing::warn!(%session, "authorization code used twice; session ended");
        }
        return Err(not_good());
    }
    // One try, whatever comes of it.
    tx.execute(
        "update auth.oauth_authorizations set used_at = $2 where id = $1",
        &[&id, &now],
    )
    .await?;
    let redirect: &str = row.try_get(3)?;
    let fault = if row.try_get::<_, Uuid>(1)? != client.id || row.try_get::<_, Timestamp>(11)? <= now {
        Some(not_good())
    } else if parameters.get("redirect_uri").is_some_and(|uri| uri != redirect) {
        // OAuth 2.1 leaves it out: the verifier already ties the code to the request.
        Some(Fault::invalid_grant(
            "redirect_uri is not the one of the request.",
        ))
    } else if !pkce::met(row.try_get(6)?, verifier) {
        Some(Fault::invalid_grant(
            "code_verifier does not belong to the code's challenge.",
        ))
    } else {
        None
    };
    let user = match fault {
        Some(fault) => Err(fault),
        None => usable(&tx, user, now).await,
    };
    let user = match user {
        Ok(user) => user,
        Err(fault) => {
            tx.commit().await?;
            return Err(fault);
        }
    };
    let granted = Granted {
        client,
        session: Session {
            id: env.new_id(),
            aal: row.try_get(7)?,
            amr: row.try_get(8)?,
        },
        scopes: Scopes::read(row.try_get(4)?)?,
        nonce: row.try_get(5)?,
    };
    let user_agent = user_agent.map(|text| text.chars().take(400).collect::<String>());
    tx.execute(
        "insert into auth.sessions \
         (id, user_id, user_agent, aal, amr, created_at, refreshed_at, oauth_client_id, scopes, factor_id, ip) \
         values ($1, $2, $3, $4::text::auth.aal_level, $5, $6, $6, $7, $8, $9, $10)",
        &[
            &granted.session.id,
            &user.id,
            &user_agent,
            &granted.session.aal,
            &granted.session.amr,
            &now,
            &client.id,
            &granted.scopes.text(),
            &row.try_get::<_, Option<Uuid>>(12)?,
            &audit::address(),
        ],
    )
    .await?;
    tx.execute(
        "update auth.oauth_authorizations set session_id = $2 where id = $1",
        &[&id, &granted.session.id],
    )
    .await?;
    let traits = json!({ "client_id": client.id, "session_id": granted.session.id });
    audit::record(&tx, env, Some(user.id), "oauth_token_issued", traits).await?;
    let refresh_token = next_refresh_token(identity, &tx, &granted, now).await?;
    tx.commit().await?;
    let answered = answer(identity, &granted, &user, refresh_token, now).await;
    if answered.is_err() {
        // Nobody got its tokens, so the code is as good as before.
        let tx = SystemTx::begin(&identity.0.db, "exchange undone").await?;
        let undone = tx
            .execute("delete from auth.sessions where id = $1", &[&granted.session.id])
            .await?;
        // Unless it came back meanwhile, which ended the session: two know it then.
        if undone > 0 {
            tx.execute(
                "update auth.oauth_authorizations set used_at = null, session_id = null where id = $1",
                &[&id],
            )
            .await?;
        }
        tx.commit().await?;
    }
    answered
}

async fn refresh(
    identity: &Identity,
    tx: SystemTx,
    client: &Client,
    parameters: &Parameters,
) -> Result<Value, Fault> {
    let token = parameters.required("refresh_token")?;
    let not_good = || Fault::invalid_grant("The refresh token is unknown, or its session has ended.");
    if !client.refreshes() {
        return Err(Fault::new(
            "unauthorized_client",
            "The client is not registered for refresh_token.",
        ));
    }
    let now = identity.0.env.now();
    let row = tx
        .query_opt(
            "select s.id, s.user_id, s.aal::text, s.amr, s.scopes, t.used_at is not null or t.revoked, t.created_at, s.not_after \
             from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id \
             where t.token_hash = $1 and s.oauth_client_id = $2 for update",
            &[&hash(token), &client.id],
        )
        .await?
        .ok_or_else(not_good)?;
    let (session, user): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
    if row.try_get(5)? {
        // Somebody kept a token that was already spent: it may have been stolen, so nobody goes on with it.
        end(identity, &tx, user, session).await?;
        tx.commit().await?;
        tracing::warn!(%session, "refresh token of a program used twice; session ended");
        return Err(Fault::invalid_grant(
            "The refresh token was used before; its session is ended.",
        ));
    }
    let lifetime = SignedDuration::from_secs(identity.0.config.auth.issuer.refresh_seconds);
    let too_old = row.try_get::<_, Timestamp>(6)? + lifetime <= now
        || row
            .try_get::<_, Option<Timestamp>>(7)?
            .is_some_and(|end| end <= now);
    if too_old {
        end(identity, &tx, user, session).await?;
        tx.commit().await?;
        return Err(not_good());
    }
    let granted = Scopes::read(row.try_get(4)?)?;
    let scopes = match parameters.get("scope") {
        Some(text) => Scopes::read(text)?,
        None => granted.clone(),
    };
    if !scopes.within(&granted) {
        return Err(Fault::new("invalid_scope", "These scopes were not granted."));
    }
    let user = usable(&tx, user, now).await?;
    let granted = Granted {
        client,
        session: Session {
            id: session,
            aal: row.try_get(2)?,
            amr: row.try_get(3)?,
        },
        scopes,
        nonce: None,
    };
    tx.execute(
        "update auth.refresh_tokens set used_at = $2, revoked = true, updated_at = $2 where token_hash = $1",
        &[&hash(token), &now],
    )
    .await?;
    tx.execute(
        "update auth.sessions set refreshed_at = $2, ip = coalesce($3, ip) where id = $1",
        &[&session, &now, &audit::address()],
    )
    .await?;
    let next = next_refresh_token(identity, &tx, &granted, now).await?;
    tx.commit().await?;
    let answered = answer(identity, &granted, &user, next.clone(), now).await;
    if let (Err(_), Some(next)) = (&answered, next) {
        // Nobody got the new token, so the old one is as good as before.
        sessions::undo_refresh(identity, Some(token), &next).await?;
    }
    answered
}

/// Ends the session of a program with all its refresh tokens.
pub(super) async fn end(identity: &Identity, tx: &SystemTx, user: Uuid, session: Uuid) -> Result<()> {
    tx.execute("delete from auth.sessions where id = $1", &[&session])
        .await?;
    let traits = json!({ "session_id": session });
    audit::record(tx, &identity.0.env, Some(user), "token_revoked", traits).await
}

/// The person, unless they are gone or shut out.
async fn usable(tx: &SystemTx, user: Uuid, now: Timestamp) -> Result<User, Fault> {
    let user = users::find(tx, user).await?;
    user.filter(|user| !user.banned(now) && !user.erased())
        .ok_or_else(|| Fault::invalid_grant("The person's account is closed."))
}

async fn next_refresh_token(
    identity: &Identity,
    tx: &SystemTx,
    granted: &Granted<'_>,
    now: Timestamp,
) -> Result<Option<String>> {
    if !granted.client.refreshes() {
        return Ok(None);
    }
    let token = identity.0.env.new_secret::<32>();
    sessions::insert_token(tx, &token, granted.session.id, now).await?;
    Ok(Some(token))
}

async fn answer(
    identity: &Identity,
    granted: &Granted<'_>,
    user: &User,
    refresh_token: Option<String>,
    now: Timestamp,
) -> Result<Value, Fault> {
    let lifetime = identity.0.config.auth.access_token_seconds;
    let (issuer, scope) = (issuer(identity), granted.scopes.text());
    let claims = Claims {
        client_id: Some(granted.client.id),
        scope: Some(scope.clone()),
        ..Claims::new(user, &granted.session, &issuer, now.as_second(), lifetime)
    };
    let claims = person::only(claims, &granted.scopes, identity.0.config.auth.issuer.open_api);
    let claims = identity
        .customised(user.id, "oauth_provider/authorization_code", &claims)
        .await?;
    let access_token = tokens::sign(&identity.0.keys, &claims).await?;
    let mut body = json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": lifetime,
        "scope": scope,
    });
    if let Some(token) = refresh_token {
        body["refresh_token"] = json!(token);
    }
    if granted.scopes.has("openid") {
        let algorithm = identity.0.keys.signing().await?.algorithm;
        let mut claims = person::claims(user, &granted.scopes);
        claims["iss"] = json!(issuer);
        claims["aud"] = json!(granted.client.id);
        claims["iat"] = json!(now.as_second());
        claims["exp"] = json!(now.as_second() + lifetime);
        claims["auth_time"] = json!(decide::auth_time(&granted.session.amr));
        claims["at_hash"] = json!(tokens::half_hash(algorithm, &access_token));
        claims["sid"] = json!(granted.session.id);
        if let Some(nonce) = &granted.nonce {
            claims["nonce"] = json!(nonce);
        }
        body["id_token"] = json!(tokens::sign(&identity.0.keys, &claims).await?);
    }
    Ok(body)
}
