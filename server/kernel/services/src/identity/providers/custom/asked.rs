//! What a program of the operator's says of a provider, checked.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tenon_sdk::{Error, Result, outbound::Outbound};
use uuid::Uuid;

use super::{Custom, Kind, LONGEST, PREFIX, well_formed};

/// Most characters of an address, of a secret, of a value.
const LONGEST_ADDRESS: usize = 2048;
const LONGEST_SECRET: usize = 4096;
const LONGEST_VALUE: usize = 1000;
/// Most entries of a list.
const MOST_ENTRIES: usize = 50;
/// What Tenon itself says to a provider.
const RESERVED: [&str; 10] = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "nonce",
];
/// What no provider says of an account.
const PROTECTED: [&str; 14] = [
    "id",
    "aud",
    "iss",
    "role",
    "app_metadata",
    "created_at",
    "updated_at",
    "confirmed_at",
    "email_confirmed_at",
    "phone_confirmed_at",
    "email_verified",
    "phone_verified",
    "banned_until",
    "is_super_admin",
];

/// As it is asked for; what is left out keeps its value, or gets the usual one.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    provider_type: Option<String>,
    identifier: Option<String>,
    name: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    acceptable_client_ids: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    pkce_enabled: Option<bool>,
    attribute_mapping: Option<Map<String, Value>>,
    custom_claims_allowlist: Option<Vec<String>>,
    authorization_params: Option<Map<String, Value>>,
    enabled: Option<bool>,
    email_optional: Option<bool>,
    issuer: Option<String>,
    discovery_url: Option<String>,
    skip_nonce_check: Option<bool>,
    authorization_url: Option<String>,
    token_url: Option<String>,
    userinfo_url: Option<String>,
    jwks_uri: Option<String>,
}

fn wrong(message: impl Into<String>) -> Error {
    Error::invalid("validation_failed", message.into())
}

/// The name in an address or a body, refused in GoTrue's words if it is none.
pub(super) fn identifier(text: &str) -> Result<&str> {
    if text.is_empty() {
        return Err(wrong("identifier is required"));
    }
    if !text.starts_with(PREFIX) {
        return Err(wrong(
            "identifier must start with 'custom:' prefix, e.g. 'custom:my-provider'",
        ));
    }
    if !well_formed(text) {
        return Err(wrong(format!(
            "identifier has at most {LONGEST} characters: lowercase letters, digits, hyphens and colons, the last a letter or a digit"
        )));
    }
    Ok(text)
}

impl Asked {
    /// For a new one.
    ///
    /// Errors: `validation_failed`.
    pub(super) fn fresh(self, id: Uuid, now: Timestamp) -> Result<Custom> {
        let kind = Kind::read(self.provider_type.as_deref().unwrap_or_default())
            .ok_or_else(|| wrong("provider_type must be either 'oauth2' or 'oidc'"))?;
        let identifier = identifier(self.identifier.as_deref().unwrap_or_default())?.to_owned();
        self.over(Custom {
            id,
            kind,
            identifier,
            name: String::new(),
            client_id: String::new(),
            client_secret: String::new(),
            sealed: None,
            acceptable_client_ids: vec![],
            scopes: vec![],
            pkce_enabled: true,
            attribute_mapping: Map::new(),
            claims_allowlist: vec![],
            authorization_params: Map::new(),
            enabled: true,
            email_optional: false,
            issuer: None,
            discovery_url: None,
            skip_nonce_check: false,
            discovery: None,
            discovery_at: None,
            authorization_url: None,
            token_url: None,
            userinfo_url: None,
            jwks_uri: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// Over what held so far. Its kind and its name stay; an empty text changes nothing, but takes away what may be absent.
    ///
    /// Errors: `validation_failed`.
    pub(super) fn over(self, mut custom: Custom) -> Result<Custom> {
        let set = |place: &mut String, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                *place = text;
            }
        };
        let set_address = |place: &mut Option<String>, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                *place = Some(text);
            }
        };
        let set_or_take = |place: &mut Option<String>, text: Option<String>| {
            if let Some(text) = text {
                *place = Some(text).filter(|text| !text.is_empty());
            }
        };
        set(&mut custom.name, self.name.map(|name| name.trim().to_owned()));
        set(&mut custom.client_id, self.client_id);
        set(&mut custom.client_secret, self.client_secret);
        custom.acceptable_client_ids = self.acceptable_client_ids.unwrap_or(custom.acceptable_client_ids);
        custom.scopes = self.scopes.unwrap_or(custom.scopes);
        custom.pkce_enabled = self.pkce_enabled.unwrap_or(custom.pkce_enabled);
        custom.attribute_mapping = self.attribute_mapping.unwrap_or(custom.attribute_mapping);
        custom.claims_allowlist = self.custom_claims_allowlist.unwrap_or(custom.claims_allowlist);
        custom.authorization_params = self.authorization_params.unwrap_or(custom.authorization_params);
        custom.enabled = self.enabled.unwrap_or(custom.enabled);
        custom.email_optional = self.email_optional.unwrap_or(custom.email_optional);
        match custom.kind {
            Kind::OpenId => {
                set_address(&mut custom.issuer, self.issuer);
                set_or_take(&mut custom.discovery_url, self.discovery_url);
                custom.skip_nonce_check = self.skip_nonce_check.unwrap_or(custom.skip_nonce_check);
                if !custom.scopes.iter().any(|scope| scope == "openid") {
                    custom.scopes.insert(0, "openid".to_owned());
                }
            }
            Kind::OAuth2 => {
                set_address(&mut custom.authorization_url, self.authorization_url);
                set_address(&mut custom.token_url, self.token_url);
                set_address(&mut custom.userinfo_url, self.userinfo_url);
                set_or_take(&mut custom.jwks_uri, self.jwks_uri);
            }
        }
        check(&custom)?;
        Ok(custom)
    }
}

/// Text of so many characters, on one line, with nothing that makes it look like another.
fn plain(text: &str, most: usize) -> bool {
    let misleading = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().count() <= most && !text.chars().any(misleading)
}

/// One word of a list of words.
fn word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|letter| letter.is_ascii_graphic())
}

fn check(custom: &Custom) -> Result<()> {
    let addresses: &[(&str, &Option<String>)] = match custom.kind {
        Kind::OpenId => &[("issuer", &custom.issuer)],
        Kind::OAuth2 => &[
            ("authorization_url", &custom.authorization_url),
            ("token_url", &custom.token_url),
            ("userinfo_url", &custom.userinfo_url),
        ],
    };
    for (name, text, most) in [
        ("name", &custom.name, 100),
        ("client_id", &custom.client_id, 512),
        ("client_secret", &custom.client_secret, LONGEST_SECRET),
    ] {
        if text.is_empty() {
            return Err(wrong(format!("{name} is required")));
        }
        if !plain(text, most) {
            return Err(wrong(format!("{name} is one line of at most {most} characters")));
        }
    }
    for (name, address) in addresses {
        if address.is_none() {
            let kind = if custom.kind == Kind::OpenId {
                "OIDC"
            } else {
                "OAuth2"
            };
            return Err(wrong(format!("{name} is required for {kind} providers")));
        }
    }
    for (name, list, fits) in [
        (
            "acceptable_client_ids",
            &custom.acceptable_client_ids,
            (|id| !id.is_empty() && plain(id, 512)) as fn(&str) -> bool,
        ),
        ("scopes", &custom.scopes, word),
        ("custom_claims_allowlist", &custom.claims_allowlist, |claim| {
            !claim.trim().is_empty() && plain(claim, 200)
        }),
    ] {
        if list.len() > MOST_ENTRIES || !list.iter().all(|entry| fits(entry)) {
            return Err(wrong(format!(
                "{name} entries must be non-empty strings, at most {MOST_ENTRIES} of them"
            )));
        }
    }
    check_parameters(&custom.authorization_params)?;
    check_mapping(&custom.attribute_mapping)
}

fn check_parameters(parameters: &Map<String, Value>) -> Result<()> {
    if parameters.len() > MOST_ENTRIES {
        return Err(wrong(format!(
            "authorization_params has at most {MOST_ENTRIES} entries"
        )));
    }
    for (name, value) in parameters {
        if !word(name) {
            return Err(wrong("A name in authorization_params is no word"));
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(wrong(format!("Cannot override reserved OAuth parameter: {name}")));
        }
        match value.as_str() {
            Some(text) if plain(text, LONGEST_VALUE) => (),
            Some(_) => {
                return Err(wrong(format!(
                    "Authorization parameter \"{name}\" is one line of at most {LONGEST_VALUE} characters"
                )));
            }
            None => {
                return Err(wrong(format!(
                    "Authorization parameter \"{name}\" must be a string"
                )));
            }
        }
    }
    Ok(())
}

fn check_mapping(mapping: &Map<String, Value>) -> Result<()> {
    if mapping.len() > MOST_ENTRIES {
        return Err(wrong(format!(
            "attribute_mapping has at most {MOST_ENTRIES} entries"
        )));
    }
    for (target, source) in mapping {
        if !word(target) {
            return Err(wrong("A name in attribute_mapping is no word"));
        }
        if PROTECTED.contains(&target.as_str()) {
            return Err(wrong(format!("Cannot map to protected system field: {target}")));
        }
        let written = source.to_string();
        if written.len() > LONGEST_VALUE || written.contains("\\u0000") {
            return Err(wrong(format!("What \"{target}\" is mapped from is too long")));
        }
        // Else everybody there would be one and the same here.
        if matches!(target.as_str(), "sub" | "email") && !source.is_string() {
            return Err(wrong(format!(
                "\"{target}\" is mapped from a claim of the provider"
            )));
        }
    }
    Ok(())
}

/// Whether addresses may be called, those apart that held before.
///
/// Errors: `validation_failed`.
pub(super) async fn check_addresses(
    outbound: &Outbound,
    addresses: impl Iterator<Item = (&str, &str)>,
    before: Option<&Custom>,
) -> Result<()> {
    for (name, address) in addresses {
        if before.is_some_and(|before| before.addresses().any(|held| held == (name, address))) {
            continue;
        }
        let not_written = || {
            wrong(format!(
                "{name} must be an https address of at most {LONGEST_ADDRESS} characters, without a password or a part behind #"
            ))
        };
        if address.len() > LONGEST_ADDRESS
            || address.contains('#')
            || address
                .chars()
                .any(|sign| sign.is_whitespace() || sign.is_control())
            || (name == "issuer" && address.contains('?'))
        {
            return Err(not_written());
        }
        outbound
            .check_address(address)
            .await
            .map_err(|error| match error.code.as_ref() {
                "outbound.bad_request" => not_written(),
                "outbound.forbidden_address" => {
                    wrong(format!("{name} leads to an address that is not public"))
                        .hint("[outbound] allow_private lists networks that may be called all the same.")
                }
                _ => error,
            })?;
    }
    Ok(())
}
