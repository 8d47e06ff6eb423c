//! Pictures that were made lately, in memory; what is asked for by several at once is made once.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};
use tenon_sdk::{Error, Result, config::StorageRender};

use super::{Rendered, Renderer, Wanted};
use crate::store::Store;

/// What a picture takes besides its bytes.
const OVERHEAD: u64 = 256;
/// What one takes on average, by which the cache plans.
const USUAL: u64 = 32 << 10;

/// Makes pictures of content, and remembers them.
#[derive(Clone, Debug)]
pub(crate) struct Pictures {
    enabled: bool,
    renderer: Renderer,
    made: Arc<Cache<(String, Wanted), Rendered, ByBytes>>,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<(String, Wanted), Rendered> for ByBytes {
    fn weight(&self, key: &(String, Wanted), made: &Rendered) -> u64 {
        made.bytes.len() as u64 + key.0.len() as u64 + OVERHEAD
    }
}

impl Pictures {
    /// As the settings want it.
    pub(crate) fn new(settings: &StorageRender) -> Self {
        let items = usize::try_from(settings.cache_bytes / USUAL).unwrap_or(usize::MAX);
        Self {
            enabled: settings.enabled,
            renderer: Renderer::new(settings),
            made: Arc::new(Cache::with_weighter(items.max(1), settings.cache_bytes, ByBytes)),
        }
    }

    /// What is wanted of the content under a key, which never changes.
    pub(crate) async fn make(
        &self,
        store: &dyn Store,
        key: &str,
        size: u64,
        wanted: Wanted,
    ) -> Result<Rendered> {
        if !self.enabled {
            return Err(
                Error::not_found("storage.render_off", "Pictures are not transformed here.")
                    .hint("The operator may allow it by storage.render.enabled."),
            );
        }
        let make = self.renderer.render(size, store.get(key, None), wanted.clone());
        self.made
            .get_or_insert_async(&(key.to_owned(), wanted), make)
            .await
    }
}
