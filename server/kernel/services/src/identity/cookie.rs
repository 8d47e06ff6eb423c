//! The web app's session: its refresh token lies in a cookie that no script can read, and the page holds the access token only.
//!
//! A request with the header `x-tenon-session: cookie` gets its refresh token as a cookie; where the body would have it stands
//! the word `cookie`, and a refresh with that word takes the cookie's. A link in a mail whose way on has `session=cookie` in its
//! query leads on with the cookie alone, without tokens in the address. Other clients see none of this.
//!
//! Another site can make a browser send the cookie at most where it cannot be used: it is `SameSite=Strict`, and the header is not
//! among those that CORS grants, so that a page of another origin may not send it.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tenon_sdk::{Error, Result};

use super::Identity;

/// The header that asks for a cookie.
const HEADER: HeaderName = HeaderName::from_static("x-tenon-session");
/// What stands for the token that is in the cookie.
const WORD: &str = "cookie";
const NAME: &str = "tenon_session";
/// Browsers keep a cookie no longer than that: 400 days.
const MAX_AGE_SECONDS: u32 = 34_560_000;
/// Bodies of `/auth/v1` are small; one that is not is none of a session.
const MOST: usize = 256 * 1024;

/// Moves refresh tokens between the bodies and the cookie.
pub(super) async fn keep(
    axum::Extension(identity): axum::Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let asked = request.headers().get(&HEADER).is_some_and(|value| value == WORD);
    if !asked {
        let host = request.headers().get(header::HOST).cloned();
        return link(&identity, host.as_ref(), next.run(request).await);
    }
    let token = sent(request.headers());
    let leaves = request.uri().path().ends_with("/logout")
        && !request.uri().query().unwrap_or_default().contains("scope=others");
    let moved = async {
        let request = put_in(request, token.as_deref()).await?;
        take_out(&identity, next.run(request).await, leaves).await
    };
    match moved.await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// The cookie's value.
fn sent(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(NAME)?.strip_prefix('='))
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
}

/// The request with the cookie's token where its body has the word.
async fn put_in(request: Request, token: Option<&str>) -> Result<Request> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MOST).await.map_err(|error| {
        Error::too_large("request.too_large", "The request is too large.").details(error.to_string())
    })?;
    let changed = serde_json::from_slice::<Value>(&body).ok().and_then(|mut value| {
        let place = value.get_mut("refresh_token").filter(|place| *place == WORD)?;
        *place = token.unwrap_or_default().into();
        Some(Bytes::from(value.to_string()))
    });
    let body = changed.unwrap_or(body);
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The answer with its token in the cookie.
async fn take_out(identity: &Identity, response: Response, leaves: bool) -> Result<Response> {
    let (mut parts, body) = response.into_parts();
    // A session that has ended already cannot be ended, and is left all the same.
    if leaves && !parts.status.is_server_error() {
        parts.headers.append(header::SET_COOKIE, forget(identity));
        return Ok(Response::from_parts(parts, body));
    }
    let body = to_bytes(body, MOST).await.map_err(Error::internal)?;
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
        return Ok(Response::from_parts(parts, Body::from(body)));
    };
    if parts.status == StatusCode::BAD_REQUEST {
        let code = value["code"]
            .as_str()
            .or(value["error_code"].as_str())
            .unwrap_or_default();
        if code.starts_with("refresh_token_") {
            parts.headers.append(header::SET_COOKIE, forget(identity));
        }
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    let Some(Value::String(token)) = value.get("refresh_token") else {
        return Ok(Response::from_parts(parts, Body::from(body)));
    };
    parts
        .headers
        .append(header::SET_COOKIE, remember(identity, token));
    value["refresh_token"] = WORD.into();
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok((parts, value.to_string()).into_response())
}

/// A redirect to a page of the installation's own that asked for the cookie, without the tokens in its address.
fn link(identity: &Identity, host: Option<&HeaderValue>, mut response: Response) -> Response {
    if !response.status().is_redirection() {
        return response;
    }
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let Some((location, token)) = location.and_then(|location| moved(location, host?.to_str().ok()?)) else {
        return response;
    };
    let Ok(location) = HeaderValue::try_from(location) else {
        return response;
    };
    response.headers_mut().insert(header::LOCATION, location);
    if let Some(token) = token {
        response
            .headers_mut()
            .append(header::SET_COOKIE, remember(identity, &token));
    }
    response
}

/// A location without its tokens, and the refresh token, if it asks for the cookie and has the name by which this server was
/// asked: the browser keeps the cookie for that name alone.
fn moved(location: &str, host: &str) -> Option<(String, Option<String>)> {
    let mut location = url::Url::parse(location).ok()?;
    let asks = location
        .query_pairs()
        .any(|(name, value)| name == "session" && value == WORD);
    let name = match location.port() {
        Some(port) => format!("{}:{port}", location.host_str()?),
        None => location.host_str()?.to_owned(),
    };
    if !asks || !matches!(location.scheme(), "http" | "https") || name != host {
        return None;
    }
    let kept: Vec<(String, String)> = location
        .query_pairs()
        .filter(|(name, _)| name != "session")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    location.set_query(None);
    if !kept.is_empty() {
        location.query_pairs_mut().extend_pairs(kept);
    }
    let fragment = location.fragment().unwrap_or_default().to_owned();
    let (mut token, mut left) = (None, url::form_urlencoded::Serializer::new(String::new()));
    for (name, value) in url::form_urlencoded::parse(fragment.as_bytes()) {
        match name.as_ref() {
            "refresh_token" => token = Some(value.into_owned()),
            "access_token"
            | "expires_at"
            | "expires_in"
            | "token_type"
            | "provider_token"
            | "provider_refresh_token" => {}
            _ => {
                left.append_pair(&name, &value);
            }
        }
    }
    if token.is_some() {
        left.append_pair("session", WORD);
    }
    let left = left.finish();
    location.set_fragment((!left.is_empty()).then_some(&left));
    Some((location.into(), token))
}

fn cookie(identity: &Identity, value: &str, max_age: u32) -> HeaderValue {
    let secure = if identity.0.config.server.site_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let text = format!("{NAME}={value}; Path=/auth/v1; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}");
    // Tokens are of letters and digits that headers may have.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn remember(identity: &Identity, token: &str) -> HeaderValue {
    cookie(identity, token, MAX_AGE_SECONDS)
}

fn forget(identity: &Identity) -> HeaderValue {
    cookie(identity, "", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "tenon.example.com";

    #[test]
    fn a_link_to_the_site_leads_on_without_tokens() {
        let (location, token) = moved(
            "https://tenon.example.com/new-password?a=b&session=cookie#access_token=x&expires_in=1&refresh_token=r&type=recovery",
            HOST,
        )
        .unwrap();
        assert_eq!(
            location,
            "https://tenon.example.com/new-password?a=b#type=recovery&session=cookie"
        );
        assert_eq!(token.as_deref(), Some("r"));
        let (location, token) =
            moved("https://tenon.example.com/?session=cookie#error=denied", HOST).unwrap();
        assert_eq!(
            (location.as_str(), token),
            ("https://tenon.example.com/#error=denied", None)
        );
    }

    #[test]
    fn links_to_others_and_links_that_did_not_ask_stay_as_they_are() {
        for other in [
            "https://tenon.example.com/#refresh_token=r",
            "https://tenon.example.com.evil.example/?session=cookie#refresh_token=r",
            "https://tenon.example.com:8443/?session=cookie#refresh_token=r",
            "https://someone@evil.example/?session=cookie#refresh_token=r",
            "app://open?session=cookie#refresh_token=r",
            "/relative?session=cookie",
        ] {
            assert_eq!(moved(other, HOST), None, "{other}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::try_from(text).unwrap());
            sent(&headers)
        };
        assert_eq!(headers("a=b; tenon_session=abc; c=d").as_deref(), Some("abc"));
        assert_eq!(headers("tenon_sessions=abc; xtenon_session=d"), None);
        assert_eq!(headers("tenon_session="), None);
    }
}
