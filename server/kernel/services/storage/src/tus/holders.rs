//! One request at a time adds to an upload. It says in the row, again and again, that it lives, so that a process that died holds nothing
//! for long; and who comes next on this server asks it to stop, since a connection may be dead long before that is seen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tenon_sdk::{Kernel, Result};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{answer, upload::Upload};

/// How often a holder says that it lives.
const BEAT: Duration = Duration::from_secs(3);
/// How long one waits for another that was asked to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests of this server that hold uploads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders(Arc<Mutex<HashMap<Uuid, Signals>>>);

#[derive(Clone, Debug, Default)]
struct Signals {
    stop: CancellationToken,
    ended: CancellationToken,
}

/// Hold of an upload; dropped, it is let go.
#[derive(Debug)]
pub(super) struct Held {
    kernel: Kernel,
    holders: Holders,
    id: Uuid,
    pub(super) holder: Uuid,
    signals: Signals,
    beating: tokio::task::JoinHandle<()>,
}

impl Holders {
    /// Asks whoever holds it here to stop, and waits for that.
    pub(super) async fn displace(&self, id: Uuid) {
        let there = self.0.lock().ok().and_then(|all| all.get(&id).cloned());
        if let Some(signals) = there {
            signals.stop.cancel();
            // It ends anyway, or is stuck; then the row says that it is held.
            let _ = tokio::time::timeout(PATIENCE, signals.ended.cancelled()).await;
        }
    }

    /// Takes hold of an upload, and gives it as it is then.
    pub(super) async fn hold(&self, kernel: &Kernel, id: Uuid) -> Result<(Held, Upload)> {
        self.displace(id).await;
        let holder = kernel.env().new_id();
        let upload = Upload::hold(kernel, id, holder).await?.ok_or_else(answer::held)?;
        let signals = Signals::default();
        if let Ok(mut all) = self.0.lock() {
            all.insert(id, signals.clone());
        }
        let held = Held {
            kernel: kernel.clone(),
            holders: self.clone(),
            id,
            holder,
            beating: tokio::spawn(beat(kernel.clone(), id, holder, signals.stop.clone())),
            signals,
        };
        Ok((held, upload))
    }
}

impl Held {
    /// Fires when the holder is to stop.
    pub(super) fn stop(&self) -> CancellationToken {
        self.signals.stop.clone()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.beating.abort();
        let (kernel, holders, signals) = (self.kernel.clone(), self.holders.clone(), self.signals.clone());
        let (id, holder) = (self.id, self.holder);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = Upload::let_go(&kernel, id, holder).await {
                tracing::debug!(%error, "an upload stays held until its holder is missed");
            }
            if let Ok(mut all) = holders.0.lock() {
                all.remove(&id);
            }
            signals.ended.cancel();
        });
    }
}

async fn beat(kernel: Kernel, id: Uuid, holder: Uuid, stop: CancellationToken) {
    loop {
        tokio::time::sleep(BEAT).await;
        match Upload::still_held(&kernel, id, holder).await {
            Ok(true) => {}
            Ok(false) => return stop.cancel(),
            // It may come back before the time is over.
            Err(error) => tracing::debug!(%error, "an upload's holder cannot say that it lives"),
        }
    }
}
