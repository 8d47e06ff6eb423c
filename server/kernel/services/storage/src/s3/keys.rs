//! Access keys and who they speak for: a program of the operator's by the key in the settings, an organisation's program by a key that the
//! organisation made, and a person by any other key, with a secret that everybody knows and their token as the session token.

use s3s::{
    S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
};
use tenon_sdk::{Kernel, ctx::Identity};

use super::answers::told;
use crate::service::Storage;

/// Longest access key looked at.
const LONGEST: usize = 128;

/// The keys there are.
#[derive(Clone, Debug)]
pub(super) struct Keys(Kernel);

impl Keys {
    pub(super) fn new(storage: &Storage) -> Self {
        Self(storage.kernel.clone())
    }

    fn is_operators(&self, access_key: &str) -> bool {
        let own = &self.0.config().storage.protocol.access_key_id;
        !own.is_empty() && access_key == own
    }

    /// Who has this key, with this token beside it.
    pub(super) async fn identity(&self, access_key: &str, token: Option<&str>) -> S3Result<Identity> {
        if self.is_operators(access_key) {
            return match token {
                None => Ok(Identity::service()),
                Some(_) => Err(s3_error!(InvalidToken, "This key has no session tokens.")),
            };
        }
        let known = self.0.authenticator().signer(access_key).await;
        match (known.map_err(told)?, token) {
            (Some(signer), None) => Ok(signer.identity),
            (Some(_), Some(_)) => Err(s3_error!(InvalidToken, "This key has no session tokens.")),
            (None, Some(token)) => self.0.authenticator().authenticate(token).await.map_err(told),
            (None, None) if access_key == self.0.config().storage.protocol.session_key_id => {
                Err(s3_error!(AccessDenied, "Send a session token with this key."))
            }
            (None, None) => Err(s3_error!(InvalidAccessKeyId)),
        }
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let (settings, auth) = (&self.0.config().storage.protocol, &self.0.config().auth);
        if access_key.is_empty() || access_key.len() > LONGEST {
            return Err(s3_error!(InvalidAccessKeyId));
        }
        if self.is_operators(access_key) {
            return Ok(settings.secret_access_key.expose().into());
        }
        let known = self.0.authenticator().signer(access_key).await;
        if let Some(signer) = known.map_err(told)? {
            return Ok(signer.secret.expose().into());
        }
        // Clients name a project here, or whatever they like: it is the token beside it that says who asks.
        let secret = Some(settings.session_secret.as_str()).filter(|secret| !secret.is_empty());
        Ok(secret.unwrap_or(&auth.publishable_key).into())
    }
}
