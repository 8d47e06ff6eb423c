//! The list of common passwords that Tenon refuses, as the server reads it: see `server/kernel/services/data/README.md`.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::command::root;

/// Shorter ones no installation should allow.
const SHORTEST: usize = 6;

/// Lists, each one password a line or a JSON array.
#[derive(clap::Args)]
pub struct Options {
    /// Files with passwords.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
}

pub fn passwords(options: &Options) -> Result<()> {
    let mut found = BTreeSet::new();
    for path in &options.lists {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let words: Vec<String> =
            serde_json::from_str(&text).unwrap_or_else(|_| text.lines().map(str::to_owned).collect());
        let words = words.iter().map(|word| word.trim().to_lowercase());
        found.extend(words.filter(|word| word.chars().count() >= SHORTEST));
    }
    let prefixes: BTreeSet<[u8; 4]> = found
        .iter()
        .filter_map(|word| Sha256::digest(word.as_bytes()).first_chunk::<4>().copied())
        .collect();
    let path = root().join("server/kernel/services/data/common-passwords.bin");
    fs::write(&path, prefixes.into_iter().flatten().collect::<Vec<u8>>())?;
    println!("{} passwords in {}", found.len(), path.display());
    Ok(())
}
