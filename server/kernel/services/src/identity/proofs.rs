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
use tenon_sdk::{Error, Kernel, Result, SystemTx};

use super::{
    Identity, errors,
    one_time::{self, Proof, Purpose},
    redirects,
    routes::{Redirect, Service, read, user_agent},
    sessions::{self, Method},
    users,
};

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/recover", post(recover))
        .route("/auth/v1/otp", post(otp))
        .route("/auth/v1/magiclink", post(otp))
        .route("/auth/v1/resend", post(resend))
        .route("/auth/v1/verify", get(follow).head(look).post(verify))
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    email: String,
}

async fn recover(
    service: Service,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let email = asked_for(&service, &read::<Address>(&body)?.email)?;
        let redirect_to = redirects::allowed(&service, query.redirect_to.as_deref());
        let tx = SystemTx::begin(&service.0.0.db, "recovery").await?;
        if let Some(user) = users::by_address(&tx, &email).await? {
            one_time::mail(&service, &tx, &user, Purpose::Recovery, &email, &redirect_to).await?;
        }
        tx.commit().await?;
        Ok(Json(json!({})))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct AskForCode {
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

async fn otp(service: Service, Query(query): Query<Redirect>, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let ask: AskForCode = read(&body)?;
        if ask.email.is_empty() && !ask.phone.is_empty() {
            return Err(
                Error::invalid("phone_provider_disabled", "Unsupported phone provider")
                    .hint("This installation sends no text messages; ask for a mail."),
            );
        }
        users::check_data(&ask.data)?;
        let email = asked_for(&service, &ask.email)?;
        let redirect_to = redirects::allowed(&service, query.redirect_to.as_deref());
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
            one_time::mail(&service, &tx, &user, purpose, &email, &redirect_to).await?;
        }
        tx.commit().await?;
        Ok(Json(json!({})))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Resend {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    email: String,
}

async fn resend(
    service: Service,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        let ask: Resend = read(&body)?;
        let redirect_to = redirects::allowed(&service, query.redirect_to.as_deref());
        let email = asked_for(&service, &ask.email)?;
        let tx = SystemTx::begin(&service.0.0.db, "resend").await?;
        match ask.r#type.as_str() {
            "signup" => {
                let user = users::by_address(&tx, &email).await?;
                if let Some(user) = user.filter(|user| !user.confirmed()) {
                    one_time::mail(&service, &tx, &user, Purpose::SignUp, &email, &redirect_to).await?;
                }
            }
            "email_change" => {
                if let Some(user) = one_time::changing_to(&service, &tx, &email).await? {
                    one_time::mail(&service, &tx, &user, Purpose::EmailChange, &email, &redirect_to).await?;
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
fn asked_for(identity: &Identity, email: &str) -> Result<String> {
    let email = users::normal_email(email)?;
    identity.0.mails.check(&email, identity.0.env.now())?;
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

async fn verify(service: Service, headers: HeaderMap, body: Bytes) -> Response {
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
        enter(&service, &ask.r#type, proof, user_agent(&headers))
            .await
            .map(|(session, _)| Json(session))
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
async fn follow(service: Service, Query(link): Query<Follow>, headers: HeaderMap) -> Response {
    let target = redirects::allowed(&service, link.redirect_to.as_deref());
    let target = target.split('#').next().unwrap_or_default();
    let proof = Proof::Link(&link.token);
    let fragment = match enter(&service, &link.r#type, proof, user_agent(&headers)).await {
        Ok((session, kind)) => pairs(&[
            ("access_token", &session["access_token"]),
            ("expires_at", &session["expires_at"]),
            ("expires_in", &session["expires_in"]),
            ("refresh_token", &session["refresh_token"]),
            ("token_type", &session["token_type"]),
            ("type", &json!(kind)),
        ]),
        Err(error) if error.status() < 500 => pairs(&[
            ("error", &json!("access_denied")),
            ("error_code", &json!(error.code)),
            (
                "error_description",
                &json!("Email link is invalid or has expired"),
            ),
        ]),
        Err(error) => return errors::respond(&headers, Err::<(), _>(error)),
    };
    let Ok(location) = HeaderValue::try_from(format!("{target}#{fragment}")) else {
        return errors::respond(&headers, Err::<(), _>(one_time::not_good()));
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

/// Opens a session for whoever shows a good proof; gives it and what the proof was for.
async fn enter(
    identity: &Identity,
    kind: &str,
    proof: Proof<'_>,
    user_agent: Option<&str>,
) -> Result<(Value, String)> {
    let tx = SystemTx::begin(&identity.0.db, "verify").await?;
    let Some((user, kind, address)) = one_time::redeem(identity, &tx, kind, proof).await? else {
        tx.commit().await?;
        return Err(one_time::not_good());
    };
    let user = users::confirm(identity, &tx, user, &address, kind.as_str()).await?;
    let session = sessions::open(identity, tx, user.id, Method::Otp, user_agent).await?;
    Ok((session, kind))
}
