//! What organisations write to people: one text for each purpose and language.

use crate::notifications::{
    Message,
    html::{self, escape},
};

/// Languages there are texts in; the first is for everybody else.
pub(super) const LANGUAGES: [&str; 2] = ["en", "de"];

/// A mail's words, and where its button leads.
struct Letter<'a> {
    language: &'static str,
    subject: String,
    lead: String,
    button: &'static str,
    url: &'a str,
    foot: String,
}

fn known(language: &str) -> &'static str {
    LANGUAGES
        .into_iter()
        .find(|known| *known == language)
        .unwrap_or(LANGUAGES[0])
}

/// The name of an organisation or a person as it may stand in a mail to somebody who does not know them: short, and without what
/// mail programs make a link of. Else the mail would be a way to write anything to anybody.
pub(crate) fn tame(name: &str) -> String {
    let mut tame = String::new();
    let mut letters = name
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(60)
        .peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' | ':' | '@' | '\\' | '<' | '>' => tame.push(' '),
            '.' if letters.peek().is_some_and(|next| next.is_alphanumeric()) => tame.push_str(". "),
            letter => tame.push(letter),
        }
    }
    tame.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Letter<'_> {
    fn to<'a>(&self, kind: &'static str, recipient: &'a str) -> Message<'a> {
        let Self {
            language,
            subject,
            lead,
            button,
            url,
            foot,
        } = self;
        let body = format!("<p>{}</p>{}", escape(lead), html::button(url, button));
        Message {
            kind,
            recipient,
            subject: subject.clone(),
            text: format!("{lead}\n\n{url}\n\n{foot}\n"),
            html: html::page(language, &escape(subject), &body, &escape(foot)),
        }
    }
}

/// The invitation to join an organisation.
pub(super) fn invitation<'a>(
    language: &str,
    recipient: &'a str,
    organization: &str,
    url: &str,
    days: i64,
) -> Message<'a> {
    let (language, name) = (known(language), tame(organization));
    let letter = if language == "de" {
        Letter {
            language,
            subject: format!("Einladung zu {name}"),
            lead: format!("Sie sind eingeladen, der Organisation {name} beizutreten."),
            button: "Einladung ansehen",
            url,
            foot: format!(
                "Die Einladung gilt {days} Tage und nur für diese Adresse. Erwarten Sie sie nicht, können Sie diese Nachricht \
                 ignorieren."
            ),
        }
    } else {
        Letter {
            language,
            subject: format!("Invitation to {name}"),
            lead: format!("You are invited to join the organisation {name}."),
            button: "See the invitation",
            url,
            foot: format!(
                "The invitation is good for {days} days and for this address only. If you did not expect it, you can ignore this \
                 message."
            ),
        }
    };
    letter.to("tenancy.invitation", recipient)
}

/// The word to an owner that their organisation is to be deleted.
pub(super) fn deletion<'a>(
    language: &str,
    recipient: &'a str,
    organization: &str,
    url: &str,
    day: jiff::civil::Date,
) -> Message<'a> {
    let (language, name) = (known(language), tame(organization));
    let letter = if language == "de" {
        Letter {
            language,
            subject: format!("{name} wird gelöscht"),
            lead: format!(
                "Die Organisation {name} wird am {} mit allen Daten gelöscht. Bis dahin können Inhaber das zurücknehmen und die \
                 Daten herunterladen.",
                day.strftime("%d.%m.%Y")
            ),
            button: "Einstellungen öffnen",
            url,
            foot: "Sie erhalten diese Nachricht als Inhaber der Organisation.".to_owned(),
        }
    } else {
        Letter {
            language,
            subject: format!("{name} will be deleted"),
            lead: format!(
                "The organisation {name} will be deleted with all its data on {}. Until then, an owner can take that back, and \
                 download the data.",
                day.strftime("%-d %B %Y")
            ),
            button: "Open the settings",
            url,
            foot: "You get this message as an owner of the organisation.".to_owned(),
        }
    };
    letter.to("tenancy.deletion", recipient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_bring_neither_links_nor_markup_into_a_mail() {
        assert_eq!(tame("Müller & Söhne Ltd."), "Müller & Söhne Ltd.");
        assert_eq!(
            tame("Pay at https://evil.example/now"),
            "Pay at https evil. example now"
        );
        assert_eq!(tame("a\u{0}b\r\nBcc: x@example.com"), "abBcc x example. com");
        assert!(tame(&"x".repeat(500)).len() <= 60);
        let mail = invitation(
            "en",
            "ada@example.com",
            "<b>\"&Co",
            "https://t.example/invite/x",
            7,
        );
        assert!(mail.html.contains("b &quot;&amp;Co") && !mail.html.contains("<b>"));
    }

    #[test]
    fn mails_are_written_in_the_language_asked_for_or_in_english() {
        let subject = |language| invitation(language, "a@example.com", "X", "u", 7).subject;
        assert_eq!(subject("de"), "Einladung zu X");
        assert_eq!(subject("fr"), "Invitation to X");
        let day = jiff::civil::date(2026, 3, 1);
        assert!(
            deletion("de", "a@example.com", "X", "u", day)
                .text
                .contains("01.03.2026")
        );
        assert!(
            deletion("en", "a@example.com", "X", "u", day)
                .text
                .contains("1 March 2026")
        );
    }
}
