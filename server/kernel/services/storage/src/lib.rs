//! Buckets and objects in the wire form of Supabase Storage, TUS and S3. See the README beside this crate.

mod accounts;
mod asker;
mod buckets;
mod errors;
mod figures;
mod list;
mod model;
mod names;
mod objects;
pub mod permissions;
mod place;
pub mod render;
mod s3;
mod scan;
mod service;
mod signed;
pub mod store;
mod sweep;
mod tus;

pub use sweep::{HOLD, sweep};

use axum::{Extension, Router, extract::DefaultBodyLimit, routing::get};
use tenon_sdk::{Kernel, Module, migrations, module::Routes};

use service::{Slot, Storage};

/// The module's manifest.
pub fn module() -> Module {
    let slot = Slot::default();
    Module::new("storage", "Files")
        .tables(
            "storage",
            migrations!["../migrations/" => "0001_objects", "0002_helpers", "0003_files", "0004_resumable", "0005_uploads_in_parts",
                "0006_lists", "0007_versions", "0008_of_organizations", "0009_sealed"],
        )
        .permissions(permissions::ALL)
        .sealed(signed::SIGNING_KEYS)
        .accounts(accounts::Owners)
        .error_form("/storage/v1/", errors::form)
        .abilities(tus::PREFIX, tus::abilities)
        .routes({
            let slot = slot.clone();
            move || routes(&slot)
        })
        .on_start({
            let slot = slot.clone();
            move |kernel: Kernel| {
                let slot = slot.clone();
                async move {
                    figures::watch(&kernel);
                    slot.fill(Storage {
                        signer: signed::Signer::load(&kernel).await?,
                        store: store::open(kernel.config(), kernel.env())?,
                        uploads: tus::Holders::default(),
                        pictures: render::Pictures::new(&kernel.config().storage.render),
                        kernel,
                    });
                    Ok(())
                }
            }
        })
        .worker(move |kernel| sweep::work(kernel, slot.clone()))
}

fn routes(slot: &Slot) -> Routes {
    let all: Router<Kernel> = Router::new()
        .merge(buckets::routes())
        .merge(objects::routes())
        .merge(signed::routes())
        .merge(list::routes())
        .merge(render::routes())
        .merge(tus::routes())
        .merge(s3::routes())
        .route("/status", get(|| std::future::ready("")))
        .route("/statusz", get(|| std::future::ready("")))
        .route("/version", get(|| std::future::ready(env!("CARGO_PKG_VERSION"))))
        .route("/health", get(|| std::future::ready(r#"{"healthy":true}"#)));
    Router::new()
        .nest("/storage/v1", all)
        // Content has limits of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(Extension(slot.clone()))
        .into()
}
