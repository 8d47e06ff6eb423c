//! One object at a time: up, down, away, elsewhere.

mod body;
mod download;
mod kinds;
mod lookup;
mod quota;
mod relocate;
mod remove;
mod respond;
mod upload;
mod upload_routes;

pub(crate) use body::{is_stalled, limited, looks_honest};
pub(crate) use download::{find, public_object};
pub(crate) use kinds::{HEAD, is_passive};
pub(crate) use lookup::{as_caller, as_server};
pub(crate) use relocate::duplicate;
pub(crate) use remove::away;
pub(crate) use respond::{Asked, BOX, http_date, respond, respond_made};
pub(crate) use upload::{Over, Upload, Wish};
pub(crate) use upload_routes::{receive, wants_upsert, wish};

use axum::{
    Router,
    routing::{delete, get, post},
};
use tenon_sdk::Kernel;

pub(crate) fn routes() -> Router<Kernel> {
    Router::new()
        .route(
            "/object/{bucket}/{*name}",
            get(download::private)
                .post(upload_routes::create)
                .put(upload_routes::replace)
                .delete(remove::one),
        )
        .route("/object/{bucket}", delete(remove::many))
        .route("/object/authenticated/{bucket}/{*name}", get(download::private))
        .route("/object/public/{bucket}/{*name}", get(download::public))
        .route("/object/info/{bucket}/{*name}", get(download::info))
        .route("/object/info/authenticated/{bucket}/{*name}", get(download::info))
        .route("/object/info/public/{bucket}/{*name}", get(download::public_info))
        .route("/object/move", post(relocate::go))
        .route("/object/copy", post(relocate::copy))
}
