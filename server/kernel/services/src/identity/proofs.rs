//! The ways in by mail: asking for a link or a code, and showing it.
//!
//! What asks for a mail answers the same whether anybody has the address or not.

use axum::{
    Json, Router,
    body::Bytes,
    extract::Query,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::ClientAddress};

use super::{
    Identity, errors,
    limits::{Limit, limited},
    one_time::{self, Proof, Purpose},
    pkce, places, redirects,
    routes::{Redirect, Service, read, user_agent},
    sessions::{self, Method},
    users,
};

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/recover", limited(Limit::Otp, post(recover)))
        .route("/auth/v1/otp", limited(Limit::Otp, post(otp)))
        .route("/auth/v1/magiclink", limited(Limit::Otp, post(otp)))
        .route("/auth/v1/resend", limited(Limit::Otp, post(resend)))
        .route(
            "/auth/v1/verify",
            limited(Limit::Verify, get(follow).post(verify)).head(look),
        )
}

#[derive(Deserialize)]
struct Address {
    #[serde(flatten)]
    pkce: pkce::Asked,
    #[serde(default)]
    email: String,
}

async fn recover(
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let Address { pkce, email } = read(&body)?;
        let way = query.way(&service, pkce)?;
        let email = asked_for(&service, &email, client)?;
        let tx = SystemTx::begin(&service.0.0.db, "recovery").await?;
        if let Some(user) = users::by_address(&tx, &email).await? {
            one_time::mail(&service, &tx, &user, Purpose::Recovery, &email, &way).await?;
        }
        tx.commit().await?;
        Ok(Json(json!({})))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct AskForCode {
    #[serde(flatten)]
    pkce: pkce::Asked,
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
    #[serde(default = "yes")]
    create_user: bool,
    #[serde(default)]
    data: Value,
}

const fn yes() -> bool {
    true
}

async fn otp(
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let ask: AskForCode = read(&body)?;
        if ask.email.is_empty() && !ask.phone.is_empty() {
            return Err(
                Error::invalid("phone_provider_disabled", "Unsupported phone provider")
                    .hint("This installation sends no text messages; ask for a mail."),
            );
        }
        users::check_data(&ask.data)?;
        let way = query.way(&service, ask.pkce)?;
        let email = asked_for(&service, &ask.email, client)?;
        let tx = SystemTx::begin(&service.0.0.db, "one-time code").await?;
        let found = match users::by_address(&tx, &email).await? {
            Some(user) => Some((user, Purpose::MagicLink)),
            None if ask.create_user && service.0.0.config.auth.sign_up => {
                users::insert(&service, &tx, &email, None, &ask.data, false)
                    .await?
                    .map(|user| (user, Purpose::SignUp))
            }
            None => None,
        };
        if let Some((user, purpose)) = found {
            one_time::mail(&service, &tx, &user, purpose, &email, &way).await?;
        }
        tx.commit().await?;
        Ok(Json(json!({})))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Resend {
    #[serde(flatten)]
    pkce: pkce::Asked,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    email: String,
}

async fn resend(
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let ask: Resend = read(&body)?;
        let way = query.way(&service, ask.pkce)?;
        let email = asked_for(&service, &ask.email, client)?;
        let tx = SystemTx::begin(&service.0.0.db, "resend").await?;
        match ask.r#type.as_str() {
            "signup" => {
                let user = users::by_address(&tx, &email).await?;
                if let Some(user) = user.filter(|user| !user.confirmed()) {
                    one_time::mail(&service, &tx, &user, Purpose::SignUp, &email, &way).await?;
                }
            }
            "email_change" => {
                if let Some(user) = one_time::changing_to(&service, &tx, &email).await? {
                    one_time::mail(&service, &tx, &user, Purpose::EmailChange, &email, &way).await?;
                }
            }
            _ => {
                return Err(Error::invalid(
                    "validation_failed",
                    "Missing one of these types: signup, email_change",
                )
                .hint("type is signup or email_change."));
            }
        }
        tx.commit().await?;
        Ok(Json(json!({})))
    };
    errors::respond(&headers, result.await)
}

/// The address a mail is asked for, in its stored form, if it may be written to now.
fn asked_for(identity: &Identity, email: &str, client: ClientAddress) -> Result<String> {
    let email = users::normal_email(email)?;
    identity.limit(Limit::Email, client)?;
    identity.0.mails.check(&email)?;
    Ok(email)
}

#[derive(Deserialize)]
struct Verify {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    token_hash: String,
    #[serde(default)]
    email: String,
}

async fn verify(service: Service, client: ClientAddress, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let ask: Verify = read(&body)?;
        let address = ask.email.trim().to_lowercase();
        let proof = if ask.token_hash.is_empty() {
            if address.is_empty() || ask.token.is_empty() {
                return Err(Error::invalid(
                    "validation_failed",
                    "Verify requires a token and an address, or a token hash",
                ));
            }
            Proof::Code {
                address: &address,
                code: &ask.token,
            }
        } else {
            Proof::Link(&ask.token_hash)
        };
        let (tx, user, _) = prove(&service, &ask.r#type, proof).await?;
        places::remember(&service, &tx, user, client).await?;
        // Who types a code or shows a link's token is the client that asked.
        sessions::open(&service, tx, user, Method::Otp, user_agent(&headers))
            .await
            .map(Json)
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Follow {
    #[serde(default)]
    token: String,
    #[serde(default)]
    r#type: String,
    redirect_to: Option<String>,
}

/// What programs that look at links before people do get: nothing is spent.
async fn look() -> StatusCode {
    StatusCode::OK
}

/// The link of a mail, opened in a browser: on to where it leads, with the session, or what went wrong, behind the `#`, which
/// browsers send to nobody.
async fn follow(
    service: Service,
    client: ClientAddress,
    Query(link): Query<Follow>,
    headers: HeaderMap,
) -> Response {
    let target = redirects::allowed(&service, link.redirect_to.as_deref());
    let target = target.split('#').next().unwrap_or_default();
    let proof = Proof::Link(&link.token);
    let agent = user_agent(&headers);
    let location = match follow_to(&service, &link.r#type, proof, target, (client, agent)).await {
        Ok(location) => location,
        Err(error) if error.status() < 500 => {
            let fault = pairs(&[
                ("error", &json!("access_denied")),
                ("error_code", &json!(error.code)),
                (
                    "error_description",
                    &json!("Email link is invalid or has expired"),
                ),
            ]);
            format!("{target}#{fault}")
        }
        Err(error) => return errors::respond(&headers, Err::<(), _>(error)),
    };
    let Ok(location) = HeaderValue::try_from(location) else {
        return errors::respond(&headers, Err::<(), _>(errors::otp_expired()));
    };
    (
        StatusCode::SEE_OTHER,
        [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
    )
        .into_response()
}

fn pairs(values: &[(&str, &Value)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in values {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.append_pair(name, &value);
    }
    text.finish()
}

/// The address a good link leads to: with a code for the client that sent a challenge ahead, else with a session.
async fn follow_to(
    identity: &Identity,
    kind: &str,
    proof: Proof<'_>,
    target: &str,
    (client, user_agent): (ClientAddress, Option<&str>),
) -> Result<String> {
    let (tx, user, redeemed) = prove(identity, kind, proof).await?;
    places::remember(identity, &tx, user, client).await?;
    if let Some(challenge) = &redeemed.challenge {
        let code = pkce::issue(identity, &tx, user, challenge, Method::Otp, None).await?;
        tx.commit().await?;
        let mut location = url::Url::parse(target).map_err(Error::internal)?;
        location.query_pairs_mut().append_pair("code", &code);
        return Ok(location.into());
    }
    let session = sessions::open(identity, tx, user, Method::Otp, user_agent).await?;
    let fragment = pairs(&[
        ("access_token", &session["access_token"]),
        ("expires_at", &session["expires_at"]),
        ("expires_in", &session["expires_in"]),
        ("refresh_token", &session["refresh_token"]),
        ("token_type", &session["token_type"]),
        ("type", &json!(redeemed.kind)),
    ]);
    Ok(format!("{target}#{fragment}"))
}

/// Takes a proof and records what it proves, in a transaction that is still to be committed; gives whose it is.
async fn prove(
    identity: &Identity,
    kind: &str,
    proof: Proof<'_>,
) -> Result<(SystemTx, uuid::Uuid, one_time::Redeemed)> {
    let tx = SystemTx::begin(&identity.0.db, "verify").await?;
    let Some(redeemed) = one_time::redeem(identity, &tx, kind, proof).await? else {
        // Wrong codes count.
        tx.commit().await?;
        return Err(errors::otp_expired());
    };
    let user = users::confirm(identity, &tx, redeemed.user, &redeemed.address, &redeemed.kind).await?;
    Ok((tx, user.id, redeemed))
}
