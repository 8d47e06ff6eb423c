//! An admin switches apps off and on. Whoever comes with the next request no longer has the permissions of an app that is off.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, events::Event};
use utoipa::ToSchema;

use crate::tenancy::{Acting, permissions::AppsUpdate};

/// Which apps are off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisabledApps {
    /// Names of apps; all others are on.
    #[schema(example = json!(["purchasing"]))]
    pub disabled: Vec<String>,
}

/// Switches exactly the named apps off.
pub(in super::super) async fn set_apps(ctx: &Ctx, apps: &DisabledApps) -> Result<()> {
    let known: Vec<&str> = ctx
        .kernel()
        .modules()
        .iter()
        .filter(|module| module.is_app)
        .map(|module| module.name)
        .collect();
    if let Some(unknown) = apps.disabled.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(
            Error::unprocessable("tenancy.app_unknown", "There is no such app.")
                .details(unknown.chars().take(80).collect::<String>()),
        );
    }
    let mut disabled: Vec<&str> = apps.disabled.iter().map(String::as_str).collect();
    disabled.sort_unstable();
    disabled.dedup();
    let acting = Acting::begin::<AppsUpdate>(ctx, "apps").await?;
    let org = acting.org();
    let changed = acting
        .tx()
        .execute(
            "update tenancy.organizations set disabled_apps = $2 where id = $1 and disabled_apps <> $2",
            &[&org, &disabled],
        )
        .await?;
    if changed > 0 {
        let event = Event::new("tenancy.apps_changed", org.0, json!({ "disabled": disabled }));
        acting.emit(&event).await?;
    }
    acting.commit().await
}
