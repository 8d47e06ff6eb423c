//! Sign-ins on their way: what Tenon remembers while the browser is with the provider.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{
    Provider,
    accounts::Linker,
    exchange::{self, Kept},
};
use crate::identity::{Identity, pkce::Challenge};

/// How long somebody may take at the provider.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Random bytes of the cookie's value, and the letters they make.
const COOKIE_BYTES: usize = 24;
const COOKIE_LETTERS: usize = 32;

/// What a client begins with.
pub(super) struct Beginning<'a> {
    pub(super) redirect_to: String,
    pub(super) challenge: Option<Challenge>,
    /// Who is to get a further way in; else somebody signs in.
    pub(super) linking: Option<Linker>,
    pub(super) scopes: &'a str,
    /// Further parameters, of which some are passed on.
    pub(super) wishes: &'a [(String, String)],
}

/// A sign-in that was begun, taken from the database: nobody else gets it again.
pub(super) struct Flow {
    pub(super) provider: String,
    pub(super) redirect_to: String,
    pub(super) kept: Kept,
    pub(super) linking: Option<Linker>,
    pub(super) challenge: Option<Challenge>,
    browser_hash: Vec<u8>,
    expires_at: Timestamp,
}

fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

fn secure(identity: &Identity) -> bool {
    identity.0.config.server.site_url.starts_with("https:")
}

/// With TLS a name that no other host of the domain can set a cookie for.
fn cookie_name(identity: &Identity) -> &'static str {
    if secure(identity) {
        "__Host-tenon-flow"
    } else {
        "tenon-flow"
    }
}

/// What the browser keeps from a sign-in it began.
fn cookie(identity: &Identity, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(identity);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && value.len() == COOKIE_LETTERS)
        .map(|(_, value)| value.to_owned())
}

/// Where the provider sends people back to. Somebody who came to a development server by its other name (localhost, 127.0.0.1)
/// goes back there, where their cookie is.
fn callback(identity: &Identity, provider: &Provider, headers: &HeaderMap) -> String {
    const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
    if !provider.settings.redirect_uri.is_empty() {
        return provider.settings.redirect_uri.clone();
    }
    let site = &identity.0.config.server.site_url;
    let came = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let other = came
        .and_then(|host| url::Url::parse(&format!("http://{host}")).ok())
        .zip(url::Url::parse(site).ok())
        .filter(|(came, site)| {
            let local = |url: &url::Url| url.host_str().is_some_and(|host| LOCAL.contains(&host));
            site.scheme() == "http" && local(came) && local(site) && came.port() == site.port()
        })
        .map(|(came, _)| came.origin().ascii_serialization());
    format!(
        "{}/auth/v1/callback",
        other.as_deref().unwrap_or(site).trim_end_matches('/')
    )
}

/// Begins a sign-in. Gives where the browser goes, and the cookie to set before.
pub(super) async fn begin(
    identity: &Identity,
    provider: &Provider,
    headers: &HeaderMap,
    beginning: Beginning<'_>,
) -> Result<(String, HeaderValue)> {
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let kept = Kept {
        state: env.new_secret::<24>(),
        nonce: env.new_secret::<24>(),
        verifier: env.new_secret::<32>(),
        redirect_uri: callback(identity, provider, headers),
    };
    let address = exchange::address(provider, &kept, beginning.scopes, beginning.wishes).await?;
    // One cookie for all sign-ins of a browser, so that two windows do not hinder each other.
    let browser = cookie(identity, headers).unwrap_or_else(|| env.new_secret::<COOKIE_BYTES>());
    let (challenge, method) = Challenge::stored(beginning.challenge.as_ref());
    let tx = SystemTx::begin(&identity.0.db, "sign-in with a provider").await?;
    tx.execute("delete from auth.provider_flows where expires_at <= $1", &[&now])
        .await?;
    tx.execute(
        "insert into auth.provider_flows (state_hash, provider, redirect_to, redirect_uri, nonce, code_verifier, \
         browser_hash, linking, linking_session, code_challenge, code_challenge_method, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            &hash(&kept.state),
            &provider.name,
            &beginning.redirect_to,
            &kept.redirect_uri,
            &kept.nonce,
            &kept.verifier,
            &hash(&browser),
            &beginning.linking.map(|linker| linker.user),
            &beginning.linking.map(|linker| linker.session),
            &challenge,
            &method,
            &(now + LIFETIME),
        ],
    )
    .await?;
    tx.commit().await?;
    let cookie = format!(
        "{}={browser}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}",
        cookie_name(identity),
        LIFETIME.as_secs(),
        if secure(identity) { "; Secure" } else { "" }
    );
    Ok((address, HeaderValue::try_from(cookie).map_err(Error::internal)?))
}

/// The sign-in with a state, which is spent by this.
pub(super) async fn take(identity: &Identity, state: &str) -> Result<Option<Flow>> {
    let tx = SystemTx::begin(&identity.0.db, "return from a provider").await?;
    let row = tx
        .query_opt(
            "delete from auth.provider_flows where state_hash = $1 returning provider, redirect_to, redirect_uri, \
             nonce, code_verifier, linking, code_challenge, code_challenge_method, browser_hash, expires_at, linking_session",
            &[&hash(state)],
        )
        .await?;
    tx.commit().await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let linking: Option<Uuid> = row.try_get(5)?;
    Ok(Some(Flow {
        provider: row.try_get(0)?,
        redirect_to: row.try_get(1)?,
        kept: Kept {
            state: state.to_owned(),
            redirect_uri: row.try_get(2)?,
            nonce: row.try_get(3)?,
            verifier: row.try_get(4)?,
        },
        linking: linking
            .zip(row.try_get(10)?)
            .map(|(user, session)| Linker { user, session }),
        challenge: Challenge::read(row.try_get(6)?, row.try_get(7)?),
        browser_hash: row.try_get(8)?,
        expires_at: row.try_get(9)?,
    }))
}

impl Flow {
    /// Whether it may go on, in this browser and now.
    ///
    /// A sign-in of a client that exchanges a code needs no cookie: the code is worth nothing to a client that did not begin. Who
    /// links changes an account at once, so that always counts.
    pub(super) fn check(&self, identity: &Identity, headers: &HeaderMap) -> Result<()> {
        if self.expires_at <= identity.0.env.now() {
            return Err(bad_state("OAuth state has expired"));
        }
        let bound = identity.0.config.auth.bind_providers_to_browser
            && (self.challenge.is_none() || self.linking.is_some());
        let same = cookie(identity, headers).is_some_and(|cookie| hash(&cookie) == self.browser_hash);
        if bound && !same {
            return Err(bad_state("OAuth state belongs to another browser"));
        }
        Ok(())
    }
}

pub(super) fn bad_state(message: &str) -> Error {
    Error::invalid("bad_oauth_state", message).hint("Begin again.")
}
