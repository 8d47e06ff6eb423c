//! Sign-in with outside providers (OAuth 2, OpenID Connect), in the wire form of GoTrue: `/authorize` sends the browser off,
//! `/callback` takes it back, and the client gets a session or a code for one.
//!
//! Towards the provider Tenon is a client with a state, a nonce and a code challenge of its own; what it must remember is a row
//! (`auth.provider_flows`), good once, for five minutes. The state alone says that somebody began this sign-in; that it was this
//! browser, a cookie says, or the client's own code challenge.

mod accounts;
mod catalogue;
mod custom;
mod exchange;
mod flows;
mod grant;
mod openid;
mod profile;
mod routes;

pub(super) use grant::sign_in_with_id_token;
pub(super) use routes::routes;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};
use tenon_sdk::{
    Error, Result,
    config::{Config, External},
    db::Db,
    env::Env,
    outbound::Outbound,
};

use super::sealed::Seals;
use catalogue::{Kind, Known};
use openid::OpenId;
use profile::Profile;

/// All providers: those that the settings name, and those of rows.
#[derive(Clone)]
pub(super) struct Providers {
    db: Db,
    env: Env,
    seals: Seals,
    outbound: Outbound,
    by_name: Arc<BTreeMap<String, Arc<Provider>>>,
    made: Arc<custom::Made>,
}

/// One provider: what is known of it, and what the settings or its row say.
struct Provider {
    name: String,
    known: Known,
    settings: External,
    issuer: String,
    openid: Option<OpenId>,
    /// Ids that an ID token may be made for; the first is Tenon's own.
    clients: Vec<String>,
    custom: Option<custom::Wishes>,
}

/// Where a provider is.
#[derive(Debug)]
struct Places {
    authorize: String,
    token: String,
    profile: Option<String>,
    emails: Option<String>,
    /// Whether it wants the secret in a header.
    basic: bool,
    /// Whether nobody knows that, so that the other way is tried, too.
    either: bool,
}

impl Providers {
    pub(super) fn new(db: &Db, env: &Env, seals: &Seals, config: &Config) -> Self {
        let outbound = Outbound::new(env.clone(), &config.outbound);
        let by_name = config.auth.external.iter().map(|(name, settings)| {
            let name = name.to_lowercase();
            let known = catalogue::known(&name);
            let issuer = if settings.issuer.is_empty() {
                known.issuer.to_owned()
            } else {
                settings.issuer.clone()
            };
            let openid = matches!(known.kind, Kind::OpenId)
                .then(|| OpenId::new(env.clone(), outbound.clone(), &issuer, known.aliases));
            let ids = settings.client_id.split(',').map(str::trim);
            let provider = Provider {
                name: name.clone(),
                known,
                settings: settings.clone(),
                issuer,
                openid,
                clients: ids.filter(|id| !id.is_empty()).map(str::to_owned).collect(),
                custom: None,
            };
            (name, Arc::new(provider))
        });
        Self {
            by_name: Arc::new(by_name.collect()),
            db: db.clone(),
            env: env.clone(),
            seals: seals.clone(),
            outbound,
            made: Arc::default(),
        }
    }

    /// A provider people may sign in with.
    ///
    /// Errors: `validation_failed`, `provider_disabled`, as GoTrue has them.
    async fn get(&self, name: &str) -> Result<Arc<Provider>> {
        let name = name.to_lowercase();
        if name.starts_with(custom::PREFIX) && !self.by_name.contains_key(&name) {
            return custom::get(self, &name).await;
        }
        self.of_settings(&name)
    }

    fn of_settings(&self, name: &str) -> Result<Arc<Provider>> {
        let unsupported = |why: &str| {
            Error::invalid("validation_failed", format!("Unsupported provider: {why}"))
                .hint("/auth/v1/settings lists the providers there are.")
        };
        let provider = self.by_name.get(name);
        let provider = provider.filter(|provider| provider.settings.enabled);
        let provider = provider.ok_or_else(|| unsupported("provider is not enabled"))?;
        if provider.clients.is_empty() {
            return Err(unsupported("missing OAuth client ID"));
        }
        if provider.issuer.is_empty() {
            return Err(unsupported("missing issuer"));
        }
        Ok(provider.clone())
    }

    /// As [`Self::get`], for an ID token, whose issuer clients are told of.
    async fn for_id_token(&self, name: &str) -> Result<Arc<Provider>> {
        self.get(name).await.map_err(|error| {
            let known = catalogue::known(&name.to_lowercase());
            if known.issuer.is_empty() {
                return error;
            }
            Error::invalid(
                "provider_disabled",
                format!("Provider (issuer \"{}\") is not enabled", known.issuer),
            )
            .hint("/auth/v1/settings lists the providers there are.")
        })
    }

    /// The provider that an ID token comes from, by its issuer and the client it was made for.
    async fn of_issuer(&self, issuer: &str, client: &str) -> Result<Arc<Provider>> {
        let fits =
            |provider: &Provider| provider.issuer == issuer && provider.clients.iter().any(|id| id == client);
        if let Some(provider) = self.by_name.values().find(|provider| fits(provider)) {
            return self.of_settings(&provider.name);
        }
        let name = custom::of_issuer(self, issuer, client).await?;
        self.get(&name.unwrap_or_default()).await
    }

    /// Adds to `/settings` which providers there are, and the words on their buttons.
    pub(super) async fn describe(&self, settings: &mut Value) -> Result<()> {
        let mut labels = Map::new();
        for name in catalogue::names() {
            settings["external"][name] = json!(false);
        }
        for name in self.by_name.keys() {
            let provider = self.of_settings(name);
            settings["external"][name] = json!(provider.is_ok());
            if let Ok(provider) = provider {
                labels.insert(name.clone(), json!(provider.label()));
            }
        }
        for (name, label) in custom::labels(self).await? {
            if !self.by_name.contains_key(&name) {
                settings["external"][&name] = json!(true);
                labels.insert(name, json!(label));
            }
        }
        settings["external_labels"] = Value::Object(labels);
        Ok(())
    }
}

impl Provider {
    fn label(&self) -> &str {
        [self.settings.label.as_str(), self.known.label, &self.name]
            .into_iter()
            .find(|label| !label.is_empty())
            .unwrap_or_default()
    }

    /// Who somebody is, by what the provider tells.
    fn read(&self, told: &Value, emails: &Value) -> Option<Profile> {
        match &self.custom {
            Some(wishes) => wishes.read(self.known.read, told),
            None => (self.known.read)(told, emails),
        }
    }

    /// What the operator adds to the address of its page.
    fn parameters(&self) -> &[(String, String)] {
        self.custom
            .as_ref()
            .map_or(&[], |wishes| wishes.parameters.as_slice())
    }

    fn pkce(&self) -> bool {
        self.settings.pkce.unwrap_or(self.known.pkce)
    }

    /// Who answers has to be who was asked, if they say who they are (RFC 9207).
    async fn check_issuer(&self, said: Option<&str>) -> Result<()> {
        let Some(openid) = &self.openid else {
            return Ok(());
        };
        let document = openid.document().await?;
        let fits = match said {
            Some(said) => said == document.issuer || document.issuer.contains("{tenantid}"),
            None => !document.authorization_response_iss_parameter_supported,
        };
        if fits {
            return Ok(());
        }
        Err(
            Error::invalid("bad_oauth_callback", "The answer came from another provider")
                .hint("Begin again."),
        )
    }

    async fn places(&self) -> Result<Places> {
        let settings = &self.settings;
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match (&self.openid, self.known.kind) {
            (
                None,
                Kind::OAuth {
                    authorize,
                    token,
                    profile,
                    emails,
                },
            ) => Ok(Places {
                authorize: set(&settings.authorize_url).unwrap_or_else(|| authorize.to_owned()),
                token: set(&settings.token_url).unwrap_or_else(|| token.to_owned()),
                profile: set(&settings.profile_url).or_else(|| set(profile)),
                emails: set(&settings.emails_url).or_else(|| set(emails)),
                basic: self.known.basic.unwrap_or(true),
                either: self.known.basic.is_none(),
            }),
            (Some(openid), _) => {
                let document = openid.document().await?;
                // Without a list the header is meant (OpenID Connect Discovery 1.0).
                let methods = document.token_endpoint_auth_methods_supported.as_deref();
                let basic = methods.is_none_or(|methods| {
                    methods.iter().any(|method| method == "client_secret_basic")
                        || !methods.iter().any(|method| method == "client_secret_post")
                });
                Ok(Places {
                    authorize: set(&settings.authorize_url)
                        .unwrap_or_else(|| document.authorization_endpoint.clone()),
                    token: set(&settings.token_url).unwrap_or_else(|| document.token_endpoint.clone()),
                    profile: set(&settings.profile_url).or_else(|| document.userinfo_endpoint.clone()),
                    emails: None,
                    basic: self.known.basic.unwrap_or(basic),
                    either: false,
                })
            }
            (None, Kind::OpenId) => Err(Error::internal("an OpenID provider without an issuer")),
        }
    }
}
