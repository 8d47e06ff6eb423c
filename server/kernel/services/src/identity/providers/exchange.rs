//! The provider's side of a sign-in: the address people are sent to, the exchange of the code they come back with, and who they are.

use std::pin::Pin;

use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenon_sdk::{
    Error, Result,
    outbound::{Outbound, Request},
};

use super::{Places, Provider, Providers, openid, profile::Profile};

/// What OpenID Connect adds to the answer with tokens.
#[derive(Debug, Deserialize, Serialize)]
struct Extra {
    #[serde(default)]
    id_token: Option<String>,
}

impl ExtraTokenFields for Extra {}

type OAuthClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<Extra, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a client may ask of a provider's page; all else belongs to the protocol, where a stranger's link has no say.
const PASSED_ON: [&str; 19] = [
    "access_type",
    "allow_signup",
    "audience",
    "auth_type",
    "connection",
    "display",
    "domain_hint",
    "hd",
    "include_granted_scopes",
    "kc_idp_hint",
    "locale",
    "login",
    "login_hint",
    "organization",
    "prompt",
    "screen_hint",
    "team",
    "theme",
    "ui_locales",
];

/// What Tenon keeps of a sign-in while the browser is with the provider.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
}

/// Somebody whom a provider sent back.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) profile: Profile,
    /// For the client, which may ask the provider for more with it.
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

fn client(provider: &Provider, places: &Places, basic: bool, redirect_uri: &str) -> Result<OAuthClient> {
    let bad = |what: &'static str| {
        move |_| Error::internal(format!("an address of a provider of sign-in is none: {what}"))
    };
    let own = provider.clients.first().cloned().unwrap_or_default();
    let mut client = Client::new(ClientId::new(own))
        .set_auth_uri(AuthUrl::new(places.authorize.clone()).map_err(bad("authorize"))?)
        .set_token_uri(TokenUrl::new(places.token.clone()).map_err(bad("token"))?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(bad("redirect"))?)
        .set_auth_type(if basic {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        });
    if !provider.settings.secret.is_empty() {
        client = client.set_client_secret(ClientSecret::new(provider.settings.secret.clone()));
    }
    Ok(client)
}

/// Where the browser goes: the provider's page, with what the client wants of it.
pub(super) async fn address(
    provider: &Provider,
    kept: &Kept,
    scopes: &str,
    wishes: &[(String, String)],
) -> Result<String> {
    let places = provider.places().await?;
    let client = client(provider, &places, places.basic, &kept.redirect_uri)?;
    let mut wanted: Vec<&str> = provider.known.scopes.to_vec();
    wanted.extend(provider.settings.scopes.iter().map(String::as_str));
    wanted.extend(scopes.split([' ', ',']).filter(|scope| !scope.is_empty()));
    let mut seen = std::collections::BTreeSet::new();
    wanted.retain(|scope| seen.insert(*scope));
    let mut request = client
        .authorize_url(|| CsrfToken::new(kept.state.clone()))
        .add_scopes(wanted.into_iter().map(|scope| Scope::new(scope.to_owned())));
    if provider.pkce() {
        let verifier = PkceCodeVerifier::new(kept.verifier.clone());
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    if provider.openid.is_some() {
        request = request.add_extra_param("nonce", kept.nonce.clone());
    }
    if provider.name == "apple" {
        // Apple tells a name or an address in a form only.
        request = request.add_extra_param("response_mode", "form_post");
    }
    let own = provider.parameters();
    for (name, value) in own {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    for (name, value) in wishes {
        if PASSED_ON.contains(&name.as_str()) && !own.iter().any(|(set, _)| set == name) {
            request = request.add_extra_param(name.clone(), value.clone());
        }
    }
    Ok(request.url().0.into())
}

/// Exchanges a code, and learns who came.
pub(super) async fn exchange(
    providers: &Providers,
    provider: &Provider,
    kept: &Kept,
    code: String,
) -> Result<Came> {
    let places = provider.places().await?;
    let mut outcome = ask(providers, provider, &places, places.basic, kept, &code).await;
    if places.either
        && let Err(RequestTokenError::ServerResponse(response)) = &outcome
        && *response.error() == BasicErrorResponseType::InvalidClient
    {
        outcome = ask(providers, provider, &places, !places.basic, kept, &code).await;
    }
    let tokens = outcome.map_err(|error| refused(provider, error))?;
    let access_token = tokens.access_token().secret().clone();
    let profile = match (&provider.openid, &tokens.extra_fields().id_token) {
        (Some(openid), Some(id_token)) => {
            // Where the settings list others, those are of programs that get tokens by themselves.
            let most = if provider.custom.is_some() { usize::MAX } else { 1 };
            let own = &provider.clients[..most.min(provider.clients.len())];
            let claims = openid.verify(id_token, own).await?;
            check_nonce(provider, kept, &claims)?;
            if openid::belongs(id_token, &claims, &access_token) == Some(false) {
                return Err(openid::bad_token("It belongs to another access token."));
            }
            let claims = complete(providers, &places, claims, &access_token).await;
            provider.read(&claims, &Value::Null)
        }
        (Some(_), None) => return Err(openid::bad_token("There is none.")),
        (None, _) => {
            let profile = tell(providers, places.profile.as_deref(), &access_token).await?;
            let emails = match &places.emails {
                Some(emails) => tell(providers, Some(emails), &access_token).await?,
                None => Value::Null,
            };
            provider.read(&profile, &emails)
        }
    };
    Ok(Came {
        profile: profile
            .ok_or_else(|| Error::unavailable("outbound.bad_answer", "The provider did not say who came."))?,
        access_token,
        refresh_token: tokens.refresh_token().map(|token| token.secret().clone()),
    })
}

/// Asks for the tokens of a code, with the secret in a header or in the form.
async fn ask(
    providers: &Providers,
    provider: &Provider,
    places: &Places,
    basic: bool,
    kept: &Kept,
    code: &str,
) -> Result<StandardTokenResponse<Extra, BasicTokenType>, RequestTokenError<Error, BasicErrorResponse>> {
    let client = client(provider, places, basic, &kept.redirect_uri).map_err(RequestTokenError::Request)?;
    let mut request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
    if provider.pkce() {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(kept.verifier.clone()));
    }
    request.request_async(&Carrier(providers.outbound.clone())).await
}

/// The nonce of a sign-in stands in its token, so that no other token passes for it.
fn check_nonce(provider: &Provider, kept: &Kept, claims: &Value) -> Result<()> {
    let expected = provider.known.nonce && !provider.settings.skip_nonce_check;
    match claims["nonce"].as_str() {
        Some(nonce) if nonce == kept.nonce => Ok(()),
        None if !expected => Ok(()),
        Some(_) if provider.settings.skip_nonce_check => Ok(()),
        _ => Err(openid::bad_token("It was made for another sign-in.")),
    }
}

/// Claims that a provider tells only on request; they count if they are about the same person. Without them it goes on with what
/// there is.
async fn complete(providers: &Providers, places: &Places, mut claims: Value, access_token: &str) -> Value {
    let Some(url) = places.profile.as_deref().filter(|_| claims["email"].is_null()) else {
        return claims;
    };
    match tell(providers, Some(url), access_token).await {
        Ok(Value::Object(more)) if more.get("sub") == Some(&claims["sub"]) => {
            if let Some(claims) = claims.as_object_mut() {
                // What is said of an address holds for the one it is said with.
                claims.retain(|name, value| {
                    !value.is_null() && !matches!(name.as_str(), "email_verified" | "xms_edov")
                });
                for (name, value) in more {
                    claims.entry(name).or_insert(value);
                }
            }
        }
        Ok(_) => tracing::warn!("a provider told about somebody else than who came"),
        Err(error) => tracing::warn!(%error, "a provider did not tell more about who came"),
    }
    claims
}

async fn tell(providers: &Providers, url: Option<&str>, access_token: &str) -> Result<Value> {
    let url = url.ok_or_else(|| Error::internal("a provider has no address for profiles"))?;
    let request = Request::get(url).accept_json().bearer(access_token);
    providers.outbound.send(request).await?.ok()?.json()
}

/// What the library asks, by the one client for calls outside.
struct Carrier(Outbound);

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(carry(&self.0, request))
    }
}

async fn carry(outbound: &Outbound, request: HttpRequest) -> Result<HttpResponse> {
    let (parts, body) = request.into_parts();
    let mut call = Request::new(parts.method, parts.uri.to_string()).headers(parts.headers);
    if !body.is_empty() {
        call = call.body("application/x-www-form-urlencoded", body);
    }
    let answer = outbound.send(call).await?;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = answer.status.try_into().map_err(Error::internal)?;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// Why a code was not exchanged; what the provider says may name what was sent, so that only its error's name is kept.
fn refused(provider: &Provider, error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
    let fault = match error {
        RequestTokenError::Request(error) => return error,
        RequestTokenError::ServerResponse(response) => response.error().to_string(),
        RequestTokenError::Parse(..) => "an answer that cannot be read".to_owned(),
        RequestTokenError::Other(fault) => fault,
    };
    tracing::warn!(
        provider = provider.name,
        fault,
        "a provider did not exchange a code"
    );
    Error::invalid("bad_oauth_callback", "Unable to exchange external code")
}
