//! Providers of sign-in.

use serde::{Deserialize, Deserializer};

/// One provider of sign-in, `[auth.external.NAME]`. A name that Tenon knows (google, azure, github …) brings its addresses along;
/// any other is an OpenID provider whose addresses are discovered at `issuer`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
// Reason: settings that are on or off, not states of something.
#[allow(clippy::struct_excessive_bools)]
pub struct External {
    /// Whether people may sign in with it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The client id it gave Tenon. More than one, with commas between: the first is Tenon's own, ID tokens for the others are
    /// taken as well.
    #[serde(deserialize_with = "text")]
    pub client_id: String,
    /// The secret it gave Tenon; empty for a public client.
    #[serde(default, deserialize_with = "text")]
    pub secret: String,
    /// The words on its button; empty: its name.
    #[serde(default)]
    pub label: String,
    /// Who it says to be in its tokens, where `/.well-known/openid-configuration` is found; empty: as Tenon knows it.
    #[serde(default, alias = "url")]
    pub issuer: String,
    /// What is asked for beyond what signing in needs.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Where it sends people back to; empty: `/auth/v1/callback` of this installation.
    #[serde(default)]
    pub redirect_uri: String,
    /// Whether a code challenge is sent (RFC 7636); unset: as far as Tenon knows it to be understood.
    #[serde(default)]
    pub pkce: Option<bool>,
    /// Takes ID tokens whose nonce is missing or another.
    #[serde(default)]
    pub skip_nonce_check: bool,
    /// Lets people in of whom it tells no verified address; their accounts have none.
    #[serde(default)]
    pub email_optional: bool,
    /// Takes every address it tells for verified. Only for a provider all of whose accounts are yours.
    #[serde(default)]
    pub trust_email: bool,
    /// Where people are sent to; empty: known or discovered. So are the following.
    #[serde(default)]
    pub authorize_url: String,
    /// Where codes are exchanged.
    #[serde(default)]
    pub token_url: String,
    /// Where it tells who somebody is.
    #[serde(default)]
    pub profile_url: String,
    /// Where it tells somebody's addresses, if apart.
    #[serde(default)]
    pub emails_url: String,
}

const fn yes() -> bool {
    true
}

/// A variable or a single setting that is all digits reads as a number; an id of digits is a text all the same.
fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(u64),
    }
    Ok(match Written::deserialize(input)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    })
}

impl std::fmt::Debug for External {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("External")
            .field("enabled", &self.enabled)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
