//! An admin gives the organisation a logo, or takes it away.

use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::{Ctx, Result, SystemTx, events::Event, hex};

use super::{
    super::{logo, plans::Feature},
    limits, standing,
};

/// Stores a picture as the logo, or none; gives its tag.
pub(in super::super) async fn set_logo(ctx: &Ctx, picture: Option<&[u8]>) -> Result<Option<String>> {
    let org = ctx.org_id();
    let kind = picture.map(logo::media_type).transpose()?;
    let tag = picture.map(|picture| hex(&Sha256::digest(picture)[..16]));
    let tx = SystemTx::begin(ctx.kernel().db(), "logo").await?;
    let locked = standing::lock(&tx, org).await?;
    if picture.is_some() {
        limits::included(&locked, Feature::Branding)?;
    }
    tx.execute(
        "update tenancy.organizations set logo = $2, logo_type = $3, logo_tag = $4 where id = $1",
        &[&org, &picture, &kind, &tag],
    )
    .await?;
    let changed = Event::new("tenancy.organization_updated", org.0, json!({ "logo": tag }));
    tx.emit(ctx.kernel().env(), org, ctx.user_id(), &changed).await?;
    tx.commit().await?;
    Ok(tag)
}
