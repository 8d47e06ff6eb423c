//! What a program learns of a person: the claims of `OpenID` Connect (Core, 5.1), as far as they were granted.

use axum::{
    Extension, Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tenon_sdk::http::RequestIdentity;

use super::{
    super::{routes::Service, sessions, tokens::Claims, users::User},
    fault::{Fault, not_kept},
    program::Program,
    scopes::{self, Scopes},
};

/// Who they are, and what the scopes let be told.
pub(super) fn claims(user: &User, scopes: &Scopes) -> Value {
    let mut claims = json!({ "sub": user.id });
    if scopes.has("email")
        && let Some(email) = &user.email
    {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(user.confirmed());
    }
    if scopes.has("phone")
        && let Some(phone) = &user.phone
    {
        claims["phone_number"] = json!(format!("+{phone}"));
        claims["phone_number_verified"] = json!(user.phone_confirmed());
    }
    if scopes.has("profile") {
        let said = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| user.about.person[name].as_str());
            found.find(|text| !text.is_empty()).map(str::to_owned)
        };
        for (claim, names) in [
            ("name", ["name", "full_name"].as_slice()),
            ("given_name", &["given_name"]),
            ("family_name", &["family_name"]),
            ("preferred_username", &["preferred_username", "user_name"]),
            ("picture", &["picture", "avatar_url"]),
            ("locale", &["locale"]),
            ("zoneinfo", &["zoneinfo"]),
        ] {
            if let Some(text) = said(names) {
                claims[claim] = json!(text);
            }
        }
        claims["updated_at"] = json!(user.updated_at.as_second());
    }
    claims
}

/// The claims of an access token without what was not granted: a program reads its own token. One that acts in the API as
/// the person carries what policies ask for.
pub(super) fn only(claims: Claims, scopes: &Scopes, open_api: bool) -> Claims {
    if open_api || scopes.has("api") {
        return claims;
    }
    Claims {
        email: if scopes.has("email") {
            claims.email
        } else {
            String::new()
        },
        phone: if scopes.has("phone") {
            claims.phone
        } else {
            String::new()
        },
        user_metadata: if scopes.has("profile") {
            claims.user_metadata
        } else {
            json!({})
        },
        app_metadata: json!({}),
        ..claims
    }
}

/// `userinfo` (Core, 5.3), for a token with the scope `openid`, or a person's own.
pub(super) async fn userinfo(
    service: Service,
    Extension(RequestIdentity(asking)): Extension<RequestIdentity>,
    _headers: HeaderMap,
) -> Response {
    let result = async {
        let session = asking.session.ok_or_else(Fault::invalid_token)?;
        let scopes = match Program::of(&asking) {
            Some(program) if !program.scopes.has("openid") => return Err(Fault::insufficient_scope()),
            Some(program) => program.scopes,
            None => Scopes::read(&scopes::ALL.join(" "))?,
        };
        let user = match sessions::person(&service, session).await {
            Err(error) if error.status() < 500 => return Err(Fault::invalid_token()),
            user => user?,
        };
        Ok(claims(&user, &scopes))
    };
    match result.await {
        Ok(claims) => not_kept(Json(claims)),
        Err(fault) => fault.into_response(),
    }
}
