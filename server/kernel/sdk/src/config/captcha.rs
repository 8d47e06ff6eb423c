//! Proof that a person asks, by a service that tells people from programs.

use serde::Deserialize;

use super::Secret;

/// The service that is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captcha {
    /// `hcaptcha` or `turnstile`; none: no proof is asked for.
    pub provider: Option<CaptchaProvider>,
    /// The site's secret.
    pub secret: Secret,
    /// Another address to ask at.
    pub url: String,
}

/// A service that tells people from programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaProvider {
    /// hCaptcha.
    Hcaptcha,
    /// Cloudflare Turnstile.
    Turnstile,
}

impl CaptchaProvider {
    /// Where it is asked.
    pub const fn url(self) -> &'static str {
        match self {
            Self::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        }
    }
}
