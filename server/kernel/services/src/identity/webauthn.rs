//! WebAuthn: what this installation is to security keys and passkeys (the relying party), and the ceremonies with them, which the
//! `webauthn-rs` crate conducts. States of ceremonies and keys pass through here as JSON and are understood nowhere else.
//!
//! A security key is a second factor beside a password, so its own PIN is asked for only if it has one. A passkey stands alone:
//! it has to check its person (PIN, finger, face) and to know whose it is.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, config::Config};
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, CredentialID, DiscoverableAuthentication, Passkey, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, SecurityKey, SecurityKeyAuthentication,
    SecurityKeyRegistration, Webauthn, WebauthnBuilder, WebauthnResult,
};

use super::{Identity, users::User};

/// What keys are made for.
pub(super) struct RelyingParty(Webauthn);

/// The address people use, with the name that browsers want instead of the machine's own address.
fn named(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    };
    if loopback {
        url.set_host(Some("localhost")).ok()?;
    }
    Some(url)
}

fn json_of(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(Error::internal)
}

fn stored<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(Error::internal)
}

/// What a key answered, if it was good. What was wrong with it stands in the log: to whoever sent it all failures look alike.
fn good<T>(result: WebauthnResult<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::debug!(%error, "a key was refused"))
        .ok()
}

impl RelyingParty {
    /// The relying party of an installation; none where it has no name, since browsers know no keys for bare addresses.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let settings = &config.auth.passkeys;
        let site = named(&config.server.site_url);
        let id = if settings.rp_id.is_empty() {
            site.as_ref()?.domain()?.to_owned()
        } else {
            settings.rp_id.clone()
        };
        let others = settings.origins.iter().filter_map(|origin| {
            Url::parse(origin)
                .inspect_err(|error| tracing::warn!(origin, %error, "auth.passkeys.origins: no address"))
                .ok()
        });
        let origins: Vec<Url> = site.into_iter().chain(others).collect();
        // One of them has to be of the name itself; which one comes first does not matter.
        let made = origins
            .iter()
            .find_map(|origin| WebauthnBuilder::new(&id, origin).ok())?;
        let made = origins
            .iter()
            .fold(made, WebauthnBuilder::append_allowed_origin)
            .rp_name(&settings.rp_name)
            .build();
        made.inspect_err(|error| tracing::warn!(%error, "no passkeys"))
            .ok()
            .map(Self)
    }

    fn registration_of(user: &User) -> (Uuid, String, String) {
        let name = user.email.clone().unwrap_or_else(|| user.id.to_string());
        let shown = user.about.person["name"].as_str().unwrap_or_default();
        let shown = if shown.is_empty() { &name } else { shown };
        (user.id, name.clone(), shown.to_owned())
    }

    /// Asks for a new security key: the options for the browser, and the state to remember.
    pub(super) fn register_security_key(
        &self,
        user: &User,
        known: Vec<CredentialID>,
    ) -> Result<(Value, Value)> {
        let (id, name, shown) = Self::registration_of(user);
        let (mut options, state) = self
            .0
            .start_securitykey_registration(id, &name, &shown, Some(known), None, None)
            .map_err(Error::internal)?;
        // A telephone or the machine itself will do as well.
        options.public_key.hints = None;
        if let Some(extensions) = &mut options.public_key.extensions {
            // A key that insists on its PIN contradicts that it need not have one: browsers refuse to ask for both.
            extensions.cred_protect = None;
        }
        Ok((json_of(&options)?, json_of(&state)?))
    }

    /// The new security key as it is kept, or none if the answer is not good.
    pub(super) fn registered_security_key(&self, state: Value, answer: Value) -> Option<Value> {
        let state: SecurityKeyRegistration = stored(state).ok()?;
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).ok()?;
        let key = good(self.0.finish_securitykey_registration(&answer, &state))?;
        serde_json::to_value(key).ok()
    }

    /// Asks a security key to show itself: the options for the browser, and the state to remember.
    pub(super) fn ask_security_key(&self, key: &Value) -> Result<(Value, Value)> {
        let key: SecurityKey = stored(key.clone())?;
        let (mut options, state) = self
            .0
            .start_securitykey_authentication(&[key])
            .map_err(Error::internal)?;
        options.public_key.hints = None;
        Ok((json_of(&options)?, json_of(&state)?))
    }

    /// The security key with its new counter, or none if the answer is not good.
    pub(super) fn answered_security_key(&self, state: Value, answer: Value, key: &Value) -> Option<Value> {
        let state: SecurityKeyAuthentication = stored(state).ok()?;
        let answer: PublicKeyCredential = serde_json::from_value(answer).ok()?;
        let mut key: SecurityKey = stored(key.clone()).ok()?;
        let result = good(self.0.finish_securitykey_authentication(&answer, &state))?;
        key.update_credential(&result)?;
        serde_json::to_value(key).ok()
    }

    /// Asks for a new passkey: the options for the browser, and the state to remember.
    pub(super) fn register_passkey(&self, user: &User, known: Vec<CredentialID>) -> Result<(Value, Value)> {
        let (id, name, shown) = Self::registration_of(user);
        let (options, state) = self
            .0
            .start_passkey_registration(id, &name, &shown, Some(known))
            .map_err(Error::internal)?;
        let mut options = json_of(&options.public_key)?;
        // It has to be found again by somebody who names no account.
        options["authenticatorSelection"]["residentKey"] = json!("required");
        options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok((options, json_of(&state)?))
    }

    /// The new passkey, or none if the answer is not good.
    pub(super) fn registered_passkey(&self, state: Value, answer: Value) -> Option<Passkey> {
        let state: PasskeyRegistration = stored(state).ok()?;
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).ok()?;
        good(self.0.finish_passkey_registration(&answer, &state))
    }

    /// Asks for any passkey of this installation: the options for the browser, and the state to remember.
    pub(super) fn ask_passkey(&self) -> Result<(Value, Value)> {
        let (options, state) = self
            .0
            .start_discoverable_authentication()
            .map_err(Error::internal)?;
        Ok((json_of(&options.public_key)?, json_of(&state)?))
    }

    /// Whose passkey somebody shows, and which: what they claim, to be checked by [`RelyingParty::answered_passkey`].
    pub(super) fn claimed(&self, answer: &PublicKeyCredential) -> Option<(Uuid, Vec<u8>)> {
        let (user, key) = self.0.identify_discoverable_authentication(answer).ok()?;
        Some((user, key.to_vec()))
    }

    /// What a passkey showed, or none if the answer is not good.
    pub(super) fn answered_passkey(
        &self,
        state: Value,
        answer: &PublicKeyCredential,
        key: &Passkey,
    ) -> Option<AuthenticationResult> {
        let state: DiscoverableAuthentication = stored(state).ok()?;
        good(self.0.finish_discoverable_authentication_v2(answer, state, key))
    }
}

impl Identity {
    /// What this installation is to security keys and passkeys.
    ///
    /// Errors: `passkey_disabled` where it has no name.
    pub(super) fn relying_party(&self) -> Result<&RelyingParty> {
        self.0.relying_party.as_ref().ok_or_else(|| {
            Error::not_found("passkey_disabled", "Passkeys are disabled")
                .hint("The installation needs a name: set server.site_url or auth.passkeys.rp_id.")
        })
    }
}

/// The keys a person has already, which are not to be registered a second time.
pub(super) async fn known_keys(tx: &SystemTx, user: Uuid) -> Result<Vec<CredentialID>> {
    let rows = tx
        .query(
            "select credential_id from auth.webauthn_credentials where user_id = $1 union all \
             select decode(translate(k, '-_', '+/') || repeat('=', (4 - length(k) % 4) % 4), 'base64') \
             from (select web_authn_credential #>> '{cred,cred_id}' as k from auth.mfa_factors \
                 where user_id = $1 and web_authn_credential is not null) keys",
            &[&user],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(site_url: &str, rp_id: &str, origins: &[&str]) -> Option<String> {
        let mut config = Config::defaults();
        config.server.site_url = site_url.into();
        config.auth.passkeys.rp_id = rp_id.into();
        config.auth.passkeys.origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        let party = RelyingParty::new(&config)?;
        let (options, _) = party.ask_passkey().unwrap();
        Some(options["rpId"].as_str().unwrap().to_owned())
    }

    #[test]
    fn keys_are_made_for_the_name_of_the_installation() {
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(
            party("https://tenon.example.com", "", &[]),
            is("tenon.example.com")
        );
        assert_eq!(
            party("https://tenon.example.com", "example.com", &[]),
            is("example.com")
        );
        assert_eq!(party("http://127.0.0.1:8000", "", &[]), is("localhost"));
        assert_eq!(
            party("http://10.0.0.5", "app.example.com", &["https://app.example.com"]),
            is("app.example.com")
        );
        assert_eq!(party("http://10.0.0.5:8000", "", &[]), None);
        assert_eq!(party("https://tenon.example.com", "evil.example", &[]), None);
        assert_eq!(party("", "", &["nonsense"]), None);
    }
}
