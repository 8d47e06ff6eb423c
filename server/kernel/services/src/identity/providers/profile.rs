//! Who somebody is to a provider, read from what it says in its own form. An address counts as verified only where the provider
//! says so about this very address.

use serde_json::{Map, Value, json};

/// Reads an answer (claims of an ID token, or a profile) and a list of addresses, if there is one apart. `None`: it names nobody.
pub(super) type Reader = fn(&Value, &Value) -> Option<Profile>;

/// Longest text kept of a provider's.
const MOST_TEXT: usize = 500;

/// Who somebody is to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// Their id there, which never changes.
    pub(super) id: String,
    pub(super) email: Option<String>,
    /// Whether the provider knows that they read that address.
    pub(super) verified: bool,
    pub(super) name: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) picture: Option<String>,
    /// What else the operator wants to know of them, as the provider tells it.
    pub(super) custom_claims: Map<String, Value>,
}

impl Profile {
    /// As `auth.identities.identity_data` keeps it, in the names that clients of GoTrue know.
    pub(super) fn data(&self, issuer: &str) -> Value {
        let mut data = Map::new();
        let mut put = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                data.insert(name.to_owned(), json!(value));
            }
        };
        put("email", &self.email);
        for name in ["name", "full_name"] {
            put(name, &self.name);
        }
        for name in ["avatar_url", "picture"] {
            put(name, &self.picture);
        }
        for name in ["user_name", "preferred_username"] {
            put(name, &self.user_name);
        }
        if !self.custom_claims.is_empty() {
            data.insert("custom_claims".into(), json!(self.custom_claims));
        }
        data.insert("iss".into(), json!(issuer));
        data.insert("sub".into(), json!(self.id));
        data.insert("provider_id".into(), json!(self.id));
        data.insert(
            "email_verified".into(),
            json!(self.email.is_some() && self.verified),
        );
        data.insert("phone_verified".into(), json!(false));
        Value::Object(data)
    }
}

fn text(value: &Value) -> Option<String> {
    let text: String = value.as_str()?.trim().chars().take(MOST_TEXT).collect();
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

/// An id is a text or a number; a cut one would be somebody else's.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            (!text.is_empty() && text.len() <= 255 && !text.contains('\0')).then(|| text.clone())
        }
        _ => None,
    }
}

/// A picture is an address of the web.
fn picture(value: &Value) -> Option<String> {
    let url = value.as_str().filter(|url| url.len() <= 2 * MOST_TEXT)?;
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.into())
}

/// Some providers write a truth as a text or a number.
fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    }
}

/// The claims of OpenID Connect.
pub(super) fn openid(claims: &Value, _: &Value) -> Option<Profile> {
    let names = || {
        let parts = [text(&claims["given_name"]), text(&claims["family_name"])];
        let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (!whole.is_empty()).then_some(whole)
    };
    Some(Profile {
        id: id(&claims["sub"])?,
        email: text(&claims["email"]),
        verified: truth(&claims["email_verified"]),
        name: text(&claims["name"]).or_else(names),
        user_name: text(&claims["preferred_username"]).or_else(|| text(&claims["nickname"])),
        picture: picture(&claims["picture"]),
        ..Profile::default()
    })
}

/// Microsoft's: whoever runs a tenant writes what they like into `email`, so that only the claim counts that says that the
/// domain's owner answers for it (`xms_edov`, an optional claim of the app's registration).
pub(super) fn azure(claims: &Value, nothing: &Value) -> Option<Profile> {
    Some(Profile {
        verified: truth(&claims["xms_edov"]),
        ..openid(claims, nothing)?
    })
}

/// Addresses stand apart; only the primary one, and only if verified.
pub(super) fn github(profile: &Value, emails: &Value) -> Option<Profile> {
    let primary =
        emails.as_array().into_iter().flatten().find(|email| {
            email["primary"].as_bool() == Some(true) && email["verified"].as_bool() == Some(true)
        });
    Some(Profile {
        id: id(&profile["id"])?,
        email: primary.and_then(|email| text(&email["email"])),
        verified: primary.is_some(),
        name: text(&profile["name"]).or_else(|| text(&profile["login"])),
        user_name: text(&profile["login"]),
        picture: picture(&profile["avatar_url"]),
        ..Profile::default()
    })
}

/// The interface tells an address only after its owner confirmed it, and says so nowhere else.
pub(super) fn facebook(profile: &Value, _: &Value) -> Option<Profile> {
    let email = text(&profile["email"]);
    Some(Profile {
        id: id(&profile["id"])?,
        verified: email.is_some(),
        email,
        name: text(&profile["name"]),
        user_name: None,
        picture: picture(&profile["picture"]["data"]["url"]),
        ..Profile::default()
    })
}

/// The only address it tells is the confirmed one.
pub(super) fn twitter(profile: &Value, _: &Value) -> Option<Profile> {
    let profile = &profile["data"];
    let email = text(&profile["confirmed_email"]);
    Some(Profile {
        id: id(&profile["id"])?,
        verified: email.is_some(),
        email,
        name: text(&profile["name"]),
        user_name: text(&profile["username"]),
        picture: picture(&profile["profile_image_url"]),
        ..Profile::default()
    })
}

/// Says of the address whether it is verified.
pub(super) fn discord(profile: &Value, _: &Value) -> Option<Profile> {
    let id = id(&profile["id"])?;
    let picture = text(&profile["avatar"])
        .filter(|avatar| {
            avatar
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
        .map(|avatar| format!("https://cdn.discordapp.com/avatars/{id}/{avatar}.png"));
    Some(Profile {
        email: text(&profile["email"]),
        verified: truth(&profile["verified"]),
        name: text(&profile["global_name"]).or_else(|| text(&profile["username"])),
        user_name: text(&profile["username"]),
        picture,
        id,
        ..Profile::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_verified_only_where_the_provider_says_so_of_it() {
        let nothing = Value::Null;
        let claims = |more: Value| {
            let mut claims = json!({ "sub": "7", "email": "ada@example.com" });
            claims
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            claims
        };
        for (read, answer, verified) in [
            (openid as Reader, json!({ "email_verified": true }), true),
            (openid, json!({ "email_verified": "true" }), true),
            (openid, json!({ "email_verified": false }), false),
            (openid, json!({ "email_verified": "yes" }), false),
            (openid, json!({}), false),
            // What any tenant can write.
            (azure, json!({ "email_verified": true }), false),
            (azure, json!({ "xms_edov": true }), true),
            (azure, json!({ "xms_edov": "1" }), true),
            (azure, json!({ "xms_edov": false }), false),
        ] {
            let profile = read(&claims(answer.clone()), &nothing).unwrap();
            assert_eq!(profile.verified, verified, "{answer}");
        }
        let verified = json!({ "id": "7", "email": "ada@example.com", "verified": false });
        assert!(!discord(&verified, &nothing).unwrap().verified);
    }

    #[test]
    fn of_several_addresses_only_the_primary_verified_one_counts() {
        let profile = json!({ "id": 7, "login": "ada", "email": "public@example.com" });
        for (emails, email) in [
            (
                json!([{ "email": "a@example.com", "primary": true, "verified": true }]),
                Some("a@example.com"),
            ),
            (
                json!([{ "email": "a@example.com", "primary": true, "verified": false },
                    { "email": "b@example.com", "primary": false, "verified": true }]),
                None,
            ),
            (json!([]), None),
            (json!({ "message": "no" }), None),
            (Value::Null, None),
        ] {
            let read = github(&profile, &emails).unwrap();
            assert_eq!(
                (read.id.as_str(), read.email.as_deref()),
                ("7", email),
                "{emails}"
            );
        }
    }

    #[test]
    fn nobody_is_read_from_what_names_nobody_and_hostile_texts_are_kept_out() {
        for answer in [
            json!({}),
            json!({ "sub": "" }),
            json!({ "sub": null }),
            json!({ "sub": ["7"] }),
            json!({ "sub": "x".repeat(256) }),
            json!({ "sub": "a\u{0}b" }),
            json!([]),
            Value::Null,
        ] {
            assert_eq!(openid(&answer, &Value::Null), None, "{answer}");
        }
        let answer = json!({
            "sub": "7", "name": "x".repeat(10_000), "picture": "javascript:alert(1)", "preferred_username": { "a": 1 },
        });
        let profile = openid(&answer, &Value::Null).unwrap();
        assert_eq!(profile.name.unwrap().len(), MOST_TEXT);
        assert_eq!((profile.picture, profile.user_name), (None, None));
    }

    #[test]
    fn the_forms_of_facebook_and_x_are_read() {
        let answer = json!({ "id": "7", "name": "Ada", "email": "a@example.com",
            "picture": { "data": { "url": "https://pictures.example.com/7" } } });
        let profile = facebook(&answer, &Value::Null).unwrap();
        assert_eq!(profile.picture.as_deref(), Some("https://pictures.example.com/7"));
        let answer = json!({ "data": { "id": "7", "username": "ada", "confirmed_email": "a@example.com" } });
        let profile = twitter(&answer, &Value::Null).unwrap();
        assert_eq!(
            (
                profile.email.as_deref(),
                profile.user_name.as_deref(),
                profile.verified
            ),
            (Some("a@example.com"), Some("ada"), true)
        );
    }
}
