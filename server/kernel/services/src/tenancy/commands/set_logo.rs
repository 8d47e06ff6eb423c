//! An admin gives the organisation a logo, or takes it away.

use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::{Ctx, Result, events::Event, hex};

use super::{
    super::{Acting, logo, permissions::OrganizationUpdate, plans::Feature},
    limits,
};

/// Stores a picture as the logo, or none; gives its tag.
pub(in super::super) async fn set_logo(ctx: &Ctx, picture: Option<&[u8]>) -> Result<Option<String>> {
    let kind = picture.map(logo::media_type).transpose()?;
    let tag = picture.map(|picture| hex(&Sha256::digest(picture)[..16]));
    let acting = Acting::begin::<OrganizationUpdate>(ctx, "logo").await?;
    let org = acting.org();
    if picture.is_some() {
        limits::included(&acting.locked, Feature::Branding)?;
    }
    acting
        .tx()
        .execute(
            "update tenancy.organizations set logo = $2, logo_type = $3, logo_tag = $4 where id = $1",
            &[&org, &picture, &kind, &tag],
        )
        .await?;
    let changed = Event::new("tenancy.organization_updated", org.0, json!({ "logo": tag }));
    acting.emit(&changed).await?;
    acting.commit().await?;
    Ok(tag)
}
