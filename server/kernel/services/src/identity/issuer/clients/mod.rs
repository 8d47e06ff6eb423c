//! The programs that may ask people to sign in here.

pub(super) mod admin;
mod authenticate;
pub(crate) mod commands;
mod metadata;
mod register;

pub(super) use authenticate::authenticate;
pub(super) use register::register;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_sdk::{Result, SystemTx, env::Env};
use tokio_postgres::Row;
use uuid::Uuid;

use metadata::Metadata;

/// A program.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: Uuid,
    secret_hash: Option<Vec<u8>>,
    registration: String,
    pub(crate) metadata: Metadata,
    pub(crate) created_at: Timestamp,
    updated_at: Timestamp,
}

/// What [`Client::from_row`] reads, of the table alone or of a join in which no other has these names.
pub(crate) const COLUMNS: &str = "c.id, c.client_secret_hash, c.registration_type, c.token_endpoint_auth_method, \
     c.redirect_uris, c.grant_types, c.client_name, c.client_uri, c.logo_uri, c.scope, c.created_at, c.updated_at";

impl Client {
    pub(crate) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            secret_hash: row.try_get(1)?,
            registration: row.try_get(2)?,
            metadata: Metadata {
                method: row.try_get(3)?,
                redirect_uris: row.try_get(4)?,
                grant_types: row.try_get(5)?,
                name: row.try_get(6)?,
                uri: row.try_get(7)?,
                logo_uri: row.try_get(8)?,
                scope: row.try_get(9)?,
            },
            created_at: row.try_get(10)?,
            updated_at: row.try_get(11)?,
        })
    }

    /// The program of an id, if there is one; the id as a program sends it.
    pub(super) async fn find(tx: &SystemTx, id: &str) -> Result<Option<Self>> {
        let Ok(id) = Uuid::try_parse(id) else {
            return Ok(None);
        };
        let row = tx
            .query_opt(
                &format!("select {COLUMNS} from auth.oauth_clients c where c.id = $1"),
                &[&id],
            )
            .await?;
        row.as_ref().map(Self::from_row).transpose()
    }

    /// Whether it can keep a secret.
    pub(crate) fn confidential(&self) -> bool {
        self.metadata.confidential()
    }

    /// Whether the operator registered it, and not it itself.
    pub(crate) fn checked(&self) -> bool {
        self.registration == "manual"
    }

    /// Whether it may go on without the person (RFC 6749, 6).
    pub(super) fn refreshes(&self) -> bool {
        self.metadata
            .grant_types
            .iter()
            .any(|kind| kind == "refresh_token")
    }

    pub(super) fn redirect_uris(&self) -> &[String] {
        &self.metadata.redirect_uris
    }

    pub(super) fn scope(&self) -> Option<&str> {
        self.metadata.scope.as_deref()
    }

    /// What a person sees of it.
    pub(super) fn shown(&self) -> Value {
        let Metadata {
            name, uri, logo_uri, ..
        } = &self.metadata;
        json!({
            "id": self.id,
            "name": name,
            "uri": uri.as_deref().unwrap_or_default(),
            "logo_uri": logo_uri.as_deref().unwrap_or_default(),
        })
    }

    /// What the operator and the program itself see of it; the secret when it was just made.
    fn to_json(&self, secret: Option<&str>) -> Value {
        let mut shown = json!({
            "client_id": self.id,
            "client_name": self.metadata.name,
            "client_type": if self.confidential() { "confidential" } else { "public" },
            "token_endpoint_auth_method": self.metadata.method,
            "registration_type": self.registration,
            "redirect_uris": self.metadata.redirect_uris,
            "grant_types": self.metadata.grant_types,
            "response_types": ["code"],
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        let further = [
            ("client_uri", self.metadata.uri.as_deref()),
            ("logo_uri", self.metadata.logo_uri.as_deref()),
            ("scope", self.scope()),
            ("client_secret", secret),
        ];
        for (name, value) in further {
            if let Some(value) = value {
                shown[name] = json!(value);
            }
        }
        if secret.is_some() {
            // It does not expire by itself (RFC 7591, 3.2.1).
            shown["client_secret_expires_at"] = json!(0);
        }
        shown
    }
}

/// What is kept of a secret, code or token.
pub(super) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Adds a program; gives its secret, too, if it has one.
async fn insert(
    env: &Env,
    tx: &SystemTx,
    metadata: &Metadata,
    registration: &'static str,
) -> Result<(Client, Option<String>)> {
    let secret = metadata.confidential().then(|| env.new_secret::<32>());
    let row = tx
        .query_one(
            &format!(
                "insert into auth.oauth_clients as c \
                 (id, client_secret_hash, registration_type, client_type, token_endpoint_auth_method, redirect_uris, \
                  grant_types, client_name, client_uri, logo_uri, scope, created_at, updated_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) returning {COLUMNS}"
            ),
            &[
                &env.new_id(),
                &secret.as_deref().map(hash),
                &registration,
                &if metadata.confidential() { "confidential" } else { "public" },
                &metadata.method,
                &metadata.redirect_uris,
                &metadata.grant_types,
                &metadata.name,
                &metadata.uri,
                &metadata.logo_uri,
                &metadata.scope,
                &env.now(),
            ],
        )
        .await?;
    Ok((Client::from_row(&row)?, secret))
}
