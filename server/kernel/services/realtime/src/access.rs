//! What somebody may do in a private channel: the policies on `realtime.messages`, asked of a message that nobody sends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tenon_sdk::{
    Kernel, Result, SystemTx,
    db::{Param, RequestContext, Statement},
};

/// What somebody may do in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four rights, each of its own")]
pub struct Rights {
    /// Hears broadcasts.
    pub hears: bool,
    /// Sends broadcasts.
    pub sends: bool,
    /// Sees who is there.
    pub sees: bool,
    /// Says of itself that it is there.
    pub tracks: bool,
}

impl Rights {
    /// In a channel that is not private.
    pub const ALL: Self = Self {
        hears: true,
        sends: true,
        sees: true,
        tracks: true,
    };
}

/// The policies of each role as conditions, for reading and for writing, as long as the schema stays as it is.
#[derive(Debug, Default)]
pub struct Walls(Mutex<HashMap<&'static str, Arc<(String, String)>>>);

impl Walls {
    /// Something in the schema changed.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn of(&self, kernel: &Kernel, role: &'static str) -> Result<Arc<(String, String)>> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(role) {
            return Ok(known.clone());
        }
        let tx = SystemTx::begin(kernel.db(), "who may join private channels").await?;
        let row = tx.query_one(include_str!("access_walls.sql"), &[&role]).await?;
        tx.commit().await?;
        let walls = Arc::new((row.try_get(0)?, row.try_get(1)?));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(role, Arc::clone(&walls));
        Ok(walls)
    }

    /// What a caller may do in a private channel.
    ///
    /// Errors: what a policy raises; the caller may then do nothing.
    pub async fn rights(&self, kernel: &Kernel, context: &RequestContext, topic: &str) -> Result<Rights> {
        let walls = self.of(kernel, context.role).await?;
        let (read, write) = &*walls;
        let both = ask(kernel, context, topic, read, write).await;
        // A policy for writing that fails takes nothing from those who only read.
        let rows = match both {
            Ok(rows) => rows,
            Err(_) => ask(kernel, context, topic, read, "false").await?,
        };
        let mut rights = Rights::default();
        for (extension, reads, writes) in rows {
            if extension == "broadcast" {
                (rights.hears, rights.sends) = (reads, writes);
            } else {
                (rights.sees, rights.tracks) = (reads, writes);
            }
        }
        Ok(rights)
    }
}

async fn ask(
    kernel: &Kernel,
    context: &RequestContext,
    topic: &str,
    read: &str,
    write: &str,
) -> Result<Vec<(String, bool, bool)>> {
    let mut set = Statement::new("select pg_catalog.set_config('realtime.topic', $1, true)");
    set.params.push(Param::text(topic));
    let sql = include_str!("access_ask.sql")
        .replace("{read}", read)
        .replace("{write}", write);
    let mut asked = Statement::new(sql);
    asked.params.push(Param::text(topic));
    let reply = kernel.db().run_all(context, vec![set, asked]).await?;
    let rows = reply.rows.into_iter().filter_map(|row| {
        let [extension, read, write] = &row[..] else {
            return None;
        };
        let truth = |cell: &Option<bytes::Bytes>| cell.as_deref() == Some(b"t");
        let extension = String::from_utf8_lossy(extension.as_deref()?).into_owned();
        Some((extension, truth(read), truth(write)))
    });
    Ok(rows.collect())
}
