//! What a person chose to be told, by kind and channel, and when they are left in peace. Theirs, whatever organisations they belong to.

use std::collections::BTreeMap;

use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenon_sdk::{
    Error, Kernel, Result, SystemTx, UserId,
    accounts::Accounts,
    notify::{Channel, NotificationKind},
};
use utoipa::ToSchema;

/// Languages there are texts in; the first is for everybody else.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// The language to write in, of one somebody named (`de-AT` is `de`).
pub(super) fn language(wanted: &str) -> &'static str {
    let wanted = wanted.get(..2).unwrap_or_default();
    LANGUAGES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(wanted))
        .unwrap_or(LANGUAGES[0])
}

/// When somebody hears of a kind by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Never.
    Off,
    /// When it happens; mails and text messages after quiet hours.
    Now,
    /// With others in one mail.
    Digest,
}

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Now => "now",
            Self::Digest => "digest",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Now, Self::Digest]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }
}

/// The mode that counts: what was chosen, where the kind lets people choose it.
pub(super) fn mode(kind: &NotificationKind, channel: Channel, chosen: Option<Mode>) -> Mode {
    let own = kind.channels.contains(&channel);
    let usual = if own { Mode::Now } else { Mode::Off };
    match chosen {
        Some(Mode::Off) if own && !kind.optional => usual,
        Some(Mode::Digest) if !kind.digestable || channel != Channel::Mail => usual,
        Some(mode) => mode,
        None => usual,
    }
}

/// A kind of notification, and what the person chose for it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KindChoice {
    /// Its name.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// The module that tells it.
    module: &'static str,
    /// Whether it may be switched off.
    optional: bool,
    /// Whether its mails may wait for a digest.
    digestable: bool,
    /// Whether it comes in quiet hours, too.
    urgent: bool,
    app: Mode,
    mail: Mode,
    sms: Mode,
}

/// What a person chose.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preferences {
    /// Their time zone, an IANA name; null: that of each organisation.
    zone: Option<String>,
    /// Hours in which mails and text messages wait, such as `22:00`; null: there are none.
    quiet_from: Option<String>,
    quiet_until: Option<String>,
    /// How often digests come.
    digest: DigestPace,
    /// The hour at which they do, from 0.
    digest_hour: i32,
    /// The day of weekly ones; 1 is Monday.
    digest_weekday: i32,
    /// Whether this installation sends mail.
    mail: bool,
    /// Whether it sends text messages, and the person has a number.
    sms: bool,
    kinds: Vec<KindChoice>,
}

/// How often digests come.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DigestPace {
    #[default]
    Daily,
    Weekly,
}

/// What a person chooses, as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPreferences {
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    quiet_from: Option<String>,
    #[serde(default)]
    quiet_until: Option<String>,
    #[serde(default)]
    digest: DigestPace,
    #[serde(default = "eight")]
    digest_hour: i32,
    #[serde(default = "monday")]
    digest_weekday: i32,
    /// By kind and channel; what is not named is as the kind has it.
    #[serde(default)]
    kinds: BTreeMap<String, BTreeMap<Channel, Mode>>,
}

const fn eight() -> i32 {
    8
}

const fn monday() -> i32 {
    1
}

fn refused(message: &str, details: impl std::fmt::Display) -> Error {
    Error::unprocessable("notifications.preferences_invalid", message).details(details.to_string())
}

fn time(text: &str) -> Result<Time> {
    let minute = (text.len() == 5).then(|| text.parse::<Time>().ok()).flatten();
    minute.ok_or_else(|| refused("This is no time of day.", "Times are written as 22:00."))
}

fn shown(time: Option<Time>) -> Option<String> {
    time.map(|time| time.strftime("%H:%M").to_string())
}

impl NewPreferences {
    fn check(&self, kernel: &Kernel) -> Result<()> {
        if let Some(zone) = &self.zone
            && (zone.len() > 100 || TimeZone::get(zone).is_err())
        {
            return Err(refused(
                "There is no such time zone.",
                "Zones are named as Europe/Berlin.",
            ));
        }
        if self.quiet_from.is_some() != self.quiet_until.is_some() {
            return Err(refused(
                "Quiet hours have a beginning and an end.",
                "Only one is there.",
            ));
        }
        if !(0..24).contains(&self.digest_hour) || !(1..=7).contains(&self.digest_weekday) {
            return Err(refused(
                "There is no such time for digests.",
                "Hours are 0 to 23, days 1 to 7.",
            ));
        }
        for (name, modes) in &self.kinds {
            let Some(kind) = super::spread::kind_of(kernel, name) else {
                return Err(refused("There is no such kind of notification.", name));
            };
            for (channel, chosen) in modes {
                if mode(kind, *channel, Some(*chosen)) != *chosen {
                    return Err(refused(
                        "This kind of notification cannot come so.",
                        format!("{name}, {}: {}", channel.as_str(), chosen.as_str()),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What a person chose; kinds are called in the language they read.
pub(super) async fn load(kernel: &Kernel, user: UserId, reads: &str) -> Result<Preferences> {
    let tx = SystemTx::begin(kernel.db(), "own notifications").await?;
    let person = tx
        .query_opt(
            "select zone, quiet_from, quiet_until, digest, digest_hour, digest_weekday from notifications.people where user_id = $1",
            &[&user],
        )
        .await?;
    let rows = tx
        .query(
            "select kind, channel, mode from notifications.preferences where user_id = $1",
            &[&user],
        )
        .await?;
    let has_phone: bool = tx
        .query_one(
            "select exists (select from auth.users where id = $1 and phone_confirmed_at is not null)",
            &[&user],
        )
        .await?
        .try_get(0)?;
    tx.commit().await?;
    let mut chosen: BTreeMap<(String, String), Mode> = BTreeMap::new();
    for row in rows {
        if let Some(mode) = Mode::parse(&row.try_get::<_, String>(2)?) {
            chosen.insert((row.try_get(0)?, row.try_get(1)?), mode);
        }
    }
    let kinds = kernel.notifications().map(|(module, kind)| {
        let by = |channel: Channel| {
            let key = (kind.name.to_owned(), channel.as_str().to_owned());
            mode(kind, channel, chosen.get(&key).copied())
        };
        KindChoice {
            name: kind.name,
            label: kind.words(language(reads)).label,
            module: module.name,
            optional: kind.optional,
            digestable: kind.digestable,
            urgent: kind.urgent,
            app: by(Channel::App),
            mail: by(Channel::Mail),
            sms: by(Channel::Sms),
        }
    });
    let config = kernel.config();
    let mut found = Preferences {
        zone: None,
        quiet_from: None,
        quiet_until: None,
        digest: DigestPace::Daily,
        digest_hour: eight(),
        digest_weekday: monday(),
        mail: config.mail.mailbox || config.mail.sends(),
        sms: has_phone
            && (config.auth.sms.provider.is_some() || (config.mail.mailbox && config.auth.sms.mailbox)),
        kinds: kinds.collect(),
    };
    if let Some(person) = person {
        found.zone = person.try_get(0)?;
        found.quiet_from = shown(person.try_get(1)?);
        found.quiet_until = shown(person.try_get(2)?);
        if person.try_get::<_, String>(3)? == "weekly" {
            found.digest = DigestPace::Weekly;
        }
        found.digest_hour = person.try_get(4)?;
        found.digest_weekday = person.try_get(5)?;
    }
    Ok(found)
}

/// Keeps what a person chooses, as a whole.
///
/// Errors: `notifications.preferences_invalid`.
pub(super) async fn save(kernel: &Kernel, user: UserId, new: &NewPreferences) -> Result<()> {
    new.check(kernel)?;
    let from = new.quiet_from.as_deref().map(time).transpose()?;
    let until = new.quiet_until.as_deref().map(time).transpose()?;
    let digest = match new.digest {
        DigestPace::Daily => "daily",
        DigestPace::Weekly => "weekly",
    };
    let chosen = new.kinds.iter().flat_map(|(kind, modes)| {
        let each = modes.iter();
        each.map(move |(channel, mode)| (kind.as_str(), channel.as_str(), mode.as_str()))
    });
    let (mut kinds, mut channels, mut modes) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, channel, mode) in chosen {
        kinds.push(kind);
        channels.push(channel);
        modes.push(mode);
    }
    let tx = SystemTx::begin(kernel.db(), "own notifications").await?;
    tx.execute(
        "insert into notifications.people (user_id, zone, quiet_from, quiet_until, digest, digest_hour, digest_weekday) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (user_id) do update set zone = excluded.zone, \
         quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, digest = excluded.digest, \
         digest_hour = excluded.digest_hour, digest_weekday = excluded.digest_weekday",
        &[
            &user,
            &new.zone,
            &from,
            &until,
            &digest,
            &new.digest_hour,
            &new.digest_weekday,
        ],
    )
    .await?;
    tx.execute(
        "delete from notifications.preferences where user_id = $1",
        &[&user],
    )
    .await?;
    tx.execute(
        "insert into notifications.preferences (user_id, kind, channel, mode) \
         select $1, c.* from unnest($2::text[], $3::text[], $4::text[]) c",
        &[&user, &kinds, &channels, &modes],
    )
    .await?;
    tx.commit().await
}

/// What is kept of people here, beside the notices of each organisation.
pub(super) struct Choices;

#[async_trait::async_trait]
impl Accounts for Choices {
    async fn end(&self, _: &Kernel, tx: &SystemTx, user: UserId) -> Result<()> {
        for table in ["people", "preferences"] {
            tx.execute(
                &format!("delete from notifications.{table} where user_id = $1"),
                &[&user],
            )
            .await?;
        }
        // Whether a message arrived stays on record, not whose it was.
        tx.execute(
            "update notifications.messages set user_id = null, recipient = '', body_text = '', body_html = '', \
             state = case when state = 'queued' then 'failed' else state end, \
             error = case when state = 'queued' then 'the account ended' else error end where user_id = $1",
            &[&user],
        )
        .await
        .map(drop)
    }

    async fn export(&self, kernel: &Kernel, user: UserId) -> Result<Map<String, Value>> {
        let tx = SystemTx::begin(kernel.db(), "what notifications keep of a person").await?;
        let row = tx
            .query_one(
                "select (select to_jsonb(p) - 'user_id' from notifications.people p where p.user_id = $1), \
                 (select coalesce(jsonb_agg(to_jsonb(f) - 'user_id' order by f.kind, f.channel), '[]') \
                    from notifications.preferences f where f.user_id = $1), \
                 (select coalesce(jsonb_agg(jsonb_build_object('kind', m.kind, 'channel', m.channel, 'state', m.state, \
                    'created_at', m.created_at, 'sent_at', m.sent_at) order by m.created_at), '[]') \
                    from notifications.messages m where m.user_id = $1)",
                &[&user],
            )
            .await?;
        tx.commit().await?;
        Ok(Map::from_iter([
            (
                "notification_hours".to_owned(),
                row.try_get::<_, Option<Value>>(0)?.unwrap_or_default(),
            ),
            ("notification_choices".to_owned(), row.try_get(1)?),
            ("notification_messages".to_owned(), row.try_get(2)?),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: NotificationKind = NotificationKind {
        name: "a.b",
        channels: &[Channel::App, Channel::Mail],
        optional: true,
        digestable: true,
        urgent: false,
        words: &[],
    };

    #[test]
    fn who_chose_nothing_hears_by_the_channels_of_the_kind() {
        assert_eq!(mode(&KIND, Channel::App, None), Mode::Now);
        assert_eq!(mode(&KIND, Channel::Mail, None), Mode::Now);
        assert_eq!(mode(&KIND, Channel::Sms, None), Mode::Off);
    }

    #[test]
    fn what_must_be_told_cannot_be_switched_off_and_what_cannot_wait_does_not() {
        let must = NotificationKind {
            optional: false,
            digestable: false,
            ..KIND
        };
        assert_eq!(mode(&must, Channel::App, Some(Mode::Off)), Mode::Now);
        assert_eq!(mode(&must, Channel::Mail, Some(Mode::Digest)), Mode::Now);
        assert_eq!(mode(&must, Channel::Sms, Some(Mode::Off)), Mode::Off);
        assert_eq!(mode(&must, Channel::Sms, Some(Mode::Now)), Mode::Now);
        assert_eq!(mode(&KIND, Channel::Mail, Some(Mode::Off)), Mode::Off);
        assert_eq!(mode(&KIND, Channel::Mail, Some(Mode::Digest)), Mode::Digest);
        assert_eq!(mode(&KIND, Channel::App, Some(Mode::Digest)), Mode::Now);
    }

    #[test]
    fn a_time_of_day_is_hours_and_minutes() {
        assert!(time("22:00").is_ok() && time("00:00").is_ok());
        for bad in [
            "",
            "2",
            "25:00",
            "22:60",
            "22:00:00",
            "22.00",
            "ab:cd",
            "٢٢:٠٠",
            "-1:00",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
