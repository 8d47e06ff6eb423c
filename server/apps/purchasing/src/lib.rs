//! Purchasing: purchase orders, quantity surveys, and how far each order is used up. See the README beside this crate.

mod commands;
mod demo;
mod events;
mod imports;
pub mod model;
mod notifications;
pub mod permissions;
mod queries;
mod routes;

use tenon_sdk::Module;

/// The app's manifest.
pub fn app() -> Module {
    Module::app("purchasing", "Purchasing")
        .tables(
            "purchasing",
            tenon_sdk::migrations![
                "../migrations/" => "0001_orders", "0002_keys", "0003_load", "0004_load_in_step", "0005_entries_of_order",
                "0006_trail"
            ],
        )
        .permissions(permissions::ALL)
        .api_schema("purchasing")
        .routes(routes::routes)
        .notifications(notifications::KINDS)
        .template(imports::Register)
        .demo(|tx, number| Box::pin(demo::load(tx, number)))
}
