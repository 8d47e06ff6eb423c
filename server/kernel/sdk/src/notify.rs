//! Telling people: what happened, in the transaction in which it did, by the channels that each of them wants.
//!
//! A module declares the kinds of notifications it has ([`NotificationKind`], in its manifest); whoever has something to tell names one
//! ([`Notification`]) and hands it to [`TenantTx::notify`]. The notifications service finds out who is meant, in which language, by which
//! channels and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    db::{SystemTx, TenantTx},
    env::Env,
    error::{Error, Result},
    ids::{OrgId, UserId},
};

/// The name of the job that carries a notification to its recipients.
pub const SPREAD: &str = "notifications.spread";
/// Attempts of that job.
pub const SPREAD_ATTEMPTS: i32 = 10;
/// Letters of one value that are kept: names of files and people, not contents.
const LONGEST: usize = 300;
/// Values of one notification.
const MOST_VALUES: usize = 20;
/// People that one notification names; more are meant by a permission.
const MOST_PEOPLE: usize = 1000;

/// How somebody hears of something.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// In the app, at once.
    App,
    /// By mail.
    Mail,
    /// By text message.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::App, Self::Mail, Self::Sms];

    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }
}

/// A kind of notification, as its module declares it.
#[derive(Clone, Copy, Debug)]
pub struct NotificationKind {
    /// `app.thing`, stable: people's choices are kept by it.
    pub name: &'static str,
    /// The channels of those who chose nothing.
    pub channels: &'static [Channel],
    /// Whether people may switch it off.
    pub optional: bool,
    /// Whether its mails may wait for a digest.
    pub digestable: bool,
    /// Whether it does not wait for the end of anybody's quiet hours.
    pub urgent: bool,
    /// Its words, the first for everybody whose language is not among them.
    pub words: &'static [KindWords],
}

impl NotificationKind {
    /// The words in a language, or in the first there are.
    pub fn words(&self, language: &str) -> &'static KindWords {
        static NONE: KindWords = KindWords::NONE;
        let known = self.words.iter().find(|words| words.language == language);
        known.or(self.words.first()).unwrap_or(&NONE)
    }
}

/// What a kind says in one language. `{name}` in title and body stands for a value of the notification.
#[derive(Clone, Copy, Debug)]
pub struct KindWords {
    /// Such as `en`.
    pub language: &'static str,
    /// What the kind is called where people choose.
    pub label: &'static str,
    /// The subject of a mail, the first line elsewhere.
    pub title: &'static str,
    /// One or two sentences.
    pub body: &'static str,
    /// The words on the button that leads to the link.
    pub action: &'static str,
}

impl KindWords {
    const NONE: Self = Self {
        language: "en",
        label: "",
        title: "",
        body: "",
        action: "",
    };

    /// Title and body with the values in their places. What is no value stays as it is.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> (String, String) {
        (fill(self.title, values), fill(self.body, values))
    }
}

/// Puts values in the places of `{name}`. A value is never looked into for further places.
fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let place = after.split_once('}');
        if let Some((value, behind)) = place.and_then(|(name, behind)| Some((values.get(name)?, behind))) {
            filled.push_str(value);
            rest = behind;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled + rest
}

/// Something to tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The kind's name.
    pub kind: String,
    /// Values for the places in its words. No secrets: they are kept with what people were told.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Where it leads, below the organisation's address, such as `/imports/<id>`.
    #[serde(default)]
    pub link: Option<String>,
    /// People; who is no member of the organisation hears nothing.
    #[serde(default)]
    pub people: Vec<UserId>,
    /// Everybody in the organisation who has this permission.
    #[serde(default)]
    pub permission: Option<String>,
    /// Members with these roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// An address outside of the organisation, which gets a mail.
    #[serde(default)]
    pub address: Option<String>,
    /// Who hears nothing of it, since they did it themselves.
    #[serde(default)]
    pub except: Option<UserId>,
}

impl Notification {
    /// A notification of a kind, to nobody yet.
    pub fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    /// A value for the words: in one line, and shortened if it is long.
    #[must_use]
    pub fn value(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.values.insert(name.to_owned(), one_line(&value.to_string()));
        self
    }

    /// Where it leads, below the organisation's address.
    #[must_use]
    pub fn link(mut self, path: impl Into<String>) -> Self {
        self.link = Some(path.into());
        self
    }

    /// To a person.
    #[must_use]
    pub fn to(mut self, user: UserId) -> Self {
        self.people.push(user);
        self
    }

    /// To everybody in the organisation who has a permission.
    #[must_use]
    pub fn to_permission(mut self, permission: &str) -> Self {
        self.permission = Some(permission.to_owned());
        self
    }

    /// To all members of a role.
    #[must_use]
    pub fn to_role(mut self, role: crate::permission::Role) -> Self {
        self.roles.push(role.as_str().to_owned());
        self
    }

    /// To an address outside of the organisation, by mail.
    #[must_use]
    pub fn to_address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// Not to whoever did it.
    #[must_use]
    pub const fn except(mut self, user: Option<UserId>) -> Self {
        self.except = user;
        self
    }

    fn check(&self) -> Result<()> {
        let odd_link = |link: &String| {
            !link.starts_with('/')
                || link.starts_with("//")
                || link.len() > 500
                || link.contains(char::is_control)
        };
        if self.values.len() > MOST_VALUES
            || self.people.len() > MOST_PEOPLE
            || self.link.as_ref().is_some_and(odd_link)
        {
            return Err(Error::internal(format!(
                "the notification {} has too many values or people, or a link that is none",
                self.kind
            )));
        }
        Ok(())
    }
}

/// A value as it may stand in a subject: no line breaks or other control characters, nothing that turns the direction of what stands
/// around it, and not too long.
fn one_line(text: &str) -> String {
    let tame = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns {
            ' '
        } else {
            c
        }
    };
    let mut line: String = text.chars().take(LONGEST).map(tame).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line.trim().to_owned()
}

impl TenantTx {
    /// Tells people, if this transaction commits, and only then. Who is meant is looked at right after the commit.
    ///
    /// Errors: internal, for a notification that is too large.
    pub async fn notify(&self, notification: &Notification) -> Result<()> {
        notification.check()?;
        let payload = serde_json::to_value(notification).map_err(Error::internal)?;
        self.query(
            "select jobs.enqueue_all($1, $2, array[$3::uuid], array[$4::jsonb], array[null::text], array[0::float8], \
             array[0::int2], array[null::text], array[null::int], array[null::int], array[null::float8])",
            &[&SPREAD, &SPREAD_ATTEMPTS, &self.env().new_id(), &payload],
        )
        .await
        .map(drop)
    }
}

impl SystemTx {
    /// Tells people of an organisation, if this transaction commits, and only then.
    ///
    /// Errors: internal, for a notification that is too large.
    pub async fn notify(
        &self,
        env: &Env,
        org: OrgId,
        actor: Option<UserId>,
        notification: &Notification,
    ) -> Result<()> {
        notification.check()?;
        let payload = serde_json::to_value(notification).map_err(Error::internal)?;
        self.query(
            "select jobs.enqueue_in($1, $2, $3, $4, array[$5::uuid], array[$6::jsonb], array[null::text], array[0::float8], \
             array[0::int2], array[null::text], array[null::int], array[null::int], array[null::float8])",
            &[&org, &actor, &SPREAD, &SPREAD_ATTEMPTS, &env.new_id(), &payload],
        )
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn values_stand_in_their_places_and_are_not_looked_into() {
        let all = values(&[("file", "{rows} {file}"), ("rows", "7")]);
        assert_eq!(fill("{rows} of {file}.", &all), "7 of {rows} {file}.");
        assert_eq!(fill("{gone} {", &all), "{gone} {");
        assert_eq!(fill("}{rows}{", &all), "}7{");
        assert_eq!(fill("", &all), "");
    }

    #[test]
    fn a_value_is_one_line_of_bounded_length_and_turns_nothing_around() {
        assert_eq!(one_line("a\r\nBcc: b@example.com"), "a  Bcc: b@example.com");
        assert_eq!(one_line("\u{202e}exe.pdf\u{2066}\0"), "exe.pdf");
        assert_eq!(one_line("مرحبا بالعالم"), "مرحبا بالعالم");
        assert_eq!(one_line(&"é".repeat(9000)).chars().count(), LONGEST + 1);
        assert_eq!(one_line(""), "");
    }

    #[test]
    fn a_notification_leads_nowhere_outside() {
        for bad in ["https://evil.example", "//evil.example", "x", "", "/a\r\nb"] {
            assert!(Notification::new("a.b").link(bad).check().is_err(), "{bad:?}");
        }
        assert!(Notification::new("a.b").link("/imports/1").check().is_ok());
    }
}
