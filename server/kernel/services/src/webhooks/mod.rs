//! Telling programs outside what happens in an organisation. `README.md` says how it goes about it.

mod attempt;
mod deliver;
mod endpoints;
mod log;
mod model;
mod notice;
mod permissions;
mod resend;
mod retire;
mod routes;
mod secrets;
mod shapes;
mod sign;
mod tell;

pub(crate) use sign::signature;

use tenon_sdk::{Module, migrations, secrets::SealedColumn};

/// The module's manifest. Changes of its endpoints are written to the trail by the audit service's migrations.
pub fn module() -> Module {
    Module::new("webhooks", "Webhooks")
        .tables(
            "webhooks",
            migrations!["../../migrations/webhooks/" => "0001_endpoints"],
        )
        .permissions(permissions::ALL)
        .sealed(SECRETS)
        .consumer::<tell::Tell>()
        .job::<deliver::Deliver>()
        .job::<notice::TellOwners>()
        .job::<retire::Retire>()
        .routes(routes::routes)
}

const SECRETS: SealedColumn = SealedColumn {
    table: "webhooks.secrets",
    column: "sealed",
    row: "id::text",
    org: "org_id",
    purpose: "webhooks.secrets",
    before: None,
};
