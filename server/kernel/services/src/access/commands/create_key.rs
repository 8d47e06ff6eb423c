//! Somebody makes a key with which a program speaks for the organisation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Kernel, Result, events::Event, permission::Role, secrets::Sealed};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{
        keys::{Kind, NewSecret, SigningSecret},
        model,
        permissions::KeysManage,
        sealed::S3_SECRETS,
    },
    for_people,
};
use crate::tenancy::{Acting, Feature, included};

/// Most keys of one organisation that are good at a time.
const MAX_KEYS: i64 = 100;

/// Who may see a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Everybody, as in the source of a web page: it may do no more than a viewer.
    Publishable,
    /// Servers only.
    Secret,
}

/// What a new key is for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewKey {
    /// Who may see it.
    pub kind: KeyKind,
    /// For people.
    #[schema(example = "Warehouse scanner", min_length = 1, max_length = 80)]
    pub name: String,
    /// Permissions and patterns, written out as they are now.
    #[schema(example = json!(["purchasing.orders.read"]))]
    pub scopes: Vec<String>,
    /// Days until it ends, at most 366; without, it does not end.
    #[serde(default)]
    pub expires_in_days: Option<u32>,
    /// Whether S3 clients can use it, too: then there is an access key with a secret of its own. Secret keys only.
    #[serde(default)]
    pub s3: bool,
}

/// A key that was made; the texts are shown this once.
pub struct MadeKey {
    /// Its id.
    pub id: Uuid,
    /// What is sent as a bearer token.
    pub secret: String,
    /// The access key for S3 and what it signs with.
    pub s3: Option<(String, String)>,
}

/// What a key of this kind may be given at all.
fn open_to(kernel: &Kernel, kind: KeyKind, names: &BTreeSet<&'static str>) -> Result<()> {
    let refused = |details: String| {
        Error::unprocessable(
            "access.scope_not_for_keys",
            "A key cannot have these permissions.",
        )
        .details(details)
    };
    let people: Vec<&str> = names.iter().copied().filter(|name| for_people(name)).collect();
    if !people.is_empty() {
        return Err(refused(format!("For people only: {}.", people.join(", "))).hint("Leave them out."));
    }
    if kind == KeyKind::Publishable {
        let strong: Vec<&str> = super::all(kernel)
            .filter(|def| names.contains(def.name) && def.from > Role::Viewer)
            .map(|def| def.name)
            .collect();
        if !strong.is_empty() {
            return Err(refused(format!("More than a viewer may: {}.", strong.join(", ")))
                .hint("Make a secret key for these."));
        }
    }
    Ok(())
}

async fn signing(ctx: &Ctx, id: Uuid) -> Result<(SigningSecret, Sealed)> {
    let made = SigningSecret::generate(ctx.kernel().env(), id);
    let sealed = S3_SECRETS
        .seal(
            ctx.kernel().secrets(),
            Some(ctx.org_id()),
            &id.to_string(),
            made.secret.as_bytes(),
        )
        .await?;
    Ok((made, sealed))
}

/// Makes a key.
pub async fn create_key(ctx: &Ctx, new: &NewKey) -> Result<MadeKey> {
    let name = super::name(&new.name)?;
    let now = ctx.kernel().env().now();
    let expires_at = super::expiry(now, new.expires_in_days)?;
    let granted = super::granted(ctx.kernel(), &new.scopes, &[])?;
    open_to(ctx.kernel(), new.kind, &granted)?;
    if new.s3 && new.kind != KeyKind::Secret {
        return Err(
            Error::unprocessable("access.s3_needs_secret", "Only a secret key can be one for S3.")
                .hint("Make a secret key."),
        );
    }
    let id = ctx.kernel().env().new_id();
    // Before the transaction, as the first of an organisation makes a key.
    let signing = if new.s3 {
        Some(signing(ctx, id).await?)
    } else {
        None
    };
    let acting = Acting::begin::<KeysManage>(ctx, "new key").await?;
    let (env, org, tx) = (acting.env(), acting.org(), acting.tx());
    super::require(&acting, granted.iter().copied())?;
    included(&acting.locked, Feature::ApiKeys)?;
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.api_keys k where k.org_id = $1 and k.kind <> 'personal' \
             and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)",
            &[&org, &now],
        )
        .await?
        .try_get(0)?;
    if count >= MAX_KEYS {
        return Err(Error::unprocessable(
            "access.too_many",
            format!("An organisation has at most {MAX_KEYS} keys at a time."),
        )
        .hint("Revoke one that is not needed any more."));
    }
    let kind = match new.kind {
        KeyKind::Publishable => Kind::Publishable,
        KeyKind::Secret => Kind::Secret,
    };
    let secret = NewSecret::generate(env, kind);
    let scopes: Vec<&str> = granted.iter().copied().collect();
    tx.execute(
        "insert into tenancy.api_keys (id, kind, org_id, name, prefix, secret_hash, scopes, permissions, created_by, created_at, \
         expires_at) select $1, $2, o.id, $4, $5, $6, $7, tenancy.without_apps($8, o.disabled_apps), $9, $10, $11 \
         from tenancy.organizations o where o.id = $3",
        &[
            &id,
            &kind.as_str(),
            &org,
            &name,
            &secret.shown,
            &secret.hash,
            &scopes,
            &model::join(scopes.iter().copied()),
            &ctx.user_id(),
            &now,
            &expires_at,
        ],
    )
    .await?;
    if let Some((_, sealed)) = &signing {
        tx.execute(
            "insert into tenancy.s3_secrets (key_id, sealed) values ($1, $2)",
            &[&id, sealed],
        )
        .await?;
    }
    let payload = json!({
        "name": name, "kind": kind.as_str(), "scopes": scopes, "expires_at": expires_at, "s3": new.s3,
    });
    acting
        .emit(&Event::new("access.key_created", id, payload))
        .await?;
    acting.commit().await?;
    Ok(MadeKey {
        id,
        secret: secret.text,
        s3: signing.map(|(signing, _)| (signing.access_key, signing.secret)),
    })
}
