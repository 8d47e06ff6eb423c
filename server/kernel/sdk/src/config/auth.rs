//! Settings of sign-in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Captcha, External, Hooks, Issuer, Limits, Mails, Mfa, Passkeys, Secret, Sms};

/// Sign-in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
// Reason: settings that are on or off, not states of something.
#[allow(clippy::struct_excessive_bools)]
pub struct Auth {
    /// Lifetime of an access token in seconds.
    pub access_token_seconds: i64,
    /// Seconds in which a refresh token may be presented twice (a client that lost the answer).
    pub refresh_reuse_seconds: i64,
    /// Hours after which a session ends whatever is done in it; 0: never.
    pub session_hours: i64,
    /// Hours without a refresh after which a session ends; 0: never.
    pub session_idle_hours: i64,
    /// Whether signing in ends a person's other sessions.
    pub single_session: bool,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// Characters of which each password has at least one each.
    pub password_characters: Vec<CharacterClass>,
    /// Whether passwords are refused that everybody tries first.
    pub refuse_common_passwords: bool,
    /// Where the beginnings of hashes are asked for breached passwords, as HIBP has it; empty: nowhere.
    pub breached_passwords_url: String,
    /// Whether a password that cannot be asked for there is refused.
    pub breached_passwords_required: bool,
    /// Whether anybody may sign up.
    pub sign_up: bool,
    /// Whether somebody who asks for a code without wanting an account is told that there is none.
    pub tell_unknown: bool,
    /// Whether visitors may have an account without an address (`signInAnonymously`).
    pub anonymous_users: bool,
    /// Days after which a visitor's account that nobody used goes; 0: never.
    pub anonymous_days: i64,
    /// Whether people show that they read a new address before it is theirs.
    pub confirm_email: bool,
    /// Whether the address that is given up has to agree to the new one, too.
    pub double_confirm_email: bool,
    /// Whether people are told by mail that their password, address, number, factors or ways in have changed.
    pub notices: bool,
    /// Seconds a link or code in a mail stays good.
    pub link_seconds: i64,
    /// Seconds between mails to one address.
    pub mail_pause_seconds: i64,
    /// Addresses besides the installation's own that links in mails may lead to, each with all below it.
    pub redirect_urls: Vec<String>,
    /// Days an invitation stays good.
    pub invitation_days: i64,
    /// Failed sign-ins to one account from one place before each further one waits.
    pub failed_sign_ins: u32,
    /// The key that browsers send as `apikey`.
    pub publishable_key: String,
    /// Where links lead for which no address was asked; empty: to the installation itself.
    pub site_url: String,
    /// Whether `/auth/v1` is at the root, too, and no pages are.
    pub at_root: bool,
    /// How often one may ask.
    pub limits: Limits,
    /// The key with which servers of the operator's own act as `service_role`; empty: there is none.
    pub secret_key: Secret,
    /// The shared secret (HS256) of an older installation, whose tokens and keys stay good; empty: there is none.
    pub jwt_secret: Secret,
    /// A file with private JWKs that sign in place of those in the database; empty: there is none.
    pub signing_keys_file: String,
    /// Whether a new password needs a code from a mail where the session is older than a day.
    pub reauthenticate_for_password: bool,
    /// Passkeys and security keys.
    pub passkeys: Passkeys,
    /// Tenon as provider for other programs.
    pub issuer: Issuer,
    /// Whether people may add ways in to their account and take them away.
    pub manual_linking: bool,
    /// Whether a provider's word about an address opens an account whose address only counts as confirmed, without anybody having
    /// shown that it is theirs.
    pub link_unproven_addresses: bool,
    /// Whether a sign-in at a provider has to come back to the browser it began in. Without it somebody can be led into an
    /// account of somebody else's.
    pub bind_providers_to_browser: bool,
    /// Providers of sign-in by name.
    #[serde(default)]
    pub external: BTreeMap<String, External>,
    /// Sign-in by telephone.
    pub sms: Sms,
    /// Second factors.
    pub mfa: Mfa,
    /// Proof that a person asks.
    pub captcha: Captcha,
    /// The operator's own code.
    #[serde(default)]
    pub hooks: Hooks,
    /// The operator's own words.
    #[serde(default)]
    pub mails: Mails,
}

/// A class of characters that passwords may have to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CharacterClass {
    /// Of any script, in either case.
    Letter,
    /// A lower-case letter.
    Lower,
    /// An upper-case letter.
    Upper,
    /// 0 to 9, and other scripts' digits.
    Digit,
    /// Whatever is neither letter nor digit.
    Symbol,
}
