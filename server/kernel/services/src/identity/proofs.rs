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
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ClientAddress},
};

use super::{
    Identity, captcha, errors,
    hooks::Newcomer,
    limits::{Limit, limited},
    one_time::{self, Proof, Purpose},
    phones, pkce, places, redirects,
    routes::{Redirect, Service, current, read, user_agent},
    sessions::{self, Method},
    users::{self, Contact},
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
    body: Bytes,
) -> Result<impl IntoResponse> {
    let Address { pkce, email } = read(&body)?;
    captcha::check(&service, client, &body).await?;
    let way = query.way(&service, pkce)?;
    let email = asked_for(&service, &email, client)?;
    let tx = SystemTx::begin(&service.0.0.db, "recovery").await?;
    match users::by_address(&tx, &email).await? {
        Some(user) => one_time::mail(&service, &tx, &user, Purpose::Recovery, &email, &way).await?,
        None => one_time::pretend(&service, &tx, Purpose::Recovery).await?,
    }
    tx.commit().await?;
    Ok(Json(json!({})))
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
    body: Bytes,
) -> Result<impl IntoResponse> {
    let ask: AskForCode = read(&body)?;
    captcha::check(&service, client, &body).await?;
    users::check_data(&ask.data)?;
    if ask.email.is_empty() && !ask.phone.is_empty() {
        let answer = phones::otp(&service, client, &ask.phone, ask.create_user, &ask.data).await?;
        return Ok(Json(answer));
    }
    let way = query.way(&service, ask.pkce)?;
    let email = asked_for(&service, &ask.email, client)?;
    let may_create = ask.create_user && service.0.0.config.auth.sign_up;
    if may_create {
        let newcomer = Newcomer {
            email: &email,
            phone: "",
            data: &ask.data,
            provider: "email",
        };
        service.before_user_created(client, &newcomer).await?;
    }
    let tx = SystemTx::begin(&service.0.0.db, "one-time code").await?;
    let mut created = None;
    let found = match users::by_address(&tx, &email).await? {
        Some(user) => Some((user, Purpose::MagicLink)),
        None if may_create => users::insert(&service, &tx, Contact::Email(&email), None, &ask.data, false)
            .await?
            .map(|user| {
                created = Some(user.id);
                (user, Purpose::SignUp)
            }),
        None => None,
    };
    match found {
        Some((user, purpose)) => one_time::mail(&service, &tx, &user, purpose, &email, &way).await?,
        None if service.0.0.config.auth.tell_unknown => return Err(errors::otp_disabled()),
        None => one_time::pretend(&service, &tx, Purpose::MagicLink).await?,
    }
    tx.commit().await?;
    if let Some(user) = created {
        service.after_user_created(client, user);
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Resend {
    #[serde(flatten)]
    pkce: pkce::Asked,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
}

/// Sends again what somebody waits for. What changes an account is sent again to its owner only, signed in: a stranger who knows the
/// new address could else keep a change alive that its owner thinks over.
async fn resend(
    service: Service,
    caller: Result<Caller>,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let ask: Resend = read(&body)?;
    captcha::check(&service, client, &body).await?;
    let way = query.way(&service, ask.pkce)?;
    let by_phone = match ask.r#type.as_str() {
        "signup" | "email_change" => false,
        "sms" | "phone_change" => true,
        _ => {
            return Err(Error::invalid(
                "validation_failed",
                "Missing one of these types: signup, email_change, sms, phone_change",
            )
            .hint("type is signup, email_change, sms or phone_change."));
        }
    };
    let address = if by_phone {
        phones::asked_for(&service, &ask.phone, client)?
    } else {
        asked_for(&service, &ask.email, client)?
    };
    let owner = match caller {
        Ok(caller) if ask.r#type.ends_with("_change") => Some(current(&service, &caller).await?.1),
        _ => None,
    };
    let tx = SystemTx::begin(&service.0.0.db, "resend").await?;
    let mut sent = true;
    match (ask.r#type.as_str(), owner) {
        ("signup", _) => match users::by_address(&tx, &address).await? {
            Some(user) if !user.confirmed() => {
                one_time::mail(&service, &tx, &user, Purpose::SignUp, &address, &way).await?;
            }
            _ => sent = false,
        },
        ("sms", _) => match users::by_phone(&tx, &address).await? {
            Some(user) if !user.phone_confirmed() => {
                one_time::text(&service, &tx, &user, Purpose::SmsSignUp, &address).await?;
            }
            // Whoever signs in by code asks for another with this, too.
            Some(user) if one_time::waits(&service, &tx, user.id, Purpose::Sms, &address).await? => {
                one_time::text(&service, &tx, &user, Purpose::Sms, &address).await?;
            }
            _ => sent = false,
        },
        ("email_change", Some(user)) => {
            users::email_change::ask_again(&service, &tx, &user, &way).await?;
        }
        ("phone_change", Some(user))
            if one_time::waits(&service, &tx, user.id, Purpose::PhoneChange, &address).await? =>
        {
            one_time::text(&service, &tx, &user, Purpose::PhoneChange, &address).await?;
        }
        _ => sent = false,
    }
    if !sent {
        one_time::pretend(&service, &tx, Purpose::SignUp).await?;
    }
    tx.commit().await?;
    Ok(Json(json!({})))
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
    #[serde(default)]
    phone: String,
}

async fn verify(
    service: Service,
    client: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let ask: Verify = read(&body)?;
    // By what the proof is for, never by the name that the address was sent under.
    let by_phone = one_time::by_phone(&ask.r#type);
    let address = if by_phone {
        phones::enabled(&service)?;
        match ask.phone.as_str() {
            "" => String::new(),
            phone => users::normal_phone(phone)?,
        }
    } else {
        ask.email.trim().to_lowercase()
    };
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
    let guessed = by_phone && ask.token_hash.is_empty();
    if guessed {
        // No link stands in for a code that a stranger guessed at, so guesses count where they come from.
        service.0.0.guesses.begin(&address, client)?;
    }
    let proof = phones::checked(&service, &ask.r#type, proof).await?;
    let (tx, user) = match prove(&service, &ask.r#type, proof, client).await? {
        Proven::Person(tx, user, _) => (tx, user),
        Proven::Half(_) => return Ok(Json(json!({ "msg": HALF, "code": "200" }))),
    };
    if guessed {
        service.0.0.guesses.succeeded(&address, client);
    }
    places::remember(&service, &tx, user, client).await?;
    // Who types a code or shows a link's token is the client that asked.
    sessions::open(&service, tx, user, Method::Otp, user_agent(&headers))
        .await
        .map(Json)
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
        Err(error) => return error.into_response(),
    };
    let Ok(location) = HeaderValue::try_from(location) else {
        return errors::otp_expired().into_response();
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
    let (tx, user, redeemed) = match prove(identity, kind, proof, client).await? {
        Proven::Person(tx, user, redeemed) => (tx, user, redeemed),
        Proven::Half(redeemed) => {
            return Ok(match redeemed.challenge {
                Some(_) => {
                    let mut location = url::Url::parse(target).map_err(Error::internal)?;
                    location.query_pairs_mut().append_pair("message", HALF);
                    location.into()
                }
                None => format!("{target}#{}", pairs(&[("message", &json!(HALF))])),
            });
        }
    };
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

/// What one of two addresses is told that have to agree.
const HALF: &str = "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/// What came of a proof that was good.
#[allow(clippy::large_enum_variant, reason = "one lives for the time of a request")]
enum Proven {
    /// It proves who somebody is, in a transaction that is still to be committed.
    Person(SystemTx, uuid::Uuid, one_time::Redeemed),
    /// It is one of two that are needed; committed.
    Half(one_time::Redeemed),
}

/// Takes a proof and records what it proves.
async fn prove(identity: &Identity, kind: &str, proof: Proof<'_>, client: ClientAddress) -> Result<Proven> {
    let tx = SystemTx::begin(&identity.0.db, "verify").await?;
    let Some(redeemed) = one_time::redeem(identity, &tx, kind, proof, client).await? else {
        // Wrong codes count.
        tx.commit().await?;
        return Err(errors::otp_expired());
    };
    let (user, address) = (redeemed.user, &redeemed.address);
    let user = match redeemed.kind.as_str() {
        "email_change" | "email_change_current" => {
            let Some(user) = users::email_change::agree(identity, &tx, &redeemed).await? else {
                tx.commit().await?;
                return Ok(Proven::Half(redeemed));
            };
            user
        }
        kind if one_time::by_phone(kind) => users::confirm_phone(identity, &tx, user, address, kind).await?,
        kind => users::confirm(identity, &tx, user, address, kind).await?,
    };
    Ok(Proven::Person(tx, user.id, redeemed))
}
