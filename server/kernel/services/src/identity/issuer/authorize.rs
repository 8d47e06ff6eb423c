//! A program asks: `authorize` checks its request, keeps it, and leads the browser to the page that asks the person.

use axum::{
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use tenon_sdk::{Result, SystemTx};

use super::{
    super::{Identity, routes::Service},
    clients::Client,
    fault::{Fault, not_kept},
    issuer,
    parameters::Parameters,
    redirects,
    scopes::Scopes,
};

/// How long a request waits for the person's answer.
const WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a spent code is known after that.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn by_query(service: Service, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    answer(&service, &headers, parameters).await
}

pub(super) async fn by_form(service: Service, headers: HeaderMap, body: Bytes) -> Response {
    let parameters = Parameters::form(&headers, &body);
    answer(&service, &headers, parameters).await
}

async fn answer(identity: &Identity, headers: &HeaderMap, parameters: Result<Parameters, Fault>) -> Response {
    let result = match parameters {
        Ok(parameters) => authorize(identity, &parameters).await,
        Err(fault) => Err(Refused::Here("request", fault)),
    };
    let browser = headers
        .get(header::ACCEPT)
        .is_some_and(|kinds| kinds.to_str().is_ok_and(|kinds| kinds.contains("text/html")));
    let page = |name: &str, value: &str| {
        let config = &identity.0.config;
        let base = format!(
            "{}{}",
            config.server.site_url.trim_end_matches('/'),
            config.auth.issuer.consent_path
        );
        redirects::with(&base, &[(name, value)]).unwrap_or(base)
    };
    match result {
        Ok(id) => lead(&page("authorization_id", &id)),
        Err(Refused::There(location)) => lead(&location),
        // Nobody may be sent to an address that cannot be trusted: the person learns it here.
        Err(Refused::Here(what, _)) if browser => lead(&page("fault", what)),
        Err(Refused::Here(_, fault)) => fault.into_response(),
    }
}

fn lead(location: &str) -> Response {
    not_kept((StatusCode::SEE_OTHER, [(header::LOCATION, location.to_owned())]))
}

enum Refused {
    /// To be told to the person, with the page's word for it.
    Here(&'static str, Fault),
    /// Told to the program, at this address.
    There(String),
}

impl From<tenon_sdk::Error> for Refused {
    fn from(error: tenon_sdk::Error) -> Self {
        Self::Here("server", error.into())
    }
}

/// What a request asks for, once it is known whose it is and where its answer goes.
struct Request {
    scopes: Scopes,
    challenge: String,
    resource: Option<String>,
    ask_again: bool,
    authenticated_after: Option<Timestamp>,
}

/// Keeps a request and gives its id.
async fn authorize(identity: &Identity, parameters: &Parameters) -> Result<String, Refused> {
    // Before a connection is held, since it may take one.
    let algorithm = identity.0.keys.signing().await?.algorithm;
    let tx = SystemTx::begin(&identity.0.db, "authorization request").await?;
    let client = match parameters.get("client_id") {
        Some(id) => Client::find(&tx, id).await?,
        None => None,
    };
    let client = client
        .ok_or_else(|| Refused::Here("client", Fault::new("invalid_client", "There is no such client.")))?;
    let redirect = match (parameters.get("redirect_uri"), client.redirect_uris()) {
        (Some(asked), registered) if registered.iter().any(|one| redirects::matches(asked, one)) => asked,
        (None, [only]) => only,
        _ => {
            let fault = Fault::invalid_request("redirect_uri is not one of those registered.");
            return Err(Refused::Here("redirect", fault));
        }
    };
    let state = parameters.get("state");
    let now = identity.0.env.now();
    let request = read(identity, &client, parameters, now).and_then(|request| {
        // Whoever could check a signature by a shared secret could make one.
        if request.scopes.has("openid") && algorithm == Algorithm::HS256 {
            return Err(Fault::new(
                "invalid_scope",
                "This installation has no key pair for openid.",
            ));
        }
        Ok(request)
    });
    let request = request.map_err(|fault| {
        there(identity, redirect, state, &fault.error, &fault.description)
            .map_or(Refused::Here("redirect", fault), Refused::There)
    })?;

    // What was never answered goes at once; codes are known for a day, so that one that comes back late is noticed.
    tx.execute(
        "delete from auth.oauth_authorizations where expires_at < $1 and (used_at is null or expires_at < $2)",
        &[&now, &(now - KEPT)],
    )
    .await?;
    let (env, id) = (&identity.0.env, identity.0.env.new_secret::<24>());
    tx.execute(
        "insert into auth.oauth_authorizations (id, authorization_id, client_id, redirect_uri, scope, state, resource, \
         nonce, code_challenge, code_challenge_method, ask_again, authenticated_after, created_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 's256', $10, $11, $12, $13)",
        &[
            &env.new_id(),
            &id,
            &client.id,
            &redirect,
            &request.scopes.text(),
            &state,
            &request.resource,
            &parameters.get("nonce"),
            &request.challenge,
            &request.ask_again,
            &request.authenticated_after,
            &now,
            &(now + WAIT),
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// The address at which a program learns of a refusal (RFC 6749, 4.1.2.1).
pub(super) fn there(
    identity: &Identity,
    redirect: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> Option<String> {
    let issuer = issuer(identity);
    let mut answer = vec![("error", error), ("error_description", description)];
    answer.extend(state.map(|state| ("state", state)));
    // Says who answers, so that a program that knows several is not mixed up (RFC 9207).
    answer.push(("iss", &issuer));
    redirects::with(redirect, &answer)
}

fn read(
    identity: &Identity,
    client: &Client,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<Request, Fault> {
    if parameters.required("response_type")? != "code" {
        return Err(Fault::new("unsupported_response_type", "response_type is code."));
    }
    if parameters
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(Fault::invalid_request("response_mode is query."));
    }
    for (name, fault) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
    ] {
        if parameters.get(name).is_some() {
            return Err(Fault::new(fault, "A request is made of plain parameters."));
        }
    }
    let challenge = parameters.required("code_challenge")?;
    // Without a word the method would be plain (RFC 7636, 4.3), which proves nothing to whoever reads the request.
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(Fault::invalid_request("code_challenge_method is S256."));
    }
    let digest = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if challenge.len() != 43 || !challenge.bytes().all(digest) {
        return Err(Fault::invalid_request(
            "code_challenge is no SHA-256 digest in base64url.",
        ));
    }
    let prompts: Vec<&str> = parameters.get("prompt").unwrap_or_default().split(' ').collect();
    if prompts.contains(&"none") {
        // Who is signed in is known to the page alone.
        return Err(Fault::new("login_required", "The person has to be asked."));
    }
    let max_age = parameters.get("max_age").map(str::parse::<u32>).transpose();
    let max_age = max_age.map_err(|_| Fault::invalid_request("max_age is a number of seconds."))?;
    let age = if prompts.contains(&"login") {
        Some(0)
    } else {
        max_age
    };
    Ok(Request {
        scopes: Scopes::asked(parameters.get("scope"), client.scope())?,
        challenge: challenge.to_owned(),
        resource: resource(identity, parameters)?,
        ask_again: prompts
            .iter()
            .any(|prompt| ["consent", "select_account"].contains(prompt)),
        authenticated_after: age.map(|age| now - SignedDuration::from_secs(age.into())),
    })
}

/// The resource that the tokens are for (RFC 8707): this installation, since its tokens are good nowhere else.
pub(super) fn resource(identity: &Identity, parameters: &Parameters) -> Result<Option<String>, Fault> {
    let Some(asked) = parameters.get("resource") else {
        return Ok(None);
    };
    let within =
        super::super::redirects::within(asked, &identity.0.config.server.site_url) && !asked.contains('#');
    if within {
        Ok(Some(asked.to_owned()))
    } else {
        Err(Fault::new(
            "invalid_target",
            "Tokens are made for this installation alone.",
        ))
    }
}
