//! Tokens in addresses: whoever has one may read, or write, one object for a while. They are signed with a key of their own, so that
//! none of them is ever a token of the API, and none of the API's is one of them.

mod routes;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use tenon_sdk::{Error, Kernel, Result, SystemTx, env::Env, secrets::SealedColumn};
use uuid::Uuid;

use crate::{errors, objects::Over};

/// In a token of who is under no policy.
const ANYTHING: &str = "*";

pub(crate) use routes::routes;

/// What a token is good for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Bucket and name.
    pub(crate) url: String,
    /// `upload`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    /// How an image is to be changed on its way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transformations: Option<String>,
    /// Who is written down for what is uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// Whether what is there may be replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) upsert: bool,
    /// Which version may be replaced, `*` for any; none if nothing was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) over: Option<String>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

impl Claims {
    /// What an upload may take the place of.
    pub(crate) fn over(&self) -> Over {
        match self.over.as_deref() {
            Some(ANYTHING) => Over::Anything,
            version => Over::Version(version.map(str::to_owned)),
        }
    }
}

/// What a token lets somebody do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Upload,
}

impl Use {
    const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Read => None,
            Self::Upload => Some("upload"),
        }
    }
}

/// What signs tokens.
pub(crate) const SIGNING_KEYS: SealedColumn = SealedColumn {
    table: "storage.signing_keys",
    column: "sealed",
    row: "id::text",
    org: "null::uuid",
    purpose: "storage.signing_keys",
    before: Some("secret"),
};

/// Signs and verifies.
#[derive(Clone)]
pub(crate) struct Signer {
    env: Env,
    signing: Arc<EncodingKey>,
    verifying: Arc<[DecodingKey]>,
}

impl Signer {
    /// Reads the keys; makes the first one.
    pub(crate) async fn load(kernel: &Kernel) -> Result<Self> {
        let mut secret = [0; 32];
        kernel.env().fill_random(&mut secret);
        let id = kernel.env().new_id();
        let secrets = kernel.secrets();
        let first = SIGNING_KEYS.seal(secrets, None, &id.to_string(), &secret).await?;
        let tx = SystemTx::begin(kernel.db(), "signing keys of files").await?;
        // Two servers that start at once wait for each other here, and the second finds the first one's.
        tx.batch("lock table storage.signing_keys in share row exclusive mode")
            .await?;
        tx.execute(
            "insert into storage.signing_keys (id, sealed) select $1, $2 where not exists (select from storage.signing_keys)",
            &[&id, &first],
        )
        .await?;
        let rows = tx
            .query(
                "select id, sealed from storage.signing_keys order by created_at desc, id desc",
                &[],
            )
            .await?;
        tx.commit().await?;
        let mut keys = Vec::new();
        for row in &rows {
            let (id, sealed) = (row.try_get::<_, Uuid>(0)?.to_string(), row.try_get(1)?);
            keys.push(SIGNING_KEYS.open(secrets, None, &id, &sealed).await?);
        }
        let newest = keys.first().ok_or_else(|| Error::internal("no signing key"))?;
        Ok(Self {
            env: kernel.env().clone(),
            signing: EncodingKey::from_secret(newest.expose()).into(),
            verifying: keys
                .iter()
                .map(|secret| DecodingKey::from_secret(secret.expose()))
                .collect(),
        })
    }

    /// A token for so many seconds from now on.
    pub(crate) fn sign(&self, mut claims: Claims, what_for: Use, seconds: i64) -> Result<String> {
        claims.iat = self.env.now().as_second();
        claims.exp = claims.iat.saturating_add(seconds);
        claims.scope = what_for.scope().map(str::to_owned);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(Error::internal)
    }

    /// The claims of a token that is good for this bucket and name.
    ///
    /// Errors: `InvalidJWT`, `InvalidSignature`.
    pub(crate) fn verify(&self, token: &str, what_for: Use, bucket: &str, name: &str) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let mut failure = errors::invalid_jwt("signature verification failed");
        for key in self.verifying.iter() {
            match jsonwebtoken::decode::<Claims>(token, key, &validation) {
                Ok(token) => {
                    let claims = token.claims;
                    if claims.scope.as_deref() != what_for.scope() || claims.url != format!("{bucket}/{name}")
                    {
                        return Err(errors::invalid_signature());
                    }
                    if claims.exp <= self.env.now().as_second() {
                        return Err(errors::invalid_jwt("\"exp\" claim timestamp check failed"));
                    }
                    return Ok(claims);
                }
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    ErrorKind::Json(_) => failure = errors::invalid_signature(),
                    _ => failure = errors::invalid_jwt("Invalid Compact JWS"),
                },
            }
        }
        Err(failure)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Signer")
    }
}
