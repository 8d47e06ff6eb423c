//! The operator's own words in mails.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// Words by the name of the mail: `confirmation`, `invite`, `magic_link`, `recovery`, `email_change`, `reauthentication` and the notices.
pub type Mails = BTreeMap<String, MailTemplate>;

/// One mail's words, and those for readers of other languages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailTemplate {
    /// The subject; empty: Tenon's own.
    pub subject: String,
    /// The body as HTML; empty: Tenon's own.
    pub content: String,
    /// A file with the body instead.
    pub content_path: PathBuf,
    /// By language, as `de`; what is empty there is as above.
    pub languages: BTreeMap<String, MailWords>,
}

/// Words in one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailWords {
    /// The subject.
    pub subject: String,
    /// The body as HTML.
    pub content: String,
    /// A file with the body instead.
    pub content_path: PathBuf,
}
