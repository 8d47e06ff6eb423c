//! `/api/v1/access`.

mod keys;
mod review;
mod roles;
mod spaces;
mod support;
mod tokens;

use serde::Serialize;
use tenon_sdk::module::Routes;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    roles::routes()
        .merge(keys::routes())
        .merge(tokens::routes())
        .merge(review::routes())
        .merge(spaces::routes())
        .merge(support::routes())
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    /// Its id.
    id: Uuid,
}

/// Something whose text is shown this once.
#[derive(Debug, Serialize, ToSchema)]
struct MadeSecret {
    /// Its id.
    id: Uuid,
    /// The secret, sent as `Authorization: Bearer` or as `apikey`.
    secret: String,
}
