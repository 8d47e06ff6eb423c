//! Endpoints as the API says and takes them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An address that is told what happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Endpoint {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Kinds of events: exact, all of a module as `purchasing.*`, or `*`.
    #[schema(example = json!(["purchasing.*"]))]
    pub events: Vec<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Why it is not: `person`, `gone` (it answered 410), `failing` (it has taken nothing for days).
    pub disabled_because: Option<String>,
    /// Since when it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Timestamp>,
    /// Its first failure since it took something.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Until when a secret that was replaced signs, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_secret_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// What a new endpoint is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// The address, beginning with `https://`.
    #[schema(example = "https://example.com/hooks/tenon", max_length = 2000)]
    pub url: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: String,
    /// Kinds of events, 50 at most.
    #[schema(example = json!(["purchasing.*"]))]
    pub events: Vec<String>,
}

/// What changes of an endpoint; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedEndpoint {
    /// The address.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Kinds of events.
    pub events: Option<Vec<String>>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// An endpoint that was made. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeEndpoint {
    /// Its id.
    pub id: Uuid,
    /// What its messages are signed with.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// How a secret is replaced.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Hours that the old one signs beside the new one, at most 168; 24 unless said otherwise, 0 if it has leaked.
    pub keep_hours: Option<u32>,
}

/// A new secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedSecret {
    /// What messages are signed with from now on.
    pub secret: String,
    /// Until when the old one signs, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_secret_until: Option<Timestamp>,
}
