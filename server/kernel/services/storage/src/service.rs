//! What the handlers share: the kernel, where content is kept, what signs tokens.

use std::sync::{Arc, OnceLock};

use axum::{extract::FromRequestParts, http::request::Parts};
use tenon_sdk::{Error, Kernel, Result};

use crate::{render::Pictures, signed::Signer, store::Store, tus::Holders};

/// A started service; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) kernel: Kernel,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) signer: Signer,
    pub(crate) uploads: Holders,
    pub(crate) pictures: Pictures,
}

/// The service, once it has started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<OnceLock<Storage>>);

impl Slot {
    pub(crate) fn fill(&self, storage: Storage) {
        // A server starts once.
        _ = self.0.set(storage);
    }

    pub(crate) fn get(&self) -> Result<&Storage> {
        self.0
            .get()
            .ok_or_else(|| Error::internal("the storage service has not started"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Storage {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let slot = parts.extensions.get::<Slot>();
        let slot = slot.ok_or_else(|| Error::internal("a route without the storage service"))?;
        slot.get().cloned()
    }
}
