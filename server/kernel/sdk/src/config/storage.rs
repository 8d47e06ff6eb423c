//! Files.

use std::path::PathBuf;

use serde::Deserialize;

use super::Secret;

/// Where files are kept, and how much of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Which back end keeps the bytes.
    pub backend: StorageBackend,
    /// The folder of the local one; empty: `storage` in the data directory.
    pub folder: PathBuf,
    /// The S3 service.
    pub s3: StorageS3,
    /// Largest object in bytes; a bucket may have a smaller limit of its own.
    pub max_file_bytes: u64,
    /// Bytes of all objects of an organisation, unless the operator settled another number for it; 0: no limit.
    pub organization_bytes: u64,
    /// Seconds that a token for one upload is good.
    pub signed_upload_seconds: i64,
    /// Seconds that content stays after its row went, for whoever reads it at that moment.
    pub discard_seconds: i64,
    /// Hours after which content that no row names is swept, and an upload in parts is given up.
    pub orphan_hours: i64,
}

/// What keeps the bytes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageBackend {
    /// A folder of this machine's.
    Local,
    /// An S3 service.
    S3,
}

/// An S3 service and a bucket in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageS3 {
    /// Its address; empty: that of AWS for the region.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket, which is there and Tenon's alone below the prefix.
    pub bucket: String,
    /// What all keys in the bucket begin with; empty: nothing.
    pub prefix: String,
    /// The access key; empty: the role of the machine.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// The bucket stands in the path, not in the name of the host.
    pub path_style: bool,
}
