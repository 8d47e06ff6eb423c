//! What this service keeps that must be read again, so that a hash would not do: it lies sealed with keys of the installation's own.

use std::sync::Arc;

use tenon_sdk::{
    Error, Result,
    secrets::{Place, Plain, Sealed, SealedColumn, Secrets},
};

const fn column(
    table: &'static str,
    row: &'static str,
    purpose: &'static str,
    before: &'static str,
) -> SealedColumn {
    SealedColumn {
        table,
        column: "sealed",
        row,
        org: "null::uuid",
        purpose,
        before: Some(before),
    }
}

/// Private keys that sign tokens, as PEM.
pub(super) const SIGNING_KEYS: SealedColumn =
    column("auth.signing_keys", "kid", "identity.signing_keys", "private_pem");
/// Secrets of authenticator apps, in Base32.
pub(super) const FACTORS: SealedColumn = column("auth.mfa_factors", "id::text", "identity.factors", "secret");
/// What providers of sign-in gave the installation.
pub(super) const PROVIDERS: SealedColumn = column(
    "auth.custom_oauth_providers",
    "id::text",
    "identity.providers",
    "client_secret",
);

/// Seals and opens values of these columns.
#[derive(Clone)]
pub(super) struct Seals(Arc<dyn Secrets>);

impl Seals {
    pub(super) fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self(secrets)
    }

    pub(super) async fn seal(&self, column: SealedColumn, row: &str, plain: &str) -> Result<Sealed> {
        column.seal(&*self.0, None, row, plain.as_bytes()).await
    }

    /// The text that was sealed; what stands there as it is is it.
    ///
    /// Errors: `secrets.unreadable`, `secrets.no_master_key`.
    pub(super) async fn open(
        &self,
        column: SealedColumn,
        row: &str,
        sealed: Option<&Sealed>,
        open: Option<String>,
    ) -> Result<Option<String>> {
        let Some(sealed) = sealed else {
            return Ok(open);
        };
        let plain = column.open(&*self.0, None, row, sealed).await?;
        Ok(Some(plain.text()?.to_owned()))
    }
}

/// Where there is no database, nothing is sealed.
pub(super) struct Nowhere;

#[async_trait::async_trait]
impl Secrets for Nowhere {
    async fn seal(&self, _: &Place<'_>, _: &[u8]) -> Result<Sealed> {
        Err(Error::internal("nothing is sealed without a database"))
    }

    async fn open(&self, _: &Place<'_>, _: &Sealed) -> Result<Plain> {
        Err(Error::internal("nothing is opened without a database"))
    }
}
