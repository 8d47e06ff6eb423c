//! The operator's own words: HTML with variables in the form `{{ .Name }}`, as GoTrue's templates have them. What is put in is escaped;
//! what a stranger says of themselves cannot be put in at all, so that nobody writes to others through this server.

use std::{borrow::Cow, collections::HashMap, path::Path};

use tenon_sdk::{Error, Result, config::Mails};

use crate::notifications::html::escape;

/// What a template may name.
const VARIABLES: [&str; 12] = [
    "ConfirmationURL",
    "Token",
    "TokenHash",
    "SiteURL",
    "RedirectTo",
    "Email",
    "NewEmail",
    "OldEmail",
    "Phone",
    "OldPhone",
    "Provider",
    "FactorType",
];

/// Values by the name of the variable; what is absent is empty.
pub(super) type Values<'a> = HashMap<&'static str, Cow<'a, str>>;

/// A text with holes.
#[derive(Debug)]
struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Variable(&'static str),
}

impl Template {
    fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or("a {{ has no }}")?;
            let name = inside.trim_matches(['-', ' ', '\t', '\n', '\r']);
            let known = name
                .strip_prefix('.')
                .and_then(|name| VARIABLES.into_iter().find(|known| *known == name));
            let known = known.ok_or_else(|| format!("{{{{ {name} }}}} is no variable"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Variable(known));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    fn fill(&self, values: &Values<'_>, escape: fn(&str) -> String) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Variable(name) => values.get(name).map_or_else(String::new, |value| escape(value)),
            })
            .collect()
    }
}

/// One line without control characters, for a subject.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The words that a reader of plain text gets of HTML.
fn plain(html: &str) -> String {
    let (mut out, mut in_tag) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                out.push(' ');
            }
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    let words = out
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Subject, plain text and HTML of one mail; what the operator did not write is `None`.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) subject: Option<String>,
    pub(super) bodies: Option<(String, String)>,
}

#[derive(Debug, Default)]
struct Own {
    subject: Option<Template>,
    content: Option<Template>,
}

/// All words of the operator.
#[derive(Debug, Default)]
pub(in crate::identity) struct Templates(HashMap<String, Own>);

impl Templates {
    /// Reads and checks them.
    ///
    /// Errors: `config.invalid` with what is wrong in which template.
    pub(in crate::identity) fn load(mails: &Mails, known: &[&str]) -> Result<Self> {
        let mut all = HashMap::new();
        for (name, mail) in mails {
            if !known.contains(&name.as_str()) {
                return Err(wrong(name, "there is no such mail"));
            }
            let own = Own::read(&mail.subject, &mail.content, &mail.content_path)
                .map_err(|why| wrong(name, &why))?;
            all.insert(name.clone(), own);
            for (language, words) in &mail.languages {
                let key = format!("{name}.{language}");
                let own = Own::read(&words.subject, &words.content, &words.content_path)
                    .map_err(|why| wrong(&key, &why))?;
                all.insert(key, own);
            }
        }
        Ok(Self(all))
    }

    /// The operator's words for a mail in a language, filled.
    pub(super) fn fill(&self, name: &str, language: &str, values: &Values<'_>) -> Filled {
        let found = [self.0.get(&format!("{name}.{language}")), self.0.get(name)];
        let found = || found.iter().flatten();
        let subject = found().find_map(|own| own.subject.as_ref());
        let content = found().find_map(|own| own.content.as_ref());
        Filled {
            subject: subject.map(|subject| line(&subject.fill(values, str::to_owned))),
            bodies: content.map(|content| {
                let html = content.fill(values, escape);
                let mut text = plain(&html);
                // A link that only an attribute holds is lost with the tags.
                if let Some(url) = values
                    .get("ConfirmationURL")
                    .filter(|url| !text.contains(url.as_ref()))
                {
                    text = format!("{text}\n\n{url}");
                }
                (format!("{text}\n"), html)
            }),
        }
    }
}

impl Own {
    fn read(subject: &str, content: &str, path: &Path) -> Result<Self, String> {
        let parsed = |text: &str| {
            if text.is_empty() {
                Ok(None)
            } else {
                Template::parse(text).map(Some)
            }
        };
        let file = if path.as_os_str().is_empty() {
            None
        } else {
            Some(std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
        };
        Ok(Self {
            subject: parsed(subject)?,
            content: parsed(file.as_deref().unwrap_or(content))?,
        })
    }
}

fn wrong(name: &str, why: &str) -> Error {
    Error::invalid("config.invalid", format!("[auth.mails.{name}]: {why}."))
        .hint("tenon.default.toml lists the mails and their variables.")
}

#[cfg(test)]
mod tests {
    use tenon_sdk::config::{MailTemplate, MailWords};

    use super::*;

    fn mails(content: &str) -> Mails {
        let german = MailWords {
            subject: "Neues Passwort".into(),
            ..MailWords::default()
        };
        let mail = MailTemplate {
            subject: "For {{ .Email }}".into(),
            content: content.into(),
            languages: [("de".to_owned(), german)].into(),
            ..MailTemplate::default()
        };
        [("recovery".to_owned(), mail)].into()
    }

    fn values() -> Values<'static> {
        [
            ("Email", Cow::from("a\"><script>@example.com\r\nBcc: x")),
            ("ConfirmationURL", Cow::from("https://x.example/v?a=1&b=2")),
        ]
        .into()
    }

    #[test]
    fn what_is_put_in_is_escaped_and_a_subject_stays_one_line() {
        let mails = mails("<a href=\"{{.ConfirmationURL}}\">Go</a> {{- .Email -}} {{ .Token }}");
        let templates = Templates::load(&mails, &["recovery"]).unwrap();
        let filled = templates.fill("recovery", "en", &values());
        assert_eq!(filled.subject.unwrap(), "For a\"><script>@example.comBcc: x");
        let (text, html) = filled.bodies.unwrap();
        assert!(html.contains("href=\"https://x.example/v?a=1&amp;b=2\"") && !html.contains("<script>"));
        assert!(
            text.starts_with("Go") && text.contains("\nhttps://x.example/v?a=1&b=2\n"),
            "{text}"
        );
    }

    #[test]
    fn a_language_has_its_own_words_and_shares_the_others() {
        let templates = Templates::load(&mails("<p>x</p>"), &["recovery"]).unwrap();
        let german = templates.fill("recovery", "de", &values());
        assert_eq!(german.subject.as_deref(), Some("Neues Passwort"));
        assert_eq!(german.bodies.unwrap().1, "<p>x</p>");
        let none = templates.fill("invite", "de", &values());
        assert!(none.subject.is_none() && none.bodies.is_none());
    }

    #[test]
    fn a_template_with_a_mistake_is_found_at_the_start() {
        for bad in [
            "{{ .Data.name }}",
            "{{ .Token",
            "{{ if .Token }}x{{ end }}",
            "{{}}",
            "{{ Token }}",
        ] {
            assert!(Templates::load(&mails(bad), &["recovery"]).is_err(), "{bad}");
        }
        assert!(Templates::load(&mails("x"), &["invite"]).is_err());
    }
}
