//! The operator's own code, asked or told at certain points: a function in the database or an address on the web.
//!
//! A function `schema.name(event jsonb) returns jsonb` runs as the role `supabase_auth_admin`, which has no rights but those it was
//! granted, for two seconds at most. An address gets the event by POST, signed as Standard Webhooks have it, and has five seconds for its
//! answer, repetitions included. Either refuses with `{"error": {"http_code": 403, "message": "…"}}`. What goes wrong with a hook
//! refuses, too: code that was to look at something did not.

mod function;
mod webhook;

use serde_json::{Value, json};
use tenon_sdk::{
    Error, Result, SystemTx, config, db::Db, env::Env, error::Kind, http::ClientAddress, outbound::Outbound,
};
use uuid::Uuid;

use super::{Identity, audit};

/// Where a hook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Before somebody new is written down.
    BeforeUserCreated,
    /// After.
    AfterUserCreated,
    /// Before an access token is signed.
    CustomAccessToken,
    /// Instead of sending a mail.
    SendEmail,
    /// Instead of sending a text message.
    SendSms,
    /// After a second factor was checked.
    MfaVerificationAttempt,
    /// After a password was checked.
    PasswordVerificationAttempt,
}

impl Point {
    const fn name(self) -> &'static str {
        match self {
            Self::BeforeUserCreated => "before-user-created",
            Self::AfterUserCreated => "after-user-created",
            Self::CustomAccessToken => "custom-access-token",
            Self::SendEmail => "send-email",
            Self::SendSms => "send-sms",
            Self::MfaVerificationAttempt => "mfa-verification-attempt",
            Self::PasswordVerificationAttempt => "password-verification-attempt",
        }
    }
}

/// All hooks of the installation.
#[derive(Clone)]
pub(crate) struct Hooks {
    db: Db,
    env: Env,
    outbound: Outbound,
    config: config::Hooks,
}

/// What a hook that looks at an attempt decided.
#[derive(Debug)]
pub(crate) struct Decision {
    /// Why the attempt is refused, right or wrong.
    pub(crate) refused: Option<String>,
    /// Whether the person's sessions end.
    pub(crate) ends_sessions: bool,
}

impl Hooks {
    pub(crate) fn new(db: Db, env: Env, outbound: Outbound, config: config::Hooks) -> Self {
        Self {
            db,
            env,
            outbound,
            config,
        }
    }

    fn hook(&self, point: Point) -> Option<&config::Hook> {
        match point {
            Point::BeforeUserCreated => self.config.before_user_created.as_ref(),
            Point::AfterUserCreated => self.config.after_user_created.as_ref(),
            Point::CustomAccessToken => self.config.custom_access_token.as_ref(),
            Point::SendEmail => self.config.send_email.as_ref(),
            Point::SendSms => self.config.send_sms.as_ref(),
            Point::MfaVerificationAttempt => self.config.mfa_verification_attempt.as_ref(),
            Point::PasswordVerificationAttempt => self.config.password_verification_attempt.as_ref(),
        }
    }

    /// Whether there is a hook at a point.
    pub(crate) fn has(&self, point: Point) -> bool {
        self.hook(point).is_some()
    }

    /// Asks the hook at a point, if there is one; gives what it said, an object.
    ///
    /// Errors: the hook's own refusal with its status and words (`hook_refused`), `hook_timeout`, `hook_timeout_after_retry`,
    /// `hook_payload_over_size_limit`, `hook_payload_invalid_content_type`, `unexpected_failure`.
    pub(crate) async fn call(&self, point: Point, event: &Value) -> Result<Option<Value>> {
        let Some(hook) = self.hook(point) else {
            return Ok(None);
        };
        let uri = hook.uri.expose();
        let answer = match function::Name::parse(uri) {
            Some(name) => function::call(&self.db, &name?, event).await,
            None => webhook::call(&self.env, &self.outbound, uri, hook.secrets.expose(), event).await,
        };
        let answer =
            answer.inspect_err(|error| tracing::warn!(hook = point.name(), %error, "hook failed"))?;
        if let Some(refusal) = refusal(&answer) {
            return Err(refusal);
        }
        Ok(Some(answer))
    }

    /// Asks a hook that looks at attempts. A refused factor ends sessions unless the hook says otherwise, a refused password if it
    /// says so.
    pub(crate) async fn decide(&self, point: Point, event: &Value) -> Result<Decision> {
        let answer = self.call(point, event).await?.unwrap_or_default();
        let (words, ends) = match point {
            Point::MfaVerificationAttempt => ("Further MFA verification attempts will be rejected.", true),
            _ => ("Further password verification attempts will be rejected.", false),
        };
        let refused = (answer["decision"] == "reject").then(|| {
            let own = answer["message"].as_str().filter(|words| !words.is_empty());
            own.unwrap_or(words).to_owned()
        });
        Ok(Decision {
            refused,
            ends_sessions: answer["should_logout_user"].as_bool().unwrap_or(ends),
        })
    }

    fn about(&self, point: Point, client: ClientAddress) -> Value {
        json!({
            "uuid": self.env.new_id(),
            "time": self.env.now(),
            "name": point.name(),
            "ip_address": client.0,
        })
    }
}

/// The refusal that a hook's answer is, if it is one.
fn refusal(answer: &Value) -> Option<Error> {
    let message = answer["error"]["message"]
        .as_str()
        .filter(|words| !words.is_empty())?;
    let status = answer["error"]["http_code"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let message: String = message.chars().take(500).collect();
    Some(Error::new(
        Kind::Status(status.unwrap_or(500)),
        "hook_refused",
        message,
    ))
}

/// A fault of a hook: its cause is in the log.
fn failed(message: &str) -> Error {
    Error::new(Kind::Internal, "unexpected_failure", message)
}

/// Somebody who may be about to have an account.
#[derive(Debug)]
pub(super) struct Newcomer<'a> {
    /// Their address; empty if they have none.
    pub(super) email: &'a str,
    /// Their number; empty if they have none.
    pub(super) phone: &'a str,
    /// What they say of themselves.
    pub(super) data: &'a Value,
    /// How they sign in: `email`, `phone`, a provider's name, or nothing for a visitor.
    pub(super) provider: &'a str,
}

impl Identity {
    /// Asks `before_user_created` about somebody. Asked before it is known whether they have an account already, so that neither answer
    /// nor time tells; and outside of any transaction.
    pub(super) async fn before_user_created(&self, client: ClientAddress, who: &Newcomer<'_>) -> Result<()> {
        let (hooks, point) = (&self.0.hooks, Point::BeforeUserCreated);
        if !hooks.has(point) {
            return Ok(());
        }
        let now = self.0.env.now();
        let app = if who.provider.is_empty() {
            json!({})
        } else {
            json!({ "provider": who.provider, "providers": [who.provider] })
        };
        let data = if who.data.is_null() {
            json!({})
        } else {
            who.data.clone()
        };
        let event = json!({
            "metadata": hooks.about(point, client),
            "user": {
                "aud": "authenticated",
                "role": "authenticated",
                "email": who.email,
                "phone": who.phone,
                "app_metadata": app,
                "user_metadata": data,
                "identities": [],
                "created_at": now,
                "updated_at": now,
                "is_anonymous": who.provider.is_empty(),
            },
        });
        hooks.call(point, &event).await.map(drop)
    }

    /// Tells `after_user_created` of somebody, whose account is committed. Nobody waits for it.
    pub(super) fn after_user_created(&self, client: ClientAddress, user: Uuid) {
        let point = Point::AfterUserCreated;
        if !self.0.hooks.has(point) {
            return;
        }
        let identity = self.clone();
        tokio::spawn(async move {
            let told = async {
                let tx = SystemTx::begin(&identity.0.db, "hook").await?;
                let user = super::users::find(&tx, user).await?;
                tx.commit().await?;
                let Some(user) = user else { return Ok(()) };
                let metadata = identity.0.hooks.about(point, client);
                let event = json!({ "metadata": metadata, "user": user.to_json() });
                identity.0.hooks.call(point, &event).await.map(drop)
            };
            let outcome: Result<()> = told.await;
            if let Err(error) = outcome {
                tracing::warn!(%error, "the hook after_user_created was not told");
            }
        });
    }
}

/// Claims that are the server's whatever a hook says: whose token it is, for whom and how long, and what it may.
const KEPT: [&str; 9] = [
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "role",
    "session_id",
    "client_id",
    "scope",
];
/// Most bytes of claims after a hook; a token of more than twice as many is not looked at.
const MOST_CLAIMS: usize = 5 * 1024;

impl Identity {
    /// Claims of an access token as the hook `custom_access_token` wants them.
    ///
    /// Errors: as [`Hooks::call`]; `unexpected_failure` if what it gave are no claims, `hook_payload_over_size_limit` if they are
    /// too many.
    pub(super) async fn customised(
        &self,
        user: Uuid,
        method: &str,
        claims: &impl serde::Serialize,
    ) -> Result<Value> {
        let claims = serde_json::to_value(claims).map_err(Error::internal)?;
        let (hooks, point) = (&self.0.hooks, Point::CustomAccessToken);
        if !hooks.has(point) {
            return Ok(claims);
        }
        let event = json!({ "user_id": user, "claims": claims, "authentication_method": method });
        let Some(mut answer) = hooks.call(point, &event).await? else {
            return Ok(claims);
        };
        let Value::Object(mut given) = answer["claims"].take() else {
            return Err(failed("output claims field is missing"));
        };
        for name in KEPT {
            match claims.get(name) {
                Some(value) => given.insert(name.to_owned(), value.clone()),
                None => given.remove(name),
            };
        }
        // What every reader of a token relies on.
        for name in ["email", "phone", "aal", "is_anonymous"] {
            if claims.get(name).is_some() && !given.contains_key(name) {
                return Err(failed(&format!(
                    "output claims do not conform to the expected schema: {name} is required"
                )));
            }
        }
        let given = Value::Object(given);
        if given.to_string().len() > MOST_CLAIMS {
            return Err(Error::unprocessable(
                "hook_payload_over_size_limit",
                format!("Payload size exceeded size limit of {MOST_CLAIMS} bytes"),
            ));
        }
        Ok(given)
    }

    /// Asks the hook that looks at second factors which were shown, right or wrong.
    ///
    /// Errors: `mfa_verification_rejected` in the hook's words.
    pub(super) async fn factor_was_shown(
        &self,
        user: Uuid,
        factor: Uuid,
        kind: &str,
        valid: bool,
    ) -> Result<()> {
        let (hooks, point) = (&self.0.hooks, Point::MfaVerificationAttempt);
        if !hooks.has(point) {
            return Ok(());
        }
        let event = json!({ "user_id": user, "factor_id": factor, "factor_type": kind, "valid": valid });
        let decision = hooks.decide(point, &event).await?;
        let Some(words) = decision.refused else {
            return Ok(());
        };
        if decision.ends_sessions {
            self.end_sessions_by_hook(user).await?;
        }
        Err(Error::forbidden("mfa_verification_rejected", words))
    }

    /// Asks the hook that looks at passwords which were shown, right or wrong.
    ///
    /// Errors: `invalid_credentials` in the hook's words.
    pub(super) async fn password_was_shown(&self, user: Uuid, valid: bool) -> Result<()> {
        let (hooks, point) = (&self.0.hooks, Point::PasswordVerificationAttempt);
        if !hooks.has(point) {
            return Ok(());
        }
        let decision = hooks
            .decide(point, &json!({ "user_id": user, "valid": valid }))
            .await?;
        let Some(words) = decision.refused else {
            return Ok(());
        };
        if decision.ends_sessions {
            self.end_sessions_by_hook(user).await?;
        }
        Err(Error::invalid("invalid_credentials", words))
    }

    async fn end_sessions_by_hook(&self, user: Uuid) -> Result<()> {
        let tx = SystemTx::begin(&self.0.db, "sessions ended by a hook").await?;
        tx.execute("delete from auth.sessions where user_id = $1", &[&user])
            .await?;
        let traits = json!({ "scope": "global", "by": "hook" });
        audit::record(&tx, &self.0.env, Some(user), "logout", traits).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_words_and_a_status_that_is_one() {
        let refused =
            refusal(&json!({ "error": { "http_code": 403, "message": "Not from here." } })).unwrap();
        assert_eq!(
            (refused.status(), refused.code.as_ref(), refused.message.as_str()),
            (403, "hook_refused", "Not from here.")
        );
        for odd in [json!(200), json!(99999), json!("403"), Value::Null] {
            let refused = refusal(&json!({ "error": { "http_code": odd, "message": "no" } })).unwrap();
            assert_eq!(refused.status(), 500);
        }
        for none in [
            json!({}),
            json!({ "error": {} }),
            json!({ "error": { "message": "" } }),
            json!([1]),
            Value::Null,
        ] {
            assert!(refusal(&none).is_none(), "{none}");
        }
    }
}
