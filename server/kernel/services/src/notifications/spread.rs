//! The job that carries a notification to those who are meant: looks up who they are and what they chose, writes what the bell shows, puts
//! mails and text messages into the queue. All of it is one transaction with the job's end, so that it happens once.

use std::collections::{BTreeMap, HashMap};

use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Error, Kernel, Result, TenantTx, UserId,
    db::EnqueueOptions,
    jobs::{Job, JobCtx},
    notify::{Channel, KindWords, Notification, NotificationKind, SPREAD, SPREAD_ATTEMPTS},
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    TOPIC,
    digest::Digest,
    hours::{DigestTime, Quiet, zone},
    letter::{Item, Letter},
    outgoing::{Draft, put},
    people::{Mode, language, mode},
};

/// Notices are shown for so long; older ones of the same people go when new ones come.
const KEPT_DAYS: i64 = 180;
/// Recipients that one statement writes to.
const AT_ONCE: usize = 500;
/// A text message is cut to this many characters: three parts of one in GSM letters.
const LONGEST_TEXT: usize = 450;

/// Carries a notification to its recipients.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Spread(Notification);

impl Job for Spread {
    const NAME: &'static str = SPREAD;
    const MAX_ATTEMPTS: i32 = SPREAD_ATTEMPTS;

    async fn run(self, job: JobCtx) -> Result<()> {
        let notification = self.0;
        let kind = kind_of(job.kernel(), &notification.kind).ok_or_else(|| {
            Error::internal(format!(
                "no module declares the notification {}",
                notification.kind
            ))
        })?;
        let tx = job.ctx().begin().await?;
        let sender = Sender::of(&tx).await?;
        let recipients = recipients(&tx, &notification).await?;
        for some in recipients.chunks(AT_ONCE) {
            Telling {
                kernel: job.kernel(),
                tx: &tx,
                sender: &sender,
                kind,
                notification: &notification,
                letters: HashMap::new(),
            }
            .tell(some)
            .await?;
        }
        if let Some(address) = &notification.address {
            to_address(job.kernel(), &tx, &sender, kind, &notification, address).await?;
        }
        job.finish(tx).await
    }
}

/// A kind by its name.
pub(super) fn kind_of(kernel: &Kernel, name: &str) -> Option<&'static NotificationKind> {
    kernel
        .notifications()
        .map(|(_, kind)| kind)
        .find(|kind| kind.name == name)
}

/// The organisation as messages name it.
pub(super) struct Sender {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) language: String,
}

impl Sender {
    pub(super) async fn of(tx: &TenantTx) -> Result<Self> {
        let row = tx
            .query_one("select name, slug, language from notifications.sender()", &[])
            .await?;
        Ok(Self {
            name: row.try_get(0)?,
            slug: row.try_get(1)?,
            language: row.try_get(2)?,
        })
    }

    /// The address of a page below the organisation.
    pub(super) fn url(&self, kernel: &Kernel, link: Option<&str>) -> String {
        let site = &kernel.config().server.site_url;
        link.map_or_else(String::new, |link| format!("{site}/o/{}{link}", self.slug))
    }
}

/// Where people choose what they are told.
pub(super) fn settings_url(kernel: &Kernel) -> String {
    format!("{}/account/notifications", kernel.config().server.site_url)
}

/// Somebody who is meant, and what they chose.
struct Recipient {
    user: UserId,
    email: Option<String>,
    phone: Option<String>,
    locale: Option<String>,
    zone: String,
    quiet: Option<Quiet>,
    digest: DigestTime,
    modes: BTreeMap<Channel, Mode>,
}

impl Recipient {
    fn from_row(row: &Row) -> Result<Self> {
        let (from, until): (Option<Time>, Option<Time>) = (row.try_get(5)?, row.try_get(6)?);
        let mut modes = BTreeMap::new();
        for (index, channel) in Channel::ALL.into_iter().enumerate() {
            let chosen: Option<String> = row.try_get(10 + index)?;
            if let Some(mode) = chosen.as_deref().and_then(Mode::parse) {
                modes.insert(channel, mode);
            }
        }
        Ok(Self {
            user: row.try_get(0)?,
            email: row.try_get(1)?,
            phone: row.try_get(2)?,
            locale: row.try_get(3)?,
            zone: row.try_get(4)?,
            quiet: from.zip(until).map(|(from, until)| Quiet { from, until }),
            digest: DigestTime {
                weekly: row.try_get::<_, String>(7)? == "weekly",
                hour: row.try_get(8)?,
                weekday: row.try_get(9)?,
            },
            modes,
        })
    }

    /// When a message may go to them.
    fn due(&self, kind: &NotificationKind, now: Timestamp) -> Timestamp {
        if kind.urgent {
            return now;
        }
        let end = self.quiet.and_then(|quiet| quiet.end(now, &zone(&self.zone)));
        end.unwrap_or(now)
    }
}

async fn recipients(tx: &TenantTx, notification: &Notification) -> Result<Vec<Recipient>> {
    let Notification {
        kind,
        people,
        permission,
        roles,
        except,
        ..
    } = notification;
    if people.is_empty() && permission.is_none() && roles.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx
        .query(
            "select * from notifications.recipients($1, $2, $3, $4, $5)",
            &[kind, people, permission, roles, except],
        )
        .await?;
    rows.iter().map(Recipient::from_row).collect()
}

/// What is told to some of the recipients.
struct Telling<'a> {
    kernel: &'a Kernel,
    tx: &'a TenantTx,
    sender: &'a Sender,
    kind: &'static NotificationKind,
    notification: &'a Notification,
    /// Mails by language: all who read it get the same.
    letters: HashMap<&'static str, (String, String, String)>,
}

/// Rows of `notifications.notices`, column by column.
#[derive(Default)]
struct Notices {
    ids: Vec<Uuid>,
    users: Vec<UserId>,
    titles: Vec<String>,
    bodies: Vec<String>,
    actions: Vec<&'static str>,
    languages: Vec<&'static str>,
    shown: Vec<bool>,
    digest_at: Vec<Option<Timestamp>>,
}

impl Telling<'_> {
    fn words(&self, language: &str) -> (&'static KindWords, String, String) {
        let words = self.kind.words(language);
        let (title, body) = words.fill(&self.notification.values);
        (words, title, body)
    }

    async fn tell(mut self, recipients: &[Recipient]) -> Result<()> {
        let now = self.kernel.env().now();
        let (mut notices, mut drafts, mut digests) = (Notices::default(), Vec::new(), Vec::new());
        for person in recipients {
            let mode = |channel| mode(self.kind, channel, person.modes.get(&channel).copied());
            let (app, mail, sms) = (mode(Channel::App), mode(Channel::Mail), mode(Channel::Sms));
            let language = language(person.locale.as_deref().unwrap_or(&self.sender.language));
            let (words, title, body) = self.words(language);
            let id = self.kernel.env().new_id();
            let digest_at = (mail == Mode::Digest && person.email.is_some())
                .then(|| person.digest.after(now, &person.zone));
            if app == Mode::Now || digest_at.is_some() {
                notices.ids.push(id);
                notices.users.push(person.user);
                notices.titles.push(title.clone());
                notices.bodies.push(body.clone());
                notices.actions.push(words.action);
                notices.languages.push(words.language);
                notices.shown.push(app == Mode::Now);
                notices.digest_at.push(digest_at);
            }
            digests.extend(digest_at.map(|at| Digest {
                user: person.user,
                until: at,
            }));
            let due = person.due(self.kind, now);
            if let (Mode::Now, Some(email)) = (mail, &person.email) {
                let (subject, text, html) = self.letter(language)?;
                let mut draft = Draft::mail(self.kind.name, email, &subject, text, html, due);
                (draft.user, draft.notice) = (Some(person.user), Some(id));
                drafts.push(draft);
            }
            if let (Mode::Now, Some(phone)) = (sms, &person.phone) {
                let url = self.sender.url(self.kernel, self.notification.link.as_deref());
                let mut draft = Draft::sms(self.kind.name, phone, short(&title, &url), due);
                (draft.user, draft.notice) = (Some(person.user), Some(id));
                drafts.push(draft);
            }
        }
        self.write(&notices, now).await?;
        put(self.kernel, self.tx, drafts).await?;
        for digest in digests {
            digest.enqueue(self.tx, now).await?;
        }
        Ok(())
    }

    async fn write(&self, notices: &Notices, now: Timestamp) -> Result<()> {
        let (tx, org) = (self.tx, self.tx.org_id());
        tx.execute(
            "insert into notifications.notices (org_id, kind, link, created_at, id, user_id, title, body, action, language, \
             shown, digest_at) select $1, $2, $3, $4, n.* from unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], \
             $9::text[], $10::text[], $11::bool[], $12::timestamptz[]) n",
            &[
                &org,
                &self.kind.name,
                &self.notification.link,
                &now,
                &notices.ids,
                &notices.users,
                &notices.titles,
                &notices.bodies,
                &notices.actions,
                &notices.languages,
                &notices.shown,
                &notices.digest_at,
            ],
        )
        .await?;
        let before = now - jiff::SignedDuration::from_hours(24 * KEPT_DAYS);
        tx.execute(
            "delete from notifications.notices where org_id = $1 and user_id = any($2) and created_at < $3",
            &[&org, &notices.users, &before],
        )
        .await?;
        let shown = notices
            .users
            .iter()
            .zip(&notices.shown)
            .filter(|(_, shown)| **shown);
        let topics = shown.map(|(user, _)| topic(*user));
        tx.publish(topics, "notice", &serde_json::json!({})).await
    }

    /// Subject and bodies of the mail in a language.
    fn letter(&mut self, language: &'static str) -> Result<(String, String, String)> {
        if let Some(letter) = self.letters.get(language) {
            return Ok(letter.clone());
        }
        let (words, title, body) = self.words(language);
        let url = self.sender.url(self.kernel, self.notification.link.as_deref());
        let letter = Letter {
            language: words.language,
            organization: &self.sender.name,
            title: &title,
            items: vec![Item {
                title: "",
                body: &body,
                action: words.action,
                url: &url,
            }],
            settings: &settings_url(self.kernel),
        };
        let written = (title.clone(), letter.text(), letter.html()?);
        self.letters.insert(language, written.clone());
        Ok(written)
    }
}

/// A mail to somebody who has no account here: in the organisation's language, and without what only members can open.
async fn to_address(
    kernel: &Kernel,
    tx: &TenantTx,
    sender: &Sender,
    kind: &NotificationKind,
    notification: &Notification,
    address: &str,
) -> Result<()> {
    let words = kind.words(language(&sender.language));
    let (title, body) = words.fill(&notification.values);
    let letter = Letter {
        language: words.language,
        organization: &sender.name,
        title: &title,
        items: vec![Item {
            body: &body,
            ..Item::default()
        }],
        settings: "",
    };
    let (text, html) = (letter.text(), letter.html()?);
    let now = kernel.env().now();
    let draft = Draft::mail(kind.name, address, &title, text, html, now);
    put(kernel, tx, vec![draft]).await
}

/// The topic under which a person's browsers hear that there is something new.
pub(super) fn topic(user: UserId) -> String {
    format!("{TOPIC}:{}", user.0)
}

/// A text message: the title, and where it leads.
fn short(title: &str, url: &str) -> String {
    let room = LONGEST_TEXT.saturating_sub(url.chars().count() + 1);
    let title: String = title.chars().take(room).collect();
    format!("{title} {url}").trim().to_owned()
}

impl Digest {
    /// Enqueues the digest for its time, unless it is enqueued already.
    async fn enqueue(&self, tx: &TenantTx, now: Timestamp) -> Result<()> {
        let options = EnqueueOptions {
            unique_key: Some(format!("{}:{}", self.user.0, self.until)),
            delay: std::time::Duration::try_from(self.until.duration_since(now)).unwrap_or_default(),
            ..EnqueueOptions::default()
        };
        tx.enqueue_with(self, options).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_message_keeps_its_link_however_long_its_title() {
        let url = "https://x.example/o/hafen/imports/1";
        assert_eq!(short("Fertig", url), format!("Fertig {url}"));
        let long = short(&"ß".repeat(9000), url);
        assert!(long.ends_with(url) && long.chars().count() == LONGEST_TEXT);
        assert_eq!(short("Fertig", ""), "Fertig");
    }
}
