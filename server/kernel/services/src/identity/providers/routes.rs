//! `/authorize`, `/callback` and the ways in of whoever is signed in.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ClientAddress},
};
use uuid::Uuid;

use super::{
    Provider,
    accounts::{self, Comer, Linker},
    custom::admin as custom,
    exchange,
    flows::{self, Beginning, Flow},
    profile::Profile,
};
use crate::identity::{
    Identity,
    limits::{Limit, limited},
    pkce::{self, Asked},
    reauthentication, redirects,
    routes::{Service, current, user_agent},
    sessions::{self, Method},
};

pub(in crate::identity) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/authorize", limited(Limit::Sso, get(authorize)))
        .route(
            "/auth/v1/callback",
            limited(Limit::Sso, get(callback).post(callback_by_form)),
        )
        .route(
            "/auth/v1/user/identities/authorize",
            limited(Limit::Sso, get(authorize_link)),
        )
        .route("/auth/v1/user/identities/{id}", delete(unlink))
        .route(
            "/auth/v1/admin/custom-providers",
            get(custom::list).post(custom::create),
        )
        .route(
            "/auth/v1/admin/custom-providers/{identifier}",
            get(custom::one).put(custom::update).delete(custom::delete),
        )
}

/// Names and values of a query or a form, in their order.
type Pairs = Vec<(String, String)>;

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// Sends the browser on; what stands in the address is for one pair of eyes.
fn go(status: StatusCode, location: &str, cookie: Option<HeaderValue>) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return Error::internal("a redirect has no address").into_response();
    };
    let mut response = (
        status,
        [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ],
    )
        .into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Begins a sign-in, or the linking of a further way in.
async fn begin(
    identity: &Identity,
    headers: &HeaderMap,
    query: &Pairs,
    linking: Option<Linker>,
) -> Result<(String, HeaderValue)> {
    let provider = identity
        .0
        .providers
        .get(value(query, "provider").unwrap_or_default())
        .await?;
    let text = |name: &str| value(query, name).map(str::to_owned);
    let beginning = Beginning {
        redirect_to: redirects::allowed(identity, value(query, "redirect_to")),
        challenge: Asked::new(text("code_challenge"), text("code_challenge_method")).challenge()?,
        linking,
        scopes: value(query, "scopes").unwrap_or_default(),
        wishes: query,
    };
    flows::begin(identity, &provider, headers, beginning).await
}

async fn authorize(service: Service, Query(query): Query<Pairs>, headers: HeaderMap) -> Response {
    match begin(&service, &headers, &query, None).await {
        Ok((address, cookie)) => go(StatusCode::FOUND, &address, Some(cookie)),
        // Whoever set this up is told what is wrong with it; who only wants to sign in goes back where they came from.
        Err(error) if error.status() == 400 => error.into_response(),
        Err(error) => {
            let target = redirects::allowed(&service, value(&query, "redirect_to"));
            go(
                StatusCode::FOUND,
                &with_fault(&target, &Fault::from(&error)),
                None,
            )
        }
    }
}

async fn authorize_link(
    service: Service,
    caller: Caller,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Result<Response> {
    let linker = who_may_link(&service, caller).await?;
    let (address, cookie) = begin(&service, &headers, &query, Some(linker)).await?;
    if value(&query, "skip_http_redirect") == Some("true") {
        let answer = ([(header::SET_COOKIE, cookie)], Json(json!({ "url": address })));
        return Ok(answer.into_response());
    }
    Ok(go(StatusCode::FOUND, &address, Some(cookie)))
}

async fn unlink(service: Service, caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse> {
    let Linker { user, .. } = who_may_link(&service, caller).await?;
    let id = Uuid::try_parse(&id)
        .map_err(|_| Error::not_found("validation_failed", "identity_id must be an UUID"))?;
    accounts::unlink(&service, user, id).await?;
    Ok(Json(json!({})))
}

/// Whoever is signed in, if they may change their ways in: where the installation lets people, and with a second factor shown if
/// they have one.
pub(super) async fn who_may_link(identity: &Identity, caller: Caller) -> Result<Linker> {
    let (session, user) = current(identity, &caller).await?;
    if !identity.0.config.auth.manual_linking {
        return Err(Error::not_found(
            "manual_linking_disabled",
            "Manual linking is disabled",
        ));
    }
    reauthentication::require(identity, &user, session, false, None).await?;
    Ok(Linker {
        user: user.id,
        session,
    })
}

/// A provider that sends a form (`response_mode=form_post`) sends it from its own site, where no cookie of ours goes along; it does
/// with the look that follows.
async fn callback_by_form(body: Bytes) -> Response {
    let form: Pairs = url::form_urlencoded::parse(&body).into_owned().collect();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["state", "code", "iss", "error", "error_description"] {
        if let Some(value) = value(&form, name) {
            query.append_pair(name, value);
        }
    }
    // The path alone: the browser stays with the host it was sent to.
    let location = format!("/auth/v1/callback?{}", query.finish());
    go(StatusCode::SEE_OTHER, &location, None)
}

/// The browser comes back from a provider.
async fn callback(
    service: Service,
    client: ClientAddress,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Response {
    let (target, outcome) = come_back(&service, client, &query, &headers).await;
    let location = match outcome {
        Ok(location) => location,
        Err(fault) => {
            tracing::info!(
                error = fault.error,
                code = fault.code,
                "a sign-in with a provider failed"
            );
            with_fault(&target, &fault)
        }
    };
    go(StatusCode::FOUND, &location, None)
}

/// Where the browser goes on to: where the client wants it if it is known, else home.
async fn come_back(
    identity: &Identity,
    client: ClientAddress,
    query: &Pairs,
    headers: &HeaderMap,
) -> (String, Result<String, Fault>) {
    let home = redirects::home(&identity.0.config).to_owned();
    let Some(state) = value(query, "state") else {
        let fault = bad_callback("OAuth state parameter missing");
        return (home, Err(Fault::from(&fault)));
    };
    let flow = match flows::take(identity, state).await {
        Ok(Some(flow)) => flow,
        Ok(None) => {
            let fault = flows::bad_state("OAuth state not found or expired");
            return (home, Err(Fault::from(&fault)));
        }
        Err(error) => return (home, Err(Fault::from(&error))),
    };
    if let Err(error) = flow.check(identity, headers) {
        return (home, Err(Fault::from(&error)));
    }
    let target = flow.redirect_to.split('#').next().unwrap_or_default().to_owned();
    let outcome = arrive(identity, client, flow, query, headers, &target).await;
    (target, outcome)
}

async fn arrive(
    identity: &Identity,
    client: ClientAddress,
    flow: Flow,
    query: &Pairs,
    headers: &HeaderMap,
    target: &str,
) -> Result<String, Fault> {
    let provider = identity.0.providers.get(&flow.provider).await?;
    // Whose answer this is comes first: another provider's error would be believed, too.
    provider.check_issuer(value(query, "iss")).await?;
    if let Some(error) = value(query, "error") {
        return Err(Fault::of_provider(error, value(query, "error_description")));
    }
    let code = value(query, "code").ok_or_else(|| bad_callback("OAuth code parameter missing"))?;
    let came = exchange::exchange(&identity.0.providers, &provider, &flow.kept, code.to_owned()).await?;
    let (tx, comer) = admit(identity, client, &provider, &came.profile, flow.linking).await?;
    let tokens = json!({
        "provider_token": came.access_token,
        "provider_refresh_token": came.refresh_token.unwrap_or_default(),
    });
    if let Some(challenge) = &flow.challenge {
        let code = pkce::issue(identity, &tx, comer.user, challenge, Method::OAuth, Some(&tokens)).await?;
        tx.commit().await?;
        comer.tell(identity, client);
        let mut location = url::Url::parse(target).map_err(Error::internal)?;
        location.query_pairs_mut().append_pair("code", &code);
        return Ok(location.into());
    }
    let session = sessions::open(identity, tx, comer.user, Method::OAuth, user_agent(headers)).await?;
    comer.tell(identity, client);
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    for name in [
        "access_token",
        "expires_at",
        "expires_in",
        "refresh_token",
        "token_type",
    ] {
        fragment.append_pair(name, &plain(&session[name]));
    }
    for name in ["provider_token", "provider_refresh_token"] {
        if let Some(token) = tokens[name].as_str().filter(|token| !token.is_empty()) {
            fragment.append_pair(name, token);
        }
    }
    Ok(format!("{target}#{}", fragment.finish()))
}

/// Lets whoever has an account at a provider in, or gives whoever is signed in a further way in. What came of it is still to be
/// committed.
pub(super) async fn admit(
    identity: &Identity,
    client: ClientAddress,
    provider: &Provider,
    profile: &Profile,
    linking: Option<Linker>,
) -> Result<(SystemTx, Comer)> {
    let may_be_new = match linking {
        Some(_) => false,
        None => accounts::may_be_new(identity, client, provider, profile).await?,
    };
    let tx = SystemTx::begin(&identity.0.db, "sign-in with a provider").await?;
    let comer = match linking {
        Some(linker) => accounts::link(identity, &tx, provider, profile, linker).await?,
        None => accounts::enter(identity, &tx, provider, profile, may_be_new).await?,
    };
    Ok((tx, comer))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bad_callback(message: &str) -> Error {
    Error::invalid("bad_oauth_callback", message)
}

/// What went wrong, in the words of OAuth and of GoTrue.
#[derive(Debug)]
struct Fault {
    error: String,
    code: String,
    description: String,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let name = match error.status() {
            400 => "invalid_request",
            401 => "unauthorized_client",
            403 | 422 => "access_denied",
            503 => "temporarily_unavailable",
            _ => "server_error",
        };
        Self {
            error: name.to_owned(),
            code: error.code.to_string(),
            description: error.message.clone(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl Fault {
    /// What the provider said. It comes by the browser, so that anybody can have written it: short, and never more than words.
    fn of_provider(error: &str, description: Option<&str>) -> Self {
        let name = error.len() <= 60
            && error
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        let words: String = description
            .unwrap_or("The provider refused the sign-in.")
            .chars()
            .filter(|letter| !letter.is_control())
            .take(300)
            .collect();
        Self {
            error: if name {
                error.to_owned()
            } else {
                "server_error".to_owned()
            },
            ..Self::from(Error::invalid("provider_refused", words))
        }
    }
}

/// An address with what went wrong, in its query and behind the `#`, where older clients look.
fn with_fault(target: &str, fault: &Fault) -> String {
    let target = target.split('#').next().unwrap_or_default();
    let pairs = [
        ("error", &fault.error),
        ("error_code", &fault.code),
        ("error_description", &fault.description),
    ];
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    fragment.extend_pairs(pairs);
    let Ok(mut location) = url::Url::parse(target) else {
        return "/".to_owned();
    };
    location.query_pairs_mut().extend_pairs(pairs);
    location.set_fragment(Some(&fragment.finish()));
    location.into()
}
