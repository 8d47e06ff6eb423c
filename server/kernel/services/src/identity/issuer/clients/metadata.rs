//! What a program says of itself when it is registered (RFC 7591, 2), checked.

use serde::Deserialize;

use super::super::{fault::Fault, redirects, scopes::Scopes};

/// Most characters of a name.
const LONGEST_NAME: usize = 100;
/// Most addresses.
const MOST_ADDRESSES: usize = 10;

/// As it is asked for; what is left out keeps its value, or gets the usual one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) client_name: Option<String>,
    pub(crate) client_uri: Option<String>,
    pub(crate) logo_uri: Option<String>,
    pub(crate) redirect_uris: Option<Vec<String>>,
    pub(crate) grant_types: Option<Vec<String>>,
    pub(crate) response_types: Option<Vec<String>>,
    pub(crate) scope: Option<String>,
    pub(crate) token_endpoint_auth_method: Option<String>,
    pub(crate) client_type: Option<String>,
}

/// As it holds.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) uri: Option<String>,
    pub(crate) logo_uri: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) grant_types: Vec<String>,
    pub(crate) scope: Option<String>,
    pub(crate) method: String,
}

fn wrong(description: &'static str) -> Fault {
    Fault::new("invalid_client_metadata", description)
}

impl Asked {
    /// For a new program.
    pub(super) fn fresh(self) -> Result<Metadata, Fault> {
        let method = if self.client_type.as_deref() == Some("public") {
            "none"
        } else {
            "client_secret_basic"
        };
        self.over(Metadata {
            name: String::new(),
            uri: None,
            logo_uri: None,
            redirect_uris: Vec::new(),
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            scope: None,
            method: method.into(),
        })
    }

    /// Over what held so far.
    ///
    /// Errors: `invalid_redirect_uri`, `invalid_client_metadata`, with what is wrong.
    pub(super) fn over(self, old: Metadata) -> Result<Metadata, Fault> {
        let optional = |new: Option<String>, old: Option<String>| match new {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => old,
        };
        let metadata = Metadata {
            name: self.client_name.map_or(old.name, |name| name.trim().to_owned()),
            uri: optional(self.client_uri, old.uri),
            logo_uri: optional(self.logo_uri, old.logo_uri),
            redirect_uris: self.redirect_uris.unwrap_or(old.redirect_uris),
            grant_types: self.grant_types.unwrap_or(old.grant_types),
            scope: optional(self.scope, old.scope),
            method: self.token_endpoint_auth_method.unwrap_or(old.method),
        };
        let confidential = match self.client_type.as_deref() {
            None => metadata.confidential(),
            Some("public") => false,
            Some("confidential") => true,
            Some(_) => return Err(wrong("client_type is public or confidential.")),
        };
        if confidential != metadata.confidential() {
            return Err(wrong(
                "A public client has token_endpoint_auth_method none, a confidential one another.",
            ));
        }
        if self.response_types.is_some_and(|types| types != ["code"]) {
            return Err(wrong("The response type is code."));
        }
        metadata.check()
    }
}

impl Metadata {
    pub(super) fn confidential(&self) -> bool {
        self.method != "none"
    }

    fn check(self) -> Result<Self, Fault> {
        let address = |text: &Option<String>| {
            text.as_ref()
                .is_none_or(|text| redirects::registrable(text) && redirects::claimed(text))
        };
        let length = self.name.chars().count();
        if length == 0 || length > LONGEST_NAME || self.name.chars().any(misleading) {
            return Err(wrong("client_name is one line of 1 to 100 characters."));
        }
        if !address(&self.uri) || !address(&self.logo_uri) {
            return Err(wrong("client_uri and logo_uri are https addresses."));
        }
        if self.redirect_uris.is_empty() || self.redirect_uris.len() > MOST_ADDRESSES {
            return Err(Fault::new(
                "invalid_redirect_uri",
                "There are 1 to 10 redirect_uris.",
            ));
        }
        if !self.redirect_uris.iter().all(|uri| redirects::registrable(uri)) {
            return Err(Fault::new(
                "invalid_redirect_uri",
                "A redirect URI is an https address, an http address of the person's own machine, or has the scheme of an \
                 installed program; it has no fragment.",
            ));
        }
        let known = |kind: &String| ["authorization_code", "refresh_token"].contains(&kind.as_str());
        if !self.grant_types.iter().all(known)
            || !self.grant_types.iter().any(|kind| kind == "authorization_code")
        {
            return Err(wrong(
                "grant_types are authorization_code and, if wanted, refresh_token.",
            ));
        }
        if !["none", "client_secret_basic", "client_secret_post"].contains(&self.method.as_str()) {
            return Err(wrong(
                "token_endpoint_auth_method is none, client_secret_basic or client_secret_post.",
            ));
        }
        if let Some(scope) = &self.scope {
            Scopes::read(scope).map_err(|fault| wrong_scope(&fault))?;
        }
        Ok(self)
    }
}

fn wrong_scope(fault: &Fault) -> Fault {
    Fault::new("invalid_client_metadata", fault.description.clone())
}

/// Characters that make a line look like another: breaks, invisible ones, and those that turn the direction of writing.
fn misleading(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(value: Value) -> Result<Metadata, Fault> {
        serde_json::from_value::<Asked>(value).unwrap().fresh()
    }

    #[test]
    fn a_program_is_registered_with_the_usual_values() {
        let made =
            check(json!({ "client_name": " Harbour ", "redirect_uris": ["https://a.example.com/cb"] }))
                .unwrap();
        assert_eq!(
            (made.name.as_str(), made.method.as_str()),
            ("Harbour", "client_secret_basic")
        );
        assert!(made.confidential());
        assert_eq!(made.grant_types, ["authorization_code", "refresh_token"]);
    }

    #[test]
    fn what_misleads_or_is_unknown_is_refused() {
        let with = |field: &str, value: Value| {
            let mut asked =
                json!({ "client_name": "Harbour", "redirect_uris": ["https://a.example.com/cb"] });
            asked[field] = value;
            check(asked).unwrap_err().error
        };
        for (field, value) in [
            ("client_name", json!("")),
            ("client_name", json!("x".repeat(101))),
            ("client_name", json!("a\nb")),
            ("client_name", json!("a\u{202e}b")),
            ("client_uri", json!("javascript:alert(1)")),
            ("logo_uri", json!("http://a.example.com/logo.png")),
            ("grant_types", json!(["password"])),
            ("grant_types", json!(["refresh_token"])),
            ("response_types", json!(["token"])),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("scope", json!("admin")),
            ("client_type", json!("public")),
        ] {
            if field == "client_type" {
                let mut asked = json!({ "client_name": "H", "redirect_uris": ["https://a.example.com"] });
                asked["client_type"] = value;
                assert!(!check(asked.clone()).unwrap().confidential());
                asked["token_endpoint_auth_method"] = json!("client_secret_post");
                assert_eq!(check(asked).unwrap_err().error, "invalid_client_metadata");
            } else {
                assert_eq!(with(field, value), "invalid_client_metadata", "{field}");
            }
        }
        for value in [
            json!([]),
            json!(["http://a.example.com"]),
            json!(vec!["https://a.example.com"; 11]),
        ] {
            assert_eq!(with("redirect_uris", value), "invalid_redirect_uri");
        }
    }
}
