//! Providers of sign-in that programs of the operator's add while the installation runs, in the form of GoTrue's custom providers.
//! Each is a row, looked at anew by every sign-in, so that a change counts at once on all servers. What was learnt of a provider (its
//! document, its keys) is kept as long as its row stays as it is.

pub(super) mod admin;
mod asked;
mod claims;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx, config::External, secrets::Sealed};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Provider, Providers, catalogue, openid::OpenId};
use crate::identity::sealed::{PROVIDERS, Seals};

pub(super) use claims::Wishes;

/// What all their names begin with, so that none passes for one of the settings.
pub(super) const PREFIX: &str = "custom:";
/// Most characters of a name.
const LONGEST: usize = 50;
/// Most of them in an installation.
const MOST: i64 = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    OAuth2,
    OpenId,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OAuth2 => "oauth2",
            Self::OpenId => "oidc",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::OAuth2, Self::OpenId]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A row.
#[derive(Clone, PartialEq)]
// Reason: settings that are on or off, not states of something.
#[allow(clippy::struct_excessive_bools)]
struct Custom {
    id: Uuid,
    kind: Kind,
    identifier: String,
    name: String,
    client_id: String,
    /// Empty until it is opened.
    client_secret: String,
    sealed: Option<Sealed>,
    acceptable_client_ids: Vec<String>,
    scopes: Vec<String>,
    pkce_enabled: bool,
    attribute_mapping: Map<String, Value>,
    claims_allowlist: Vec<String>,
    authorization_params: Map<String, Value>,
    enabled: bool,
    email_optional: bool,
    issuer: Option<String>,
    discovery_url: Option<String>,
    skip_nonce_check: bool,
    discovery: Option<Value>,
    discovery_at: Option<Timestamp>,
    authorization_url: Option<String>,
    token_url: Option<String>,
    userinfo_url: Option<String>,
    jwks_uri: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Custom {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            kind: Kind::read(row.try_get("provider_type")?)
                .ok_or_else(|| Error::internal("a provider of no known kind"))?,
            identifier: row.try_get("identifier")?,
            name: row.try_get("name")?,
            client_id: row.try_get("client_id")?,
            client_secret: row
                .try_get::<_, Option<String>>("client_secret")?
                .unwrap_or_default(),
            sealed: row.try_get("sealed")?,
            acceptable_client_ids: row.try_get("acceptable_client_ids")?,
            scopes: row.try_get("scopes")?,
            pkce_enabled: row.try_get("pkce_enabled")?,
            attribute_mapping: object(row.try_get("attribute_mapping")?),
            claims_allowlist: row.try_get("custom_claims_allowlist")?,
            authorization_params: object(row.try_get("authorization_params")?),
            enabled: row.try_get("enabled")?,
            email_optional: row.try_get("email_optional")?,
            issuer: row.try_get("issuer")?,
            discovery_url: row.try_get("discovery_url")?,
            skip_nonce_check: row.try_get("skip_nonce_check")?,
            discovery: row.try_get("cached_discovery")?,
            discovery_at: row.try_get("discovery_cached_at")?,
            authorization_url: row.try_get("authorization_url")?,
            token_url: row.try_get("token_url")?,
            userinfo_url: row.try_get("userinfo_url")?,
            jwks_uri: row.try_get("jwks_uri")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }

    async fn find(tx: &SystemTx, identifier: &str) -> Result<Option<Self>> {
        let row = tx
            .query_opt(
                "select * from auth.custom_oauth_providers where identifier = $1",
                &[&identifier],
            )
            .await?;
        row.as_ref().map(Self::from_row).transpose()
    }

    /// The same with its secret to be read.
    async fn opened(mut self, seals: &Seals) -> Result<Self> {
        let open = Some(self.client_secret);
        let secret = seals
            .open(PROVIDERS, &self.id.to_string(), self.sealed.as_ref(), open)
            .await?;
        self.client_secret = secret.unwrap_or_default();
        Ok(self)
    }

    /// Seals its secret as it is now.
    async fn seal(&mut self, seals: &Seals) -> Result<()> {
        let sealed = seals
            .seal(PROVIDERS, &self.id.to_string(), &self.client_secret)
            .await?;
        self.sealed = Some(sealed);
        Ok(())
    }

    /// Writes it by one of the two statements, which have their parameters in common; gives what was written, if anything was.
    async fn write(&self, tx: &SystemTx, statement: &'static str) -> Result<Option<Self>> {
        let written = tx
            .query_opt(
                statement,
                &[
                    &self.id,
                    &self.kind.as_str(),
                    &self.identifier,
                    &self.name,
                    &self.client_id,
                    &self.sealed,
                    &self.acceptable_client_ids,
                    &self.scopes,
                    &self.pkce_enabled,
                    &Value::Object(self.attribute_mapping.clone()),
                    &self.claims_allowlist,
                    &Value::Object(self.authorization_params.clone()),
                    &self.enabled,
                    &self.email_optional,
                    &self.issuer,
                    &self.discovery_url,
                    &self.skip_nonce_check,
                    &self.discovery,
                    &self.discovery_at,
                    &self.authorization_url,
                    &self.token_url,
                    &self.userinfo_url,
                    &self.jwks_uri,
                    &self.created_at,
                    &self.updated_at,
                ],
            )
            .await?;
        written.as_ref().map(Self::from_row).transpose()
    }

    /// As the operator's programs see it: all but the secret.
    fn to_json(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "provider_type": self.kind.as_str(),
            "identifier": self.identifier,
            "name": self.name,
            "client_id": self.client_id,
            "acceptable_client_ids": self.acceptable_client_ids,
            "scopes": self.scopes,
            "pkce_enabled": self.pkce_enabled,
            "attribute_mapping": self.attribute_mapping,
            "custom_claims_allowlist": self.claims_allowlist,
            "authorization_params": self.authorization_params,
            "enabled": self.enabled,
            "email_optional": self.email_optional,
            "skip_nonce_check": self.skip_nonce_check,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        for (name, value) in self.addresses() {
            shown[name] = json!(value);
        }
        if let Some(discovery) = &self.discovery {
            shown["discovery_document"] = discovery.clone();
        }
        shown
    }

    /// All addresses it has, by the names they go under.
    fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("issuer", &self.issuer),
            ("discovery_url", &self.discovery_url),
            ("authorization_url", &self.authorization_url),
            ("token_url", &self.token_url),
            ("userinfo_url", &self.userinfo_url),
            ("jwks_uri", &self.jwks_uri),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// What it publishes about itself, if it speaks OpenID Connect.
    fn openid(&self, providers: &Providers) -> Option<OpenId> {
        let issuer = self.issuer.as_deref()?;
        let openid = OpenId::new(providers.env.clone(), providers.outbound.clone(), issuer, &[]);
        Some(match &self.discovery_url {
            Some(url) => openid.found_at(url),
            None => openid,
        })
    }

    /// As the providers of the settings are.
    fn provider(&self, providers: &Providers) -> Provider {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let openid = self.openid(providers);
        let issuer = self.issuer.clone().unwrap_or_else(|| {
            let told = url::Url::parse(self.userinfo_url.as_deref().unwrap_or_default());
            told.map(|url| url.origin().ascii_serialization())
                .unwrap_or_default()
        });
        let ids = std::iter::once(&self.client_id).chain(&self.acceptable_client_ids);
        Provider {
            name: self.identifier.clone(),
            known: match self.kind {
                Kind::OpenId => catalogue::CUSTOM_OPENID,
                Kind::OAuth2 => catalogue::CUSTOM_OAUTH,
            },
            clients: ids.cloned().collect(),
            settings: External {
                enabled: self.enabled,
                client_id: self.client_id.clone(),
                secret: self.client_secret.clone(),
                label: self.name.clone(),
                issuer: issuer.clone(),
                scopes: self.scopes.clone(),
                redirect_uri: String::new(),
                pkce: Some(self.pkce_enabled),
                skip_nonce_check: self.skip_nonce_check,
                email_optional: self.email_optional,
                trust_email: false,
                authorize_url: text(&self.authorization_url),
                token_url: text(&self.token_url),
                profile_url: text(&self.userinfo_url),
                emails_url: String::new(),
            },
            issuer,
            openid,
            custom: Some(Wishes::new(
                &self.authorization_params,
                &self.attribute_mapping,
                &self.claims_allowlist,
            )),
        }
    }
}

/// Providers as they were made of their rows.
#[derive(Default)]
pub(super) struct Made(Mutex<HashMap<String, (Custom, Arc<Provider>)>>);

impl Made {
    fn take(&self, custom: Custom, providers: &Providers) -> Arc<Provider> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((row, provider)) = made.get(&custom.identifier)
            && *row == custom
        {
            return provider.clone();
        }
        if made.len() > usize::try_from(2 * MOST).unwrap_or_default() {
            made.clear();
        }
        let provider = Arc::new(custom.provider(providers));
        made.insert(custom.identifier.clone(), (custom, provider.clone()));
        provider
    }

    fn forget(&self, identifier: &str) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.remove(identifier);
    }
}

/// Whether a name may be one of theirs.
fn well_formed(identifier: &str) -> bool {
    let end = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    identifier.len() <= LONGEST
        && identifier.strip_prefix(PREFIX).is_some_and(|rest| {
            rest.bytes().all(|letter| end(letter) || b":-".contains(&letter))
                && rest.bytes().last().is_some_and(end)
        })
}

/// One that people may sign in with.
///
/// Errors: `validation_failed`, `provider_disabled`, as GoTrue has them.
pub(super) async fn get(providers: &Providers, identifier: &str) -> Result<Arc<Provider>> {
    let missing = |name: &str| {
        Error::invalid("validation_failed", format!("Custom provider {name}not found"))
            .hint("/auth/v1/settings lists the providers there are.")
    };
    if !well_formed(identifier) {
        return Err(missing(""));
    }
    let tx = SystemTx::begin(&providers.db, "provider of sign-in").await?;
    let found = Custom::find(&tx, identifier).await?;
    tx.commit().await?;
    match found {
        Some(custom) if custom.enabled => {
            let custom = custom.opened(&providers.seals).await?;
            Ok(providers.made.take(custom, providers))
        }
        Some(_) => Err(Error::invalid(
            "provider_disabled",
            format!("Custom provider \"{identifier}\" is disabled"),
        )
        .hint("/auth/v1/settings lists the providers there are.")),
        None => {
            providers.made.forget(identifier);
            Err(missing(&format!("\"{identifier}\" ")))
        }
    }
}

/// The name of one that an ID token of an issuer was made for a client of; the oldest, if there are several.
pub(super) async fn of_issuer(providers: &Providers, issuer: &str, client: &str) -> Result<Option<String>> {
    let tx = SystemTx::begin(&providers.db, "provider of sign-in").await?;
    let row = tx
        .query_opt(
            "select identifier from auth.custom_oauth_providers where enabled and provider_type = 'oidc' \
             and issuer = $1 and $2 = any (client_id || acceptable_client_ids) order by created_at, id limit 1",
            &[&issuer, &client],
        )
        .await?;
    tx.commit().await?;
    row.map(|row| row.try_get(0).map_err(Error::from)).transpose()
}

/// Names, and the words on their buttons, of those that people may sign in with.
pub(super) async fn labels(providers: &Providers) -> Result<Vec<(String, String)>> {
    let tx = SystemTx::begin(&providers.db, "providers of sign-in").await?;
    let rows = tx
        .query(
            "select identifier, name from auth.custom_oauth_providers where enabled order by identifier",
            &[],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::well_formed;

    #[test]
    fn names_begin_with_custom_and_have_plain_letters() {
        for good in [
            "custom:a",
            "custom:acme-2",
            "custom:a:b",
            "custom:-a",
            "custom:google",
        ] {
            assert!(well_formed(good), "{good}");
        }
        let longest = format!("custom:{}", "a".repeat(43));
        assert!(well_formed(&longest) && !well_formed(&format!("{longest}a")));
        for bad in [
            "",
            "custom:",
            "custom",
            "acme",
            "google",
            "Custom:a",
            "custom:A",
            "custom:a-",
            "custom:a:",
            "custom:a b",
            "custom:ä",
            "custom:a\0",
            "custom:../a",
            "xcustom:a",
        ] {
            assert!(!well_formed(bad), "{bad}");
        }
    }
}
