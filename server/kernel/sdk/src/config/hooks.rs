//! Hooks: where the operator's own code is asked or told.

use serde::Deserialize;

use super::Secret;

/// What is asked or told when. All are absent unless set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// May refuse a new person.
    pub before_user_created: Option<Hook>,
    /// Is told of a new person.
    pub after_user_created: Option<Hook>,
    /// Gives the claims of every access token.
    pub custom_access_token: Option<Hook>,
    /// Sends mail of the identity service in the server's place.
    pub send_email: Option<Hook>,
    /// Sends its text messages.
    pub send_sms: Option<Hook>,
    /// May refuse a second factor that was shown, right or wrong.
    pub mfa_verification_attempt: Option<Hook>,
    /// May refuse a password that was shown, right or wrong.
    pub password_verification_attempt: Option<Hook>,
}

/// One hook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// `pg-functions://postgres/<schema>/<function>` or `https://…`.
    pub uri: Secret,
    /// Of a hook over HTTP: `v1,whsec_<base64>`, several with `|` between while they are changed.
    #[serde(default)]
    pub secrets: Secret,
}
