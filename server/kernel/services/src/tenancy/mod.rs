//! Organisations, who belongs to them and what they may do there.

mod accounts;
mod acting;
mod colour;
mod commands;
mod logo;
mod mails;
mod notices;
mod permissions;
mod plans;
mod routes;
mod sweep;

pub(crate) use acting::Acting;
pub(crate) use commands::{included, revoke_keys};
pub(crate) use mails::tame;
pub(crate) use permissions::MembersRead;

pub use commands::{NewOrganization, Organization, add_member, create_organization};
pub(crate) use permissions::OrganizationRead;
pub(crate) use plans::COLUMNS as PLAN_COLUMNS;
pub use plans::{Entitlements, Feature, Plan};
pub use sweep::{sweep, work};

use tenon_sdk::{Kernel, Module, Result, SystemTx, migrations, permission::Role};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("tenancy", "Organisations")
        .tables(
            "tenancy",
            migrations!["../../migrations/tenancy/" => "0001_organizations", "0002_context", "0003_own_schemas", "0004_settings", "0005_access", "0006_members", "0007_operator", "0008_standing", "0009_spaces", "0010_s3_secrets", "0011_origin", "0012_sooner", "0013_sealed", "0014_webhooks"],
        )
        .permissions(permissions::ALL)
        .job::<commands::DeleteOrganization>()
        .accounts(accounts::Members)
        .notifications(notices::KINDS)
        .routes(routes::routes)
        .on_start(write_matrix)
}

/// What each built-in role may do, from the manifests of all modules, in alphabetical order.
pub fn matrix(modules: &[Module]) -> Vec<(Role, Vec<&'static str>)> {
    Role::ALL
        .into_iter()
        .map(|role| {
            let all = modules.iter().flat_map(|module| module.permissions);
            let mut names: Vec<_> = all.filter(|def| def.from <= role).map(|def| def.name).collect();
            names.sort_unstable();
            (role, names)
        })
        .collect()
}

/// Brings `tenancy.role_permissions` in line with the manifests.
async fn write_matrix(kernel: Kernel) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "role permissions").await?;
    let matrix = matrix(kernel.modules());
    let everything = matrix.last().map(|(_, names)| names.clone()).unwrap_or_default();
    let roles = matrix
        .into_iter()
        .map(|(role, names)| (role.as_str(), names))
        .chain([("*", everything)]);
    for (role, names) in roles {
        tx.execute(
            "insert into tenancy.role_permissions (role, permissions) values ($1, $2) \
             on conflict (role) do update set permissions = excluded.permissions \
             where tenancy.role_permissions.permissions <> excluded.permissions",
            &[&role, &format!(",{},", names.join(","))],
        )
        .await?;
    }
    tx.commit().await
}
