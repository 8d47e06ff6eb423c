//! Settings of passkeys and security keys.

use serde::Deserialize;

/// What keys are made for (the relying party of WebAuthn). A key is good for this name and no other: after a change people have to
/// make new ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// The domain: that of the installation or one above it; empty: the host of `server.site_url`.
    pub rp_id: String,
    /// What browsers show beside it.
    pub rp_name: String,
    /// Addresses besides the installation's own whose pages may ask for keys.
    pub origins: Vec<String>,
}
