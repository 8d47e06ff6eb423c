//! One mail for many notices: the job that collects what waits for a person's digest.

use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Result, UserId,
    jobs::{Job, JobCtx},
};

use super::{
    hours::{Quiet, zone},
    letter::{Item, Letter},
    outgoing::{Draft, put},
    people::language,
    spread::{Sender, settings_url},
};

/// Notices of one mail; what is beyond is counted.
const MOST: usize = 50;

/// Sends a person's digest: what has waited for it until a moment.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Digest {
    pub(super) user: UserId,
    /// What was put back until then, or sooner.
    pub(super) until: Timestamp,
}

struct Words {
    title: &'static str,
    more: &'static str,
    open: &'static str,
}

fn words(language: &str) -> Words {
    match language {
        "de" => Words {
            title: "Was es Neues gibt",
            more: "Und weitere:",
            open: "Ansehen",
        },
        _ => Words {
            title: "What is new",
            more: "And more:",
            open: "Open",
        },
    }
}

impl Job for Digest {
    const NAME: &'static str = "notifications.digest";
    const MAX_ATTEMPTS: i32 = 10;

    async fn run(self, job: JobCtx) -> Result<()> {
        let (kernel, tx) = (job.kernel(), job.ctx().begin().await?);
        let org = tx.org_id();
        // Marked first, so that of two digests at once the second waits and finds nothing.
        let rows = tx
            .query(
                "with waiting as ( \
                    update notifications.notices set digested_at = $4 where org_id = $1 and user_id = $2 \
                    and digested_at is null and digest_at <= $3 returning id, title, body, link) \
                 select title, body, link from waiting order by id",
                &[&org, &self.user, &self.until, &kernel.env().now()],
            )
            .await?;
        // Who left meanwhile is told nothing.
        let person = tx
            .query_opt(
                "select email, locale, zone, quiet_from, quiet_until from notifications.recipients('', $1, null, '{}', null)",
                &[&[self.user].as_slice()],
            )
            .await?;
        let (Some(person), false) = (person, rows.is_empty()) else {
            return job.finish(tx).await;
        };
        let (email, locale): (Option<String>, Option<String>) = (person.try_get(0)?, person.try_get(1)?);
        let Some(email) = email else {
            return job.finish(tx).await;
        };
        let sender = Sender::of(&tx).await?;
        let language = language(locale.as_deref().unwrap_or(&sender.language));
        let words = words(language);
        let mut told: Vec<(String, String, String)> = Vec::new();
        for row in rows.iter().take(MOST) {
            let link: Option<String> = row.try_get(2)?;
            told.push((
                row.try_get(0)?,
                row.try_get(1)?,
                sender.url(kernel, link.as_deref()),
            ));
        }
        let more = match rows.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!("{} {more}", words.more),
        };
        let mut items: Vec<Item<'_>> = told
            .iter()
            .map(|(title, body, url)| Item {
                title,
                body,
                action: words.open,
                url,
            })
            .collect();
        if !more.is_empty() {
            items.push(Item {
                body: &more,
                ..Item::default()
            });
        }
        let letter = Letter {
            language,
            organization: &sender.name,
            title: words.title,
            items,
            settings: &settings_url(kernel),
        };
        let now = kernel.env().now();
        let (from, until): (Option<Time>, Option<Time>) = (person.try_get(3)?, person.try_get(4)?);
        let quiet = from.zip(until).map(|(from, until)| Quiet { from, until });
        let zone = zone(&person.try_get::<_, String>(2)?);
        let due = quiet.and_then(|quiet| quiet.end(now, &zone)).unwrap_or(now);
        let subject = format!("{}: {}", sender.name, words.title);
        let mut draft = Draft::mail(Self::NAME, &email, &subject, letter.text(), letter.html()?, due);
        draft.user = Some(self.user);
        put(kernel, &tx, vec![draft]).await?;
        job.finish(tx).await
    }
}
