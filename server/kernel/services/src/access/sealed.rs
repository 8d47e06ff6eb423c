//! What keys sign with that S3 clients use: a signature is checked by making it again, so a hash would not do.

use tenon_sdk::secrets::SealedColumn;

/// Sealed with a key of the organisation that the key is one of.
pub(super) const S3_SECRETS: SealedColumn = SealedColumn {
    table: "tenancy.s3_secrets",
    column: "sealed",
    row: "key_id::text",
    org: "(select k.org_id from tenancy.api_keys k where k.id = key_id)",
    purpose: "access.s3_secrets",
    before: Some("secret"),
};
