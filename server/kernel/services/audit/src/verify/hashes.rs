//! The hashes of entries and seals, as `migrations/0003_seals.sql` makes them.

use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

/// A row of `audit.seals`.
pub(super) struct Seal {
    pub(super) seq: i64,
    pub(super) class: String,
    month: String,
    first: String,
    last: String,
    pub(super) count: i32,
    pub(super) ids: Option<Vec<Uuid>>,
    pub(super) digests: Option<Vec<u8>>,
    pub(super) content: Vec<u8>,
    sealed: String,
    pub(super) hash: Vec<u8>,
    pub(super) first_text: String,
    pub(super) last_text: String,
    /// Its month was dropped, and before its time.
    pub(super) gone: bool,
    pub(super) gone_early: bool,
}

impl Seal {
    pub(super) fn read(row: &Row) -> Self {
        Self {
            seq: row.get(0),
            class: row.get(1),
            month: row.get(2),
            first: row.get(3),
            last: row.get(4),
            count: row.get(5),
            ids: row.get(6),
            digests: row.get(7),
            content: row.get(8),
            sealed: row.get(9),
            hash: row.get(10),
            first_text: row.get(11),
            last_text: row.get(12),
            gone: row.get(13),
            gone_early: row.get::<_, Option<bool>>(14).unwrap_or(false),
        }
    }
}

/// Of an entry: its columns as texts, each with its length before it.
pub(super) fn digest(parts: &[Option<String>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            hash.update(",");
        }
        match part {
            Some(part) => {
                hash.update(part.len().to_string());
                hash.update(":");
                hash.update(part);
            }
            None => hash.update("-"),
        }
    }
    hash.finalize().into()
}

/// Of the list of a seal.
pub(super) fn content(ids: &[Uuid], digests: &[u8]) -> Vec<u8> {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let mut hash = Sha256::new();
    hash.update(ids.join(","));
    hash.update(digests);
    hash.finalize().to_vec()
}

/// Of a seal, after the one before it.
pub(super) fn link(before: &[u8], org: &Uuid, seal: &Seal) -> Vec<u8> {
    let particulars = [
        &org.to_string(),
        &seal.seq.to_string(),
        &seal.class,
        &seal.month,
        &seal.count.to_string(),
        &seal.first,
        &seal.last,
        &seal.sealed,
    ];
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(&seal.content);
    hash.update(particulars.map(String::as_str).join("|"));
    hash.finalize().to_vec()
}
