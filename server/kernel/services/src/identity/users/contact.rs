//! What somebody signs up with: an address or a number. What differs between the two stands here alone.

use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};

use super::{COLUMNS, User};

/// An address or a number in its stored form.
#[derive(Clone, Copy, Debug)]
pub(in crate::identity) enum Contact<'a> {
    /// An e-mail address.
    Email(&'a str),
    /// A telephone number.
    Phone(&'a str),
}

impl<'a> Contact<'a> {
    /// The way in, which the column of `auth.users` is called after.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// The address or number.
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// `app_metadata` of somebody who signed up with it.
    pub(super) fn app_metadata(self) -> Value {
        json!({ "provider": self.name(), "providers": [self.name()] })
    }

    /// Whoever has it. With `locked` nobody changes them until the end of `tx`.
    pub(in crate::identity) async fn holder(self, tx: &SystemTx, locked: bool) -> Result<Option<User>> {
        let lock = if locked { " for update" } else { "" };
        let sql = format!(
            "select {COLUMNS} from auth.users where {} = $1{lock}",
            self.name()
        );
        let row = tx.query_opt(&sql, &[&self.text()]).await?;
        row.as_ref().map(User::from_row).transpose()
    }
}

impl User {
    /// Whether the account is nothing but a sign-up with `contact` that nobody has answered yet, so that whoever shows that the contact
    /// is theirs may have it. An account that the operator made or asked somebody to, or that anybody has been in, is taken.
    pub(in crate::identity) fn unclaimed(&self, contact: Contact<'_>) -> bool {
        let another = match contact {
            Contact::Email(_) => &self.phone,
            Contact::Phone(_) => &self.email,
        };
        another.is_none()
            && !self.came_in()
            && self.invited_at.is_none()
            && self.banned_until.is_none()
            && self.about.app == contact.app_metadata()
    }

    /// Whether anybody has shown that the account is theirs, or been in it.
    pub(in crate::identity) const fn came_in(&self) -> bool {
        self.confirmed() || self.phone_confirmed() || self.last_sign_in_at.is_some()
    }
}
