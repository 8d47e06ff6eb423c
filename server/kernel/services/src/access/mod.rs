//! Who can do what: roles of an organisation's own, keys and tokens, spaces, and a report that says why somebody can do something.
//!
//! The rules themselves (which permissions a request has) are resolved in the database at its start, `kernel.begin_request`; here
//! is what changes them. Nobody gives what they do not have.

mod accounts;
mod commands;
mod keys;
mod model;
mod permissions;
mod review;
mod routes;
mod sealed;
mod spaces;

pub use keys::KeyAuthenticator;

pub(crate) use commands::end_support;

use tenon_sdk::{Error, Kernel, Module, Result, SystemTx, permission::Role};
use uuid::Uuid;

/// The module's manifest. Its tables are tenancy's, which resolves them.
pub fn module() -> Module {
    Module::new("access", "Access")
        .permissions(permissions::ALL)
        .sealed(sealed::S3_SECRETS)
        .accounts(accounts::Holders)
        .routes(routes::routes)
        .on_start(regrow_roles)
}

/// Brings what custom roles grant in line with the permissions that this version has.
async fn regrow_roles(kernel: Kernel) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "custom roles").await?;
    let rows = tx
        .query(
            "select org_id, id, includes, excludes, ceiling, granted from tenancy.roles order by org_id, id for update",
            &[],
        )
        .await?;
    for row in &rows {
        let (org, id): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let (includes, excludes): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        let (ceiling, before): (String, String) = (row.try_get(4)?, row.try_get(5)?);
        let ceiling = Role::parse(&ceiling).ok_or_else(|| Error::internal("unknown role as a ceiling"))?;
        let all = kernel.modules().iter().flat_map(|module| module.permissions);
        let granted = model::join(model::regrow(&includes, &excludes, ceiling, &before, all));
        if granted == before {
            continue;
        }
        tx.execute(
            "update tenancy.roles r set granted = $3, permissions = tenancy.without_apps($3, o.disabled_apps) \
             from tenancy.organizations o where o.id = r.org_id and r.org_id = $1 and r.id = $2",
            &[&org, &id, &granted],
        )
        .await?;
    }
    tx.commit().await
}
