//! What tells the words of other processes from those of anybody else who may `NOTIFY`.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenon_sdk::{Error, Kernel, Result, SystemTx};

/// The secret that all processes of an installation share.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// The one of this installation.
    pub async fn load(kernel: &Kernel) -> Result<Self> {
        let tx = SystemTx::begin(kernel.db(), "the secret of words between processes").await?;
        let row = tx.query_one("select secret from realtime.word_key", &[]).await?;
        tx.commit().await?;
        let secret: Vec<u8> = row.try_get(0)?;
        Self::new(&secret)
    }

    fn new(secret: &[u8]) -> Result<Self> {
        Hmac::new_from_slice(secret).map(Self).map_err(Error::internal)
    }

    /// A text with its number and its seal.
    pub fn put(&self, number: u64, text: &str) -> String {
        let text = format!("{number:x}:{text}");
        let mac = self.0.clone().chain_update(&text).finalize().into_bytes();
        format!("{}:{text}", STANDARD_NO_PAD.encode(mac))
    }

    /// The number and the text under a seal; `None` if it is none of ours.
    pub fn open<'a>(&self, sealed: &'a str) -> Option<(u64, &'a str)> {
        let (mac, text) = sealed.split_once(':')?;
        let mac = STANDARD_NO_PAD.decode(mac).ok()?;
        self.0.clone().chain_update(text).verify_slice(&mac).ok()?;
        let (number, text) = text.split_once(':')?;
        Some((u64::from_str_radix(number, 16).ok()?, text))
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_with_the_same_secret_is_opened() {
        let (ours, theirs) = (
            Seal::new(b"ours").expect("a key"),
            Seal::new(b"theirs").expect("a key"),
        );
        let sealed = ours.put(26, "a:b");
        assert_eq!(ours.open(&sealed), Some((26, "a:b")));
        for forged in [
            theirs.put(26, "a:b"),
            sealed.replace("a:b", "a:c"),
            sealed.replace(":1a:", ":1b:"),
            "1a:a:b".to_owned(),
            ":1a:a:b".to_owned(),
            String::new(),
        ] {
            assert_eq!(ours.open(&forged), None, "{forged}");
        }
    }
}
