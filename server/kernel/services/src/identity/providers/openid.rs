//! OpenID Connect: where a provider is, which keys it signs with, and whether a token is its own. Documents are kept for an hour; a
//! token signed with a key that is not known asks for the keys again, at most once a minute.
//!
//! Tokens are checked with `jsonwebtoken` and read as plain JSON: the types of `openidconnect` refuse a whole token for one claim
//! that a provider writes in its own way, such as LinkedIn's `locale`.

use std::sync::{Arc, PoisonError};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tenon_sdk::{
    Error, Result,
    env::Env,
    outbound::{Outbound, Request},
};
use tokio::sync::Mutex;

/// How long what a provider published is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// The pause between looks for keys that are not known.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// Clocks of others may be ahead by so many seconds.
const SKEW_SECONDS: i64 = 60;
/// Longest token looked at.
const MOST_BYTES: usize = 16 * 1024;
/// Only keys whose other half the provider keeps to itself: with a shared secret, everybody who can check could sign.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// What Entra writes in place of a tenant where tokens of all tenants are taken.
const ANY_TENANT: &str = "{tenantid}";

/// What a provider publishes about itself (OpenID Connect Discovery 1.0), as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Document {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    /// Only shown: some providers write these in their own way.
    #[serde(default)]
    scopes_supported: Value,
    #[serde(default)]
    response_types_supported: Value,
    #[serde(default)]
    subject_types_supported: Value,
    #[serde(default)]
    id_token_signing_alg_values_supported: Value,
}

impl Document {
    /// All places it names.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let told = self.userinfo_endpoint.as_deref();
        [
            (
                "authorization_endpoint",
                Some(self.authorization_endpoint.as_str()),
            ),
            ("token_endpoint", Some(&self.token_endpoint)),
            ("jwks_uri", Some(&self.jwks_uri)),
            ("userinfo_endpoint", told),
        ]
        .into_iter()
        .filter_map(|(name, address)| Some((name, address?)))
    }

    /// What the operator's programs see of it: the places, and lists of words where they are such.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({ "issuer": self.issuer });
        for (name, address) in self.addresses() {
            shown[name] = json!(address);
        }
        let word = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| text.len() <= 100 && !text.contains('\0'))
        };
        for (name, list) in [
            ("scopes_supported", &self.scopes_supported),
            ("response_types_supported", &self.response_types_supported),
            ("subject_types_supported", &self.subject_types_supported),
            (
                "id_token_signing_alg_values_supported",
                &self.id_token_signing_alg_values_supported,
            ),
        ] {
            let list = list.as_array().filter(|list| list.len() <= 100);
            if let Some(list) = list.filter(|list| list.iter().all(word)) {
                shown[name] = json!(list);
            }
        }
        shown
    }
}

/// An OpenID provider and what is known of it by now.
#[derive(Clone)]
pub(super) struct OpenId {
    env: Env,
    outbound: Outbound,
    issuer: String,
    /// Where its document is.
    place: String,
    aliases: &'static [&'static str],
    known: Arc<Known>,
}

#[derive(Default)]
struct Known {
    document: Published<Document>,
    keys: Published<Vec<Jwk>>,
}

/// A copy of something that a provider publishes.
struct Published<T> {
    held: std::sync::Mutex<Held<T>>,
    /// Held while it is fetched: once for all who wait.
    fetching: Mutex<()>,
}

struct Held<T> {
    copy: Option<(Timestamp, Arc<T>)>,
    /// When it was last tried to fetch another.
    tried: Option<Timestamp>,
}

impl<T> Default for Published<T> {
    fn default() -> Self {
        let (copy, tried) = (None, None);
        Self {
            held: std::sync::Mutex::new(Held { copy, tried }),
            fetching: Mutex::default(),
        }
    }
}

impl<T> Published<T> {
    fn held(&self) -> std::sync::MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is, and whether it will do: because it is good and no older than an hour, or because another was tried to fetch
    /// lately.
    fn look(&self, now: Timestamp, good: &impl Fn(&T) -> bool) -> (Option<Arc<T>>, bool) {
        let held = self.held();
        let lately = held.tried.is_some_and(|tried| now.duration_since(tried) < PAUSE);
        match &held.copy {
            Some((at, copy)) => {
                let good = now.duration_since(*at) < KEPT && good(copy);
                (Some(copy.clone()), good || lately)
            }
            None => (None, false),
        }
    }

    /// The copy, fetched anew if it is old or not `good`. While somebody fetches, and for a minute after that failed, an old one goes on
    /// counting, and nobody waits for a provider that does not answer.
    async fn get(
        &self,
        env: &Env,
        good: impl Fn(&T) -> bool,
        fetch: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let old = match self.look(env.now(), &good) {
            (Some(copy), true) => return Ok(copy),
            (old, _) => old,
        };
        let _fetching = match (self.fetching.try_lock(), old) {
            (Ok(fetching), _) => fetching,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => {
                // Whoever waited takes what came of it, and does not try in their turn.
                let _fetched = self.fetching.lock().await;
                let copy = self.held().copy.as_ref().map(|(_, copy)| copy.clone());
                return copy.ok_or_else(|| unavailable("It could not be fetched."));
            }
        };
        if let (Some(copy), true) = self.look(env.now(), &good) {
            return Ok(copy);
        }
        self.held().tried = Some(env.now());
        match fetch.await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                self.held().copy = Some((env.now(), fetched.clone()));
                Ok(fetched)
            }
            Err(error) => match &self.held().copy {
                Some((_, old)) => Ok(old.clone()),
                None => Err(error),
            },
        }
    }
}

/// An ID token is not good; the message is what GoTrue says.
pub(super) fn bad_token(details: &str) -> Error {
    Error::invalid("bad_id_token", "Bad ID token").details(details)
}

fn unavailable(details: &str) -> Error {
    Error::unavailable(
        "outbound.bad_answer",
        "The provider's description of itself is not good.",
    )
    .details(details)
}

impl OpenId {
    pub(super) fn new(env: Env, outbound: Outbound, issuer: &str, aliases: &'static [&'static str]) -> Self {
        Self {
            env,
            outbound,
            issuer: issuer.to_owned(),
            place: format!(
                "{}/.well-known/openid-configuration",
                issuer.trim_end_matches('/')
            ),
            aliases,
            known: Arc::default(),
        }
    }

    /// The same, with its document somewhere else than its issuer says.
    pub(super) fn found_at(mut self, place: &str) -> Self {
        place.clone_into(&mut self.place);
        self
    }

    /// What the provider says about itself. If it cannot be reached, what it said before goes on counting.
    pub(super) async fn document(&self) -> Result<Arc<Document>> {
        self.known
            .document
            .get(&self.env, |_| true, self.fetch_document())
            .await
    }

    async fn fetch_document(&self) -> Result<Document> {
        let request = Request::get(self.place.as_str()).accept_json();
        let answer = self.outbound.send(request).await?;
        let document: Document = answer.ok()?.json()?;
        let same = document.issuer.trim_end_matches('/') == self.issuer.trim_end_matches('/')
            || self.aliases.contains(&document.issuer.as_str())
            || self.of_any_tenant(&document.issuer);
        if !same {
            return Err(unavailable("It names another issuer than the setting does."));
        }
        // People's browsers are sent to one of them.
        let of_the_web = |address: &str| {
            url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
        };
        if let Some((name, _)) = document.addresses().find(|(_, address)| !of_the_web(address)) {
            return Err(unavailable(&format!("Its {name} is no address.")));
        }
        Ok(document)
    }

    /// Entra's common endpoints, and only they, name no tenant in their document.
    fn of_any_tenant(&self, issuer: &str) -> bool {
        let common = ["common", "organizations", "consumers"];
        common.iter().any(|part| {
            self.issuer.contains(&format!("/{part}/"))
                && self
                    .issuer
                    .replace(&format!("/{part}/"), &format!("/{ANY_TENANT}/"))
                    == issuer
        })
    }

    async fn keys(&self, kid: Option<&str>) -> Result<Arc<Vec<Jwk>>> {
        let has =
            |keys: &Vec<Jwk>| kid.is_none() || keys.iter().any(|key| key.common.key_id.as_deref() == kid);
        self.known.keys.get(&self.env, has, self.fetch_keys()).await
    }

    async fn fetch_keys(&self) -> Result<Vec<Jwk>> {
        let request = Request::get(&self.document().await?.jwks_uri).accept_json();
        let set: Value = self.outbound.send(request).await?.ok()?.json()?;
        let keys = set["keys"]
            .as_array()
            .ok_or_else(|| unavailable("It has no keys."))?;
        // One key of a kind that is not known here does not make the others bad.
        Ok(keys.iter().filter_map(|key| Jwk::deserialize(key).ok()).collect())
    }

    /// The claims of an ID token, if the provider made it for one of `clients` and it has not expired. The nonce is the caller's to
    /// check.
    ///
    /// Errors: `bad_id_token`, `unexpected_audience`, those of calls outside.
    pub(super) async fn verify(&self, token: &str, clients: &[String]) -> Result<Value> {
        if token.len() > MOST_BYTES {
            return Err(bad_token("It is too long."));
        }
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| bad_token("It is no signed JSON Web Token."))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(bad_token("Its algorithm is not accepted."));
        }
        let keys = self.keys(header.kid.as_deref()).await?;
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let claims = keys
            .iter()
            .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
            .filter(|key| key.common.public_key_use != Some(PublicKeyUse::Encryption))
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .find_map(|key| jsonwebtoken::decode::<Value>(token, &key, &validation).ok())
            .map(|token| token.claims)
            .ok_or_else(|| bad_token("None of the provider's keys made its signature."))?;
        self.check(&claims, clients).await?;
        Ok(claims)
    }

    async fn check(&self, claims: &Value, clients: &[String]) -> Result<()> {
        let known = |party: &str| clients.iter().any(|client| client == party);
        let document = self.document().await?;
        let issuer = claims["iss"].as_str().unwrap_or_default();
        // A tenant is a UUID; anything else could make the address another one.
        let tenant = claims["tid"]
            .as_str()
            .and_then(|tenant| uuid::Uuid::try_parse(tenant).ok())
            .map(|tenant| document.issuer.replace(ANY_TENANT, &tenant.to_string()));
        if !(issuer == document.issuer && !issuer.contains(ANY_TENANT)
            || self.aliases.contains(&issuer)
            || (document.issuer.contains(ANY_TENANT) && tenant.as_deref() == Some(issuer)))
        {
            return Err(bad_token("Somebody else made it."));
        }
        let audience: Vec<&str> = match &claims["aud"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let party = claims["azp"].as_str();
        if !audience.iter().any(|one| known(one)) || (audience.len() > 1 && !party.is_some_and(known)) {
            return Err(Error::invalid(
                "unexpected_audience",
                format!("Unacceptable audience in id_token: {audience:?}"),
            ));
        }
        let now = self.env.now().as_second();
        let moment = |name: &str| {
            claims[name]
                .as_i64()
                .or_else(|| claims[name].as_f64().map(rounded))
        };
        if moment("exp").is_none_or(|expires| expires <= now) {
            return Err(bad_token("It has expired."));
        }
        if ["iat", "nbf"]
            .into_iter()
            .filter_map(moment)
            .any(|at| at > now + SKEW_SECONDS)
        {
            return Err(bad_token("It is from the future."));
        }
        Ok(())
    }
}

#[allow(clippy::cast_possible_truncation)] // saturates, which is as far from now as it was
fn rounded(seconds: f64) -> i64 {
    seconds as i64
}

/// Whether an access token is the one that an ID token was made with (`at_hash`); `None` if the ID token does not say.
pub(super) fn belongs(id_token: &str, claims: &Value, access_token: &str) -> Option<bool> {
    let said = claims["at_hash"].as_str()?;
    let half = |hash: &[u8]| URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    let hash = match jsonwebtoken::decode_header(id_token).ok()?.alg {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => half(&Sha256::digest(access_token)),
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => half(&Sha384::digest(access_token)),
        _ => half(&Sha512::digest(access_token)),
    };
    Some(hash == said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenon_sdk::config::Config;

    use super::*;

    fn provider(issuer: &str) -> OpenId {
        let env = Env::real();
        let outbound = Outbound::new(env.clone(), &Config::defaults().outbound);
        OpenId::new(env, outbound, issuer, &[])
    }

    #[test]
    fn only_common_endpoints_take_tokens_of_any_tenant() {
        let host = "https://login.microsoftonline.com";
        let any = format!("{host}/{{tenantid}}/v2.0");
        for (issuer, good) in [
            (format!("{host}/common/v2.0"), true),
            (format!("{host}/organizations/v2.0"), true),
            (format!("{host}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"), false),
            ("https://elsewhere.example/common/v2.0".to_owned(), false),
        ] {
            assert_eq!(provider(&issuer).of_any_tenant(&any), good, "{issuer}");
        }
    }

    #[tokio::test]
    async fn a_token_of_a_tenant_names_that_tenant_as_its_issuer() {
        let common = provider("https://login.microsoftonline.com/common/v2.0");
        common.known.document.held().copy = Some((
            common.env.now(),
            Arc::new(
                serde_json::from_value(json!({
                    "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                    "authorization_endpoint": "https://a.example", "token_endpoint": "https://a.example",
                    "jwks_uri": "https://a.example",
                }))
                .unwrap(),
            ),
        ));
        let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let good = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for (issuer, tid, accepted) in [
            (good.as_str(), json!(tenant), true),
            (&good, json!("00000000-0000-0000-0000-000000000000"), false),
            (&good, json!(null), false),
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                json!("{tenantid}"),
                false,
            ),
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                json!(null),
                false,
            ),
            (
                "https://login.microsoftonline.com/x/../v2.0",
                json!("x/.."),
                false,
            ),
        ] {
            let claims = json!({ "iss": issuer, "tid": tid, "aud": "me", "exp": 4_000_000_000_i64 });
            assert_eq!(
                common.check(&claims, &["me".to_owned()]).await.is_ok(),
                accepted,
                "{issuer} {tid}"
            );
        }
    }
}
