//! The word to an organisation's owners that an endpoint was switched off.

use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Result, SystemTx,
    jobs::{Job, JobCtx},
};
use uuid::Uuid;

use crate::{
    notifications::{
        self, Message,
        html::{self, escape},
    },
    tenancy::tame,
};

/// Why the server switches an endpoint off.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// It said so, by 410.
    Gone,
    /// It has taken nothing for days.
    Failing,
}

impl Reason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// Writes to the owners.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TellOwners {
    pub(super) endpoint: Uuid,
    pub(super) reason: Reason,
}

impl Job for TellOwners {
    const NAME: &'static str = "webhooks.tell_owners";

    async fn run(self, job: JobCtx) -> Result<()> {
        let (kernel, ctx) = (job.kernel(), job.ctx());
        let org = ctx.org_id();
        let read = ctx.begin().await?;
        let url = read
            .query_opt(
                "select url from webhooks.endpoints where org_id = $1 and id = $2",
                &[&org, &self.endpoint],
            )
            .await?;
        read.commit().await?;
        let Some(url) = url else { return Ok(()) };
        let host = host(url.try_get(0)?);
        let tx = SystemTx::begin(kernel.db(), "endpoint switched off").await?;
        tx.execute(
            "delete from webhooks.notices where org_id = $1 and at < now() - interval '30 days'",
            &[&org],
        )
        .await?;
        let first = tx
            .execute(
                "insert into webhooks.notices (org_id, id) values ($1, $2) on conflict do nothing",
                &[&org, &job.id()],
            )
            .await?;
        if first == 0 {
            return Ok(());
        }
        let owners = tx
            .query(
                "select u.email, coalesce(u.raw_user_meta_data ->> 'locale', o.language), o.name, o.slug \
                 from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id \
                 join auth.users u on u.id = m.user_id \
                 where m.org_id = $1 and m.role = 'owner' and m.suspended_at is null and u.email is not null",
                &[&org],
            )
            .await?;
        for owner in &owners {
            let (email, language): (&str, &str) = (owner.try_get(0)?, owner.try_get(1)?);
            let (name, slug): (&str, &str) = (owner.try_get(2)?, owner.try_get(3)?);
            let page = format!("{}/o/{slug}/settings/webhooks", kernel.config().server.site_url);
            let mail = mail(language, email, &tame(name), &tame(&host), &page, self.reason);
            notifications::queue(&tx, kernel.env(), &kernel.config().mail, &mail).await?;
        }
        tx.commit().await
    }
}

/// The host alone: the rest of an address may be as good as a password.
fn host(url: &str) -> String {
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

fn mail<'a>(
    language: &str,
    recipient: &'a str,
    organization: &str,
    host: &str,
    page: &str,
    reason: Reason,
) -> Message<'a> {
    let german = language.starts_with("de");
    let subject = if german {
        format!("Webhook an {host} abgeschaltet")
    } else {
        format!("Webhook to {host} switched off")
    };
    let lead = match (german, reason) {
        (true, Reason::Gone) => {
            format!("Der Endpunkt {host} von {organization} nimmt keine Nachrichten mehr an (410).")
        }
        (true, Reason::Failing) => {
            format!("Der Endpunkt {host} von {organization} hat seit Tagen keine Nachricht angenommen.")
        }
        (false, Reason::Gone) => {
            format!("The endpoint {host} of {organization} takes no more messages (410).")
        }
        (false, Reason::Failing) => {
            format!("The endpoint {host} of {organization} has not taken a message for days.")
        }
    };
    let (then, button, foot) = if german {
        (
            "Er wurde abgeschaltet. Ist er in Ordnung, schalten Sie ihn wieder ein und lassen nachsenden, was fehlt.",
            "Webhooks öffnen",
            "Sie erhalten diese Nachricht als Inhaber der Organisation.",
        )
    } else {
        (
            "It was switched off. Once it is in order, switch it on again and have sent what is missing.",
            "Open webhooks",
            "You get this message as an owner of the organisation.",
        )
    };
    let body = format!("<p>{} {then}</p>{}", escape(&lead), html::button(page, button));
    Message {
        kind: "webhooks.endpoint_disabled",
        recipient,
        text: format!("{lead} {then}\n\n{page}\n\n{foot}\n"),
        html: html::page(if german { "de" } else { "en" }, &escape(&subject), &body, foot),
        subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_tells_the_host_and_no_more_of_the_address_in_the_readers_language() {
        let host = host("https://hooks.example.com/T000/secret?key=x");
        let mail = mail(
            "de-AT",
            "a@example.com",
            "Hafen",
            &host,
            "https://t.example",
            Reason::Failing,
        );
        assert!(mail.text.contains("hooks.example.com") && mail.text.contains("seit Tagen"));
        assert!(!mail.text.contains("secret") && !mail.html.contains("secret"));
    }
}
