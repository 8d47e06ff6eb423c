//! How a program shows who it is where it asks for tokens (RFC 6749, 2.3).

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use tenon_sdk::SystemTx;

use super::{
    super::{fault::Fault, parameters::Parameters},
    Client, hash,
};

/// How and as whom.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    method: &'static str,
    id: String,
    secret: Option<String>,
}

/// The program of a request, if it shows who it is in the way it was registered to, and in one way only.
pub(in super::super) async fn authenticate(
    tx: &SystemTx,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Client, Fault> {
    let shown = shown(headers, parameters)?;
    let client = Client::find(tx, &shown.id)
        .await?
        .ok_or_else(Fault::invalid_client)?;
    // Hashes of random secrets: how far two of them agree tells nothing of either.
    let fits = shown.secret.as_deref().map(hash) == client.secret_hash;
    if fits && client.metadata.method == shown.method {
        Ok(client)
    } else {
        Err(Fault::invalid_client())
    }
}

fn shown(headers: &HeaderMap, parameters: &Parameters) -> Result<Shown, Fault> {
    let in_form = (parameters.get("client_id"), parameters.get("client_secret"));
    let Some(basic) = headers.get(header::AUTHORIZATION) else {
        let (id, secret) = in_form;
        return Ok(Shown {
            method: if secret.is_some() {
                "client_secret_post"
            } else {
                "none"
            },
            id: id.ok_or_else(Fault::invalid_client)?.to_owned(),
            secret: secret.map(str::to_owned),
        });
    };
    let (id, secret) = basic
        .to_str()
        .ok()
        .and_then(credentials)
        .ok_or_else(Fault::invalid_client)?;
    if in_form.1.is_some() || in_form.0.is_some_and(|other| other != id) {
        return Err(Fault::invalid_request("The client shows who it is in two ways."));
    }
    Ok(Shown {
        method: "client_secret_basic",
        id,
        secret: Some(secret),
    })
}

/// Name and password of the scheme Basic, each encoded as in a form.
fn credentials(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 2048 {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| {
        // A value alone, as a form would hold it.
        let pair = format!("v={}", text.replace('&', "%26"));
        let found = url::form_urlencoded::parse(pair.as_bytes()).next();
        found.map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_shows_who_it_is_in_one_way() {
        let basic = |text: &str| {
            let mut headers = HeaderMap::new();
            let value = format!("Basic {}", STANDARD.encode(text));
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            headers
        };
        let read = |text: &str| Parameters::read(text.as_bytes()).unwrap();
        let good = shown(&basic("me:a%2Bb%3A+c"), &read("client_id=me")).unwrap();
        assert_eq!(
            (good.method, good.secret.as_deref()),
            ("client_secret_basic", Some("a+b: c"))
        );
        let good = shown(&HeaderMap::new(), &read("client_id=me&client_secret=x")).unwrap();
        assert_eq!(good.method, "client_secret_post");
        assert_eq!(
            shown(&HeaderMap::new(), &read("client_id=me")).unwrap().method,
            "none"
        );
        for (headers, form, error) in [
            (basic("me:x"), "client_id=me&client_secret=x", "invalid_request"),
            (basic("me:x"), "client_id=you", "invalid_request"),
            (basic("me"), "", "invalid_client"),
            (HeaderMap::new(), "", "invalid_client"),
            (HeaderMap::new(), "client_secret=x", "invalid_client"),
        ] {
            assert_eq!(shown(&headers, &read(form)).unwrap_err().error, error);
        }
    }
}
