//! Live changes, broadcast and presence in the wire form of Supabase Realtime, over WebSocket, HTTP and server-sent events.

mod access;
mod allowance;
mod broadcast_api;
pub mod changes;
mod context;
mod figures;
pub mod hub;
mod limits;
mod news;
mod replay;
mod socket;
mod sse;
mod sweep;
mod visitor;
pub mod wire;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use access::Walls;
use changes::Changes;
use figures::Figures;
use hub::{
    Hub,
    bus::{self, Bus},
};
use limits::Limits;
use tenon_sdk::{Error, Kernel, Module, Result, migrations};
use tokio::sync::mpsc;

/// What a process needs to serve channels.
pub(crate) struct Realtime {
    kernel: Kernel,
    hub: Arc<Hub>,
    changes: Arc<Changes>,
    walls: Walls,
    limits: Limits,
    figures: Figures,
}

/// Made when the server starts; routes are described without it.
#[derive(Clone, Default)]
pub(crate) struct Service(Arc<Started>);

#[derive(Default)]
struct Started {
    realtime: OnceLock<Arc<Realtime>>,
    words: Mutex<Option<mpsc::Receiver<String>>>,
}

impl Service {
    fn get(&self) -> Result<Arc<Realtime>> {
        let started = self.0.realtime.get().cloned();
        started.ok_or_else(|| Error::unavailable("realtime.starting", "Live changes are not there yet."))
    }

    fn start(&self, kernel: &Kernel) {
        let mut node = [0; 8];
        kernel.env().fill_random(&mut node);
        let node = u64::from_be_bytes(node);
        let (bus, words) = Bus::new(node);
        let hub = Hub::new(node, bus);
        let realtime = Realtime {
            changes: Changes::new(kernel.clone(), hub.clone(), node),
            hub,
            walls: Walls::default(),
            limits: Limits::new(&kernel.config().realtime),
            figures: Figures::new(kernel),
            kernel: kernel.clone(),
        };
        let realtime = Arc::new(realtime);
        figures::watch(&realtime);
        drop(self.0.realtime.set(realtime));
        *self.0.words.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Everything that goes on beside requests.
    async fn work(self) {
        let words = self.0.words.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Ok(realtime), Some(words)) = (self.get(), words) else {
            return;
        };
        let kernel = &realtime.kernel;
        let schema_changed = || {
            realtime.walls.forget();
            realtime.changes.schema_changed();
        };
        tokio::join!(
            bus::speak(kernel.clone(), words),
            bus::hear(kernel.clone(), realtime.hub.clone(), schema_changed),
            changes::feed::run(realtime.changes.clone()),
            sweep::run(kernel.clone()),
        );
    }
}

/// The module's manifest.
pub fn module() -> Module {
    let (routes, starting, working) = {
        let service = Service::default();
        (service.clone(), service.clone(), service)
    };
    Module::new("realtime", "Realtime")
        .tables(
            "realtime",
            migrations!["../migrations/" => "0001_messages", "0002_judged_rows", "0003_words"],
        )
        .routes(move || {
            let all = axum::Router::new()
                .merge(socket::routes())
                .merge(broadcast_api::routes())
                .merge(sse::routes())
                .layer(axum::Extension(routes.clone()));
            all.into()
        })
        .on_start(move |kernel| {
            starting.start(&kernel);
            std::future::ready(Ok(()))
        })
        .task(move |_| working.clone().work())
}
