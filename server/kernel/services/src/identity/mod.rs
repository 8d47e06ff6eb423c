//! Sign-in, in the wire form that `@supabase/supabase-js` speaks: people, passwords, sessions, tokens.

mod absent;
mod admin;
pub(crate) mod audit;
mod captcha;
mod cookie;
mod errors;
mod factors;
mod hooks;
mod issuer;
mod keys;
mod limits;
mod mails;
mod one_time;
mod own_account;
mod own_sessions;
mod passkeys;
mod passwords;
mod phones;
mod pkce;
mod places;
mod proofs;
mod providers;
mod reauthentication;
mod redirects;
mod routes;
mod sealed;
mod sessions;
pub mod sweep;
mod tokens;
mod users;
mod webauthn;

pub(crate) use errors::spoken;
pub(crate) use hooks::{Hooks, Point};
pub(crate) use issuer::{PROGRAM_COLUMNS, Program, guard, programs};
pub(crate) use sessions::require_session;
pub use tokens::TokenVerifier;
pub use users::{NewUser, User, create_user};

use std::sync::{Arc, OnceLock};

use tenon_sdk::{
    Kernel, Module, config::Config, db::Db, env::Env, error::Result, migrations, outbound::Outbound,
    secrets::Secrets,
};

/// The identity service, shared by its routes and the authenticator.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    db: Db,
    env: Env,
    config: Config,
    keys: keys::Keys,
    seals: sealed::Seals,
    verifier: TokenVerifier,
    passwords: passwords::Passwords,
    providers: providers::Providers,
    rates: limits::Rates,
    guesses: limits::Guesses,
    mails: limits::Pause,
    texts: limits::Pause,
    outbound: Outbound,
    hooks: Hooks,
    /// Read at the start.
    templates: OnceLock<mails::Templates>,
    relying_party: Option<webauthn::RelyingParty>,
}

impl Inner {
    /// The name of the host, by which an authenticator app lists the account.
    fn site_name(&self) -> String {
        let site = url::Url::parse(&self.config.server.site_url).ok();
        let host = site.as_ref().and_then(url::Url::host_str);
        host.unwrap_or("Tenon").to_owned()
    }
}

impl Identity {
    /// Makes the service; keys are loaded when first needed.
    pub fn new(db: Db, env: Env, config: Config, secrets: Arc<dyn Secrets>) -> Self {
        let seals = sealed::Seals::new(secrets);
        let keys = keys::Keys::new(db.clone(), env.clone(), seals.clone(), &config.auth);
        let verifier = TokenVerifier::new(keys.clone(), env.clone(), &config.auth);
        let rates = limits::Rates::new(&env, &config.auth.limits);
        let guesses = limits::Guesses::new(&env, config.auth.failed_sign_ins);
        let mails = limits::Pause::new(&env, config.auth.mail_pause_seconds, "over_email_send_rate_limit");
        let relying_party = webauthn::RelyingParty::new(&config);
        let providers = providers::Providers::new(&db, &env, &seals, &config);
        let texts = limits::Pause::new(&env, config.auth.sms.pause_seconds, "over_sms_send_rate_limit");
        let outbound = Outbound::new(env.clone(), &config.outbound);
        let hooks = Hooks::new(
            db.clone(),
            env.clone(),
            outbound.clone(),
            config.auth.hooks.clone(),
        );
        Self(Arc::new(Inner {
            db,
            env,
            config,
            keys,
            seals,
            verifier,
            passwords: passwords::Passwords::default(),
            providers,
            rates,
            guesses,
            mails,
            relying_party,
            texts,
            outbound,
            hooks,
            templates: OnceLock::new(),
        }))
    }

    /// The service without a database, for what only asks which routes and permissions there are.
    pub fn describe_only() -> Self {
        Self::new(
            Db::nowhere(),
            Env::real(),
            Config::defaults(),
            Arc::new(sealed::Nowhere),
        )
    }

    /// What turns bearer tokens into identities.
    pub fn verifier(&self) -> TokenVerifier {
        self.0.verifier.clone()
    }

    /// The operator's hooks.
    pub(crate) fn hooks(&self) -> Hooks {
        self.0.hooks.clone()
    }

    /// The module's manifest.
    pub fn module(&self) -> Module {
        let identity = self.clone();
        Module::new("identity", "Identity")
            .tables(
                "auth",
                migrations!["../../migrations/auth/" => "0001_users", "0002_claims", "0003_identities", "0004_one_time_tokens", "0005_code_exchange", "0006_companions", "0007_factors", "0008_providers", "0009_protection", "0010_issuer", "0011_administration", "0012_account", "0014_ways", "0015_custom_providers", "0016_upstream", "0017_sealed"],
            )
            .sealed(sealed::SIGNING_KEYS)
            .sealed(sealed::FACTORS)
            .sealed(sealed::PROVIDERS)
            .routes(move || routes::routes(&identity))
            .on_start({
                let identity = self.clone();
                move |_: Kernel| {
                    let identity = identity.clone();
                    async move {
                        keys::Keys::check_settings(&identity.0.config.auth)?;
                        let templates = mails::Templates::load(&identity.0.config.auth.mails, &mails::NAMES)?;
                        let _ = identity.0.templates.set(templates);
                        identity.0.keys.ensure().await
                    }
                }
            })
    }

    /// Creates a person with a password, as sign-up does; for demo data and tests.
    pub async fn create_user(&self, new: NewUser<'_>) -> Result<User> {
        create_user(self, new).await
    }
}
