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
    /// The virus scanner.
    pub scan: StorageScan,
    /// Pictures made anew on their way out.
    pub render: StorageRender,
    /// The S3 protocol, as it is served.
    pub protocol: StorageProtocol,
    /// Largest object in bytes; a bucket may have a smaller limit of its own.
    pub max_file_bytes: u64,
    /// Bytes of all objects of an organisation, unless the operator settled another number for it; 0: no limit.
    pub organization_bytes: u64,
    /// Seconds that a token for one upload is good.
    pub signed_upload_seconds: i64,
    /// Seconds that content stays after its row went, for whoever reads it at that moment.
    pub discard_seconds: i64,
    /// Hours in which a resumable upload has to be finished.
    pub resumable_hours: i64,
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

/// The S3 protocol at `/storage/v1/s3`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageProtocol {
    /// The region that clients sign for and are told.
    pub region: String,
    /// A program of the operator's; empty: there is none.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// The key of people, who send their access token as the session token beside it.
    pub session_key_id: String,
    /// Its secret, which everybody may know; empty: the publishable key.
    pub session_secret: String,
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

/// A virus scanner that every file passes before it is one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageScan {
    /// clamd, `tcp://host:port` or `unix:///path`; empty: files are not scanned.
    pub clamd: String,
    /// A file that could not be scanned is refused.
    pub required: bool,
    /// Seconds for the scanner's word on a file after its last byte.
    pub timeout_seconds: u64,
}

/// Pictures made anew on their way out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageRender {
    /// Whether there are any.
    pub enabled: bool,
    /// The largest file that is transformed, in bytes.
    pub max_source_bytes: u64,
    /// The most pixels of one.
    pub max_source_pixels: u64,
    /// How many are made at once; 0: half as many as there are cores.
    pub at_once: usize,
    /// Bytes of memory for pictures that were asked for lately.
    pub cache_bytes: u64,
}
