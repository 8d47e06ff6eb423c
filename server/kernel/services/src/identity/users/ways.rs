//! What an account says of the ways into it.

use jiff::Timestamp;
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

/// Brings `app_metadata.provider` and `.providers` in line with the ways in there are, the oldest first. The provider stays as it
/// is while it is among them.
pub(in crate::identity) async fn keep_providers(tx: &SystemTx, user: Uuid, now: Timestamp) -> Result<()> {
    tx.execute(
        "update auth.users u set updated_at = $2, raw_app_meta_data = u.raw_app_meta_data || jsonb_build_object( \
         'provider', case when u.raw_app_meta_data ->> 'provider' = any(p.names) \
             then u.raw_app_meta_data ->> 'provider' else p.names[1] end, \
         'providers', to_jsonb(p.names)) \
         from (select array_agg(provider order by since, provider) as names \
             from (select provider, min(created_at) as since from auth.identities where user_id = $1 \
                 group by provider) each) p \
         where u.id = $1 and p.names is not null",
        &[&user, &now],
    )
    .await
    .map(drop)
}
