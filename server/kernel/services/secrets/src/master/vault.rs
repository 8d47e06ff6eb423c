//! Master keys inside `HashiCorp` Vault: its secrets engine `transit` wraps and unwraps, and the key never leaves it. The wire contract:
//! <https://developer.hashicorp.com/vault/api-docs/secret/transit>. The key must be derived, so that the scope is its `context`.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Result,
    config::SecretsVault,
    outbound::{Answer, Outbound, Request},
};
use zeroize::Zeroizing;

use super::{Master, Wrapped, wrong};
use crate::seal::{KEY, Key};

pub(super) struct Vault {
    settings: SecretsVault,
    outbound: Outbound,
}

#[derive(Deserialize)]
struct Reply<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Zeroizing<String>,
}

#[derive(Deserialize)]
struct About {
    latest_version: i32,
    derived: bool,
}

impl Vault {
    pub(super) fn new(settings: SecretsVault, outbound: Outbound) -> Result<Self> {
        if settings.token.is_empty() == settings.token_file.as_os_str().is_empty() {
            return Err(wrong(
                "one of secrets.vault.token and secrets.vault.token_file is needed",
            ));
        }
        Ok(Self { settings, outbound })
    }

    /// Agents renew the token in a file, so it is read each time; that is seldom.
    fn token(&self) -> Result<Zeroizing<String>> {
        if !self.settings.token.is_empty() {
            return Ok(Zeroizing::new(self.settings.token.expose().to_owned()));
        }
        let path: &Path = &self.settings.token_file;
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
        Ok(Zeroizing::new(text.trim().to_owned()))
    }

    fn url(&self, what: &str) -> String {
        let Settings { address, mount } = Settings::of(&self.settings);
        format!("{address}/v1/{mount}/{what}")
    }

    /// Wrapping or unwrapping twice changes nothing.
    async fn crypt(&self, what: &str, body: &Value) -> Result<Answer> {
        self.ask(Request::post(self.url(what)).json(body).repeatable())
            .await
    }

    async fn ask(&self, request: Request) -> Result<Answer> {
        let mut request = request.header("x-vault-token", &self.token()?);
        if !self.settings.namespace.is_empty() {
            request = request.header("x-vault-namespace", &self.settings.namespace);
        }
        let answer = self.outbound.send(request).await.map_err(|error| away(&error))?;
        match answer.status {
            200..300 => Ok(answer),
            status => Err(away(&Error::unavailable(
                "outbound.refused",
                format!("status {status}"),
            ))),
        }
    }

    fn named(&self, what: &str) -> String {
        format!("{what}/{}", self.settings.key)
    }
}

struct Settings<'a> {
    address: &'a str,
    mount: &'a str,
}

impl<'a> Settings<'a> {
    fn of(vault: &'a SecretsVault) -> Self {
        Self {
            address: vault.address.trim_end_matches('/'),
            mount: vault.mount.trim_matches('/'),
        }
    }
}

/// Vault's own words may name keys and policies; the operator finds them in its audit log.
fn away(error: &Error) -> Error {
    Error::unavailable("secrets.vault_away", "Vault, which keeps the master key, did not help.")
        .details(error.to_string())
        .hint("Look whether it is sealed, the token is good, and its policy allows encrypt, decrypt and read of the transit key.")
}

/// `vault:v3:…`.
fn version(ciphertext: &str) -> Result<i32> {
    ciphertext
        .strip_prefix("vault:v")
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(version, _)| version.parse().ok())
        .ok_or_else(|| {
            away(&Error::unavailable(
                "outbound.bad_answer",
                "no ciphertext came back",
            ))
        })
}

#[async_trait::async_trait]
impl Master for Vault {
    async fn newest(&self) -> Result<i32> {
        let answer = self.ask(Request::get(self.url(&self.named("keys")))).await?;
        let about: Reply<About> = answer.json()?;
        if !about.data.derived {
            return Err(
                wrong(format!("the transit key {} is not derived", self.settings.key))
                    .hint("Make one with: vault write transit/keys/tenon derived=true"),
            );
        }
        Ok(about.data.latest_version)
    }

    async fn wrap(&self, scope: &[u8], key: &Key) -> Result<Wrapped> {
        let plaintext = Zeroizing::new(STANDARD.encode(key.as_slice()));
        let body = json!({ "plaintext": *plaintext, "context": STANDARD.encode(scope) });
        let reply: Reply<Encrypted> = self.crypt(&self.named("encrypt"), &body).await?.json()?;
        Ok(Wrapped {
            keeper: self.keeper().to_owned(),
            master: version(&reply.data.ciphertext)?,
            bytes: reply.data.ciphertext.into_bytes(),
        })
    }

    async fn unwrap(&self, scope: &[u8], wrapped: &Wrapped) -> Result<Key> {
        let ciphertext = std::str::from_utf8(&wrapped.bytes)
            .map_err(|_| tenon_sdk::secrets::unreadable("a data key was not wrapped by Vault"))?;
        let body = json!({ "ciphertext": ciphertext, "context": STANDARD.encode(scope) });
        let reply: Reply<Decrypted> = self.crypt(&self.named("decrypt"), &body).await?.json()?;
        let bytes = Zeroizing::new(
            STANDARD
                .decode(reply.data.plaintext.as_bytes())
                .unwrap_or_default(),
        );
        let key: [u8; KEY] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| tenon_sdk::secrets::unreadable("a data key has a wrong length"))?;
        Ok(Zeroizing::new(key))
    }

    async fn renew(&self) -> Result<i32> {
        let url = self.url(&format!("{}/rotate", self.named("keys")));
        self.ask(Request::post(url).json(&json!({}))).await?;
        self.newest().await
    }

    async fn fingerprints(&self) -> Result<Vec<(i32, Vec<u8>)>> {
        Ok(Vec::new())
    }

    fn keeper(&self) -> &'static str {
        "vault"
    }

    fn home(&self) -> String {
        let Settings { address, mount } = Settings::of(&self.settings);
        format!("{address}, {mount}/keys/{}", self.settings.key)
    }
}
