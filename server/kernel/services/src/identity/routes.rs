//! `/auth/v1`, in the wire form of GoTrue.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post, put},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ClientAddress},
    module::Routes,
};

use super::{
    Identity, NewUser, absent, admin, captcha, cookie, errors, factors,
    hooks::Newcomer,
    issuer,
    limits::{Limit, limited},
    one_time::Way,
    own_account, own_sessions, passkeys, passwords, phones, pkce, places, proofs, providers,
    reauthentication, redirects,
    sessions::{self, Method},
    users,
};

pub(super) fn routes(identity: &Identity) -> Routes {
    let router: Router<Kernel> = Router::new()
        .route("/auth/v1/signup", limited(Limit::Otp, post(sign_up)))
        .route("/auth/v1/token", limited(Limit::Token, post(token)))
        .route("/auth/v1/logout", post(logout))
        .route("/auth/v1/user", limited(Limit::Otp, put(update_user)).get(user))
        .merge(proofs::routes())
        .merge(factors::routes())
        .merge(passkeys::routes())
        .merge(reauthentication::routes())
        .merge(admin::routes())
        .merge(issuer::routes(identity))
        .merge(own_account::routes())
        .merge(own_sessions::routes())
        .merge(providers::routes())
        .merge(absent::routes())
        .route("/auth/v1/settings", get(settings))
        .route("/auth/v1/health", get(health))
        .route("/auth/v1/.well-known/jwks.json", get(jwks))
        .layer(axum::middleware::from_fn(cookie::keep))
        .layer(axum::Extension(identity.clone()));
    router.into()
}

pub(super) type Service = axum::Extension<Identity>;

pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| errors::bad_json(&error))
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(flatten)]
    pkce: pkce::Asked,
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    data: Value,
}

async fn sign_up(
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let Credentials {
        pkce,
        email,
        phone,
        password,
        data,
    } = read(&body)?;
    captcha::check(&service, client, &body).await?;
    let auth = &service.0.0.config.auth;
    if !auth.sign_up {
        return Err(errors::signup_disabled());
    }
    let agent = user_agent(&headers);
    if !phone.is_empty() {
        if !email.is_empty() {
            return Err(Error::invalid(
                "validation_failed",
                "Only an email address or phone number should be provided on signup.",
            ));
        }
        let session = phones::sign_up(&service, client, &phone, &password, &data, agent).await?;
        return Ok(Json(session));
    }
    // Whoever names no address asks for a visitor's account.
    let visitor = email.is_empty() && password.is_empty();
    let newcomer = Newcomer {
        email: &email,
        phone: "",
        data: &data,
        provider: if visitor { "" } else { "email" },
    };
    let (tx, user, method) = if visitor {
        if !auth.anonymous_users {
            return Err(Error::unprocessable(
                "anonymous_provider_disabled",
                "Anonymous sign-ins are disabled",
            )
            .hint("Sign up with an e-mail address and a password."));
        }
        service.limit(Limit::Anonymous, client)?;
        service.before_user_created(client, &newcomer).await?;
        let tx = SystemTx::begin(&service.0.0.db, "anonymous sign-up").await?;
        let id = users::create_anonymous(&service, &tx, &data).await?;
        (tx, id, Method::Anonymous)
    } else {
        let new = NewUser {
            email: &email,
            password: &password,
            data: &data,
        };
        if auth.confirm_email {
            let way = query.way(&service, pkce)?;
            service.limit(Limit::Email, client)?;
            let ready = users::prepare(&service, &new).await?;
            service.before_user_created(client, &newcomer).await?;
            let (shown, created) = {
                let (contact, hash) = (ready.contact(), ready.hash());
                users::sign_up_unconfirmed(&service, contact, hash, &data, &way).await?
            };
            if let Some(user) = created {
                service.after_user_created(client, user);
            }
            return Ok(Json(shown));
        }
        let ready = users::prepare(&service, &new).await?;
        service.before_user_created(client, &newcomer).await?;
        let tx = SystemTx::begin(&service.0.0.db, "sign-up").await?;
        let id = users::create_user_in(&service, &tx, &ready, &data).await?.id;
        places::remember(&service, &tx, id, client).await?;
        (tx, id, Method::Password)
    };
    let session = sessions::open(&service, tx, user, method, agent).await?;
    service.after_user_created(client, user);
    Ok(Json(session))
}

/// Where to go on from a link in a mail.
#[derive(Deserialize)]
pub(super) struct Redirect {
    redirect_to: Option<String>,
}

impl Redirect {
    /// Where the link leads, and for which client.
    pub(super) fn way(&self, identity: &Identity, asked: pkce::Asked) -> Result<Way> {
        Ok(Way {
            redirect_to: redirects::allowed(identity, self.redirect_to.as_deref()),
            challenge: asked.challenge()?,
        })
    }
}

#[derive(Deserialize)]
struct Grant {
    #[serde(default)]
    grant_type: String,
}

#[derive(Deserialize)]
struct RefreshToken {
    #[serde(default)]
    refresh_token: String,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    auth_code: String,
    #[serde(default)]
    code_verifier: String,
}

async fn token(
    service: Service,
    client: ClientAddress,
    caller: Result<Caller>,
    Query(grant): Query<Grant>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse> {
    match grant.grant_type.as_str() {
        "password" => {
            let credentials: Credentials = read(&body)?;
            captcha::check(&service, client, &body).await?;
            sign_in(&service, credentials, client, user_agent(&headers)).await
        }
        "refresh_token" => {
            let RefreshToken { refresh_token } = read(&body)?;
            sessions::refresh(&service, &refresh_token, user_agent(&headers)).await
        }
        "pkce" => {
            let Code {
                auth_code,
                code_verifier,
            } = read(&body)?;
            pkce::exchange(&service, &auth_code, &code_verifier, user_agent(&headers)).await
        }
        "id_token" => {
            let (grant, agent) = (read(&body)?, user_agent(&headers));
            providers::sign_in_with_id_token(&service, client, caller, grant, agent).await
        }
        "web3" => Err(absent::web3()),
        _ => Err(Error::invalid("unsupported_grant_type", "unsupported_grant_type")
            .hint("grant_type is password, refresh_token, pkce or id_token.")),
    }
    .map(Json)
}

async fn sign_in(
    identity: &Identity,
    credentials: Credentials,
    client: ClientAddress,
    user_agent: Option<&str>,
) -> Result<Value> {
    let by_phone = credentials.email.is_empty() && !credentials.phone.is_empty();
    let name = if by_phone {
        phones::enabled(identity)?;
        users::normal_phone(&credentials.phone)
    } else {
        users::normal_email(&credentials.email)
    };
    let Ok(name) = name else {
        return Err(errors::invalid_credentials());
    };
    identity.0.guesses.begin(&name, client)?;
    let tx = SystemTx::begin(&identity.0.db, "sign-in").await?;
    let user = if by_phone {
        users::by_phone(&tx, &name).await?
    } else {
        users::by_address(&tx, &name).await?
    };
    let known = places::knows(identity, &tx, user.as_ref().map(|user| user.id), client).await?;
    tx.commit().await?;
    if !known {
        identity.0.guesses.elsewhere(&name)?;
    }
    let hash = user.as_ref().and_then(|user| user.password.clone());
    let fits = credentials.password.len() <= passwords::MAX_BYTES
        && identity
            .0
            .passwords
            .verify(credentials.password.clone(), hash)
            .await?;
    if let Some(user) = &user {
        identity.password_was_shown(user.id, fits).await?;
    }
    match user {
        Some(user) if fits => {
            identity.0.guesses.succeeded(&name, client);
            if by_phone && !user.phone_confirmed() {
                return Err(errors::phone_not_confirmed());
            }
            if !by_phone && !user.confirmed() {
                return Err(errors::email_not_confirmed());
            }
            let renewed = match &user.password {
                Some(hash) if passwords::outdated(hash) => {
                    Some(identity.0.passwords.hash(credentials.password).await?)
                }
                _ => None,
            };
            let tx = SystemTx::begin(&identity.0.db, "sign-in").await?;
            // The password may have been changed while it was being checked.
            let same = tx
                .query_opt(
                    "select 1 from auth.users where id = $1 and encrypted_password = $2 for update",
                    &[&user.id, &user.password],
                )
                .await?;
            if same.is_none() {
                return Err(errors::invalid_credentials());
            }
            if renewed.is_some() {
                tx.execute(
                    "update auth.users set encrypted_password = $2 where id = $1",
                    &[&user.id, &renewed],
                )
                .await?;
            }
            places::remember(identity, &tx, user.id, client).await?;
            sessions::open(identity, tx, user.id, Method::Password, user_agent).await
        }
        _ => Err(errors::invalid_credentials()),
    }
}

/// The caller's session, which goes on, and who they are. Errors: `session_not_found`, `user_banned`.
pub(super) async fn current(service: &Identity, caller: &Caller) -> Result<(uuid::Uuid, users::User)> {
    let session = caller.identity.session.ok_or_else(errors::session_not_found)?;
    Ok((session, sessions::person(service, session).await?))
}

async fn user(service: Service, caller: Caller) -> Result<Json<Value>> {
    Ok(Json(current(&service, &caller).await?.1.to_json()))
}

async fn update_user(
    service: Service,
    caller: Caller,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (session, user) = current(&service, &caller).await?;
    // By account, too: a stolen token is worth no more from many addresses.
    service.limit_person(Limit::Otp, user.id)?;
    let way = query.way(&service, read(&body)?)?;
    let changes: users::Changes = read(&body)?;
    if changes.address() {
        service.limit(Limit::Email, client)?;
    }
    if let Some(number) = changes.number().filter(|_| service.0.0.config.auth.sms.confirm) {
        // The number somebody has already is no change, and nothing is sent to it.
        if users::normal_phone(number).ok() != user.phone {
            phones::asked_for(&service, number, client)?;
        }
    }
    users::change(&service, &user, session, changes, &way)
        .await
        .map(Json)
}

#[derive(Deserialize)]
struct Logout {
    #[serde(default)]
    scope: sessions::Scope,
}

async fn logout(service: Service, caller: Caller, Query(query): Query<Logout>) -> Result<impl IntoResponse> {
    let session = caller.identity.session.ok_or_else(errors::session_not_found)?;
    sessions::end(&service, caller.user.0, session, query.scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn settings(service: Service) -> Result<Json<Value>> {
    let mut settings = json!({
        "external": { "email": true, "phone": service.0.0.config.auth.sms.enabled, "anonymous_users": service.0.0.config.auth.anonymous_users },
        "disable_signup": !service.0.0.config.auth.sign_up,
        "mailer_autoconfirm": !service.0.0.config.auth.confirm_email,
        "phone_autoconfirm": !service.0.0.config.auth.sms.confirm,
        "sms_provider": service.0.0.config.auth.sms.provider.map_or("", tenon_sdk::config::SmsProvider::name),
        "saml_enabled": false,
        "mfa": { "phone": factors::phone_settings(&service) },
    });
    service.0.0.providers.describe(&mut settings).await?;
    Ok(Json(settings))
}

async fn health(State(_): State<Kernel>) -> Json<Value> {
    Json(
        json!({ "name": "Tenon", "version": env!("CARGO_PKG_VERSION"), "description": "Tenon identity service" }),
    )
}

async fn jwks(service: Service) -> Result<impl IntoResponse> {
    let keys = service.0.0.keys.jwks().await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=600")], Json(keys)))
}
