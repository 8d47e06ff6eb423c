//! What a request asks of the version that is there.

use s3s::{S3Result, dto::ETagCondition, s3_error};

use super::answers::{at, etag};
use crate::model::Object;

/// What a request asks of the version that is there.
pub(super) struct Conditions {
    pub(super) is: Option<ETagCondition>,
    pub(super) is_not: Option<ETagCondition>,
    pub(super) changed_since: Option<s3s::dto::Timestamp>,
    pub(super) unchanged_since: Option<s3s::dto::Timestamp>,
}

impl Conditions {
    /// Whether it may go on; `false` if the client has what is there.
    pub(super) fn hold(&self, object: &Object) -> S3Result<bool> {
        let own = etag(object.etag());
        let names = |condition: &ETagCondition, weakly: bool| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(tag) if weakly => tag.weak_cmp(&own),
            ETagCondition::ETag(tag) => tag.strong_cmp(&own),
        };
        let modified = at(object.modified());
        let kept = match (&self.is, &self.unchanged_since) {
            (Some(tag), _) => names(tag, false),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !kept {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(match (&self.is_not, &self.changed_since) {
            (Some(tag), _) => !names(tag, true),
            (None, Some(since)) => modified > *since,
            (None, None) => true,
        })
    }
}
