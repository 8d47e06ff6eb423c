//! Ways in that clients of GoTrue ask for and this server does not have: refused in the words they know, rather than "not found".

use axum::{Router, routing::post};
use tenon_sdk::{Error, Kernel};

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route("/auth/v1/sso", post(sso))
}

async fn sso() -> Error {
    Error::not_found("saml_provider_disabled", "SAML 2.0 is disabled")
        .hint("Sign in with a provider that speaks OpenID Connect.")
}

/// `grant_type=web3`: a signature of a wallet.
pub(super) fn web3() -> Error {
    Error::unprocessable("web3_provider_disabled", "Web3 provider is disabled")
        .hint("Sign in with a password, a code, a passkey or a provider.")
}
