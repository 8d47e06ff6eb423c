//! Sealed values: what lies in the database unreadable, and is opened in memory only. The secrets service implements this.

use postgres_types::{FromSql, ToSql};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Kind, Result},
    ids::OrgId,
};

/// Bytes that are wiped from memory when they are let go. Nothing prints or serialises them.
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// Takes the bytes over; copies that the caller keeps are the caller's.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same as text.
    ///
    /// Errors: `secrets.unreadable` if they are no UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.0).map_err(|_| unreadable("it is no text"))
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(secret)")
    }
}

/// A value as it lies in the database: a column of type `bytea`.
#[derive(Clone, Debug, PartialEq, Eq, ToSql, FromSql)]
#[postgres(transparent)]
pub struct Sealed(pub Vec<u8>);

/// Where a value lies and what it is for. All of it is bound into the seal: a value that is moved to another row, column or organisation
/// does not open there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose key; `None`: the installation's own.
    pub org: Option<OrgId>,
    /// What for, `identity.signing_keys`: each purpose has keys of its own.
    pub purpose: &'static str,
    /// Schema, table and column, `auth.signing_keys.private`.
    pub column: &'a str,
    /// The row's key as text.
    pub row: &'a str,
}

/// Seals and opens.
#[async_trait::async_trait]
pub trait Secrets: Send + Sync {
    /// A value as it may lie at this place. A first value of an organisation and purpose makes a key, in a transaction of its own.
    async fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Sealed>;

    /// What was sealed at this place.
    ///
    /// Errors: `secrets.unreadable` if it was sealed elsewhere or changed since, `secrets.no_master_key` if the master key that
    /// protects it is not here.
    async fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Plain>;
}

/// A value that does not open. The reason never tells anything of the value.
pub fn unreadable(reason: &'static str) -> Error {
    Error::new(
        Kind::Internal,
        "secrets.unreadable",
        "A sealed value cannot be opened.",
    )
    .details(reason)
}

/// A column whose values are sealed, so that they can be sealed anew with a new key.
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn {
    /// Schema and table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The expression that gives a row's key as text, as `id::text`.
    pub row: &'static str,
    /// The expression that gives the organisation's id, `org_id`; `null::uuid` where the installation's key seals.
    pub org: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// The column, text or bytea, in which the value stands as it is before it is sealed: what an earlier release left there, or what SQL
    /// wrote, is sealed by the next start, and that column emptied.
    pub before: Option<&'static str>,
}

impl SealedColumn {
    /// Schema, table and column, as it is bound into the seal.
    pub fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    fn place<'a>(&self, name: &'a str, org: Option<OrgId>, row: &'a str) -> Place<'a> {
        Place {
            org,
            purpose: self.purpose,
            column: name,
            row,
        }
    }

    /// Seals a row's value. The first of an organisation is not to be sealed with a transaction open, since its key takes a connection of
    /// its own; the installation's keys are made before modules start.
    pub async fn seal(
        &self,
        secrets: &dyn Secrets,
        org: Option<OrgId>,
        row: &str,
        plain: &[u8],
    ) -> Result<Sealed> {
        secrets.seal(&self.place(&self.name(), org, row), plain).await
    }

    /// Opens a row's value.
    ///
    /// Errors: `secrets.unreadable`, `secrets.no_master_key`.
    pub async fn open(
        &self,
        secrets: &dyn Secrets,
        org: Option<OrgId>,
        row: &str,
        sealed: &Sealed,
    ) -> Result<Plain> {
        secrets.open(&self.place(&self.name(), org, row), sealed).await
    }
}
