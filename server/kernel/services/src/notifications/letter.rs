//! A notification as a mail: one layout in MJML for all of them, and the same in plain text.
//!
//! Every value is escaped before it comes into the MJML, so that neither markup nor MJML can come in by one. Values bring their own
//! direction: the layout is of the reader's language, and a file with an Arabic name stands in it as it should.

use mrml::prelude::{parser::ParserOptions, render::RenderOptions};
use tenon_sdk::{Error, Result};

use super::html::escape;

const LAYOUT: &str = include_str!("layout.mjml");
const ITEM: &str = include_str!("layout_item.mjml");

/// A mail.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter<'a> {
    /// Such as `en`.
    pub(super) language: &'a str,
    /// The organisation it is about.
    pub(super) organization: &'a str,
    /// What happened.
    pub(super) title: &'a str,
    /// What was told: one thing, or those of a digest.
    pub(super) items: Vec<Item<'a>>,
    /// Where people choose what they are told; empty where the reader has no account.
    pub(super) settings: &'a str,
}

/// One thing that was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Item<'a> {
    /// Its headline; empty where the letter's says it.
    pub(super) title: &'a str,
    pub(super) body: &'a str,
    /// The words on the button, and where it leads; empty: there is none.
    pub(super) action: &'a str,
    pub(super) url: &'a str,
}

/// Words of the layout.
struct Words {
    about: &'static str,
    settings: &'static str,
}

fn words(language: &str) -> Words {
    match language {
        "de" => Words {
            about: "Sie erhalten diese Nachricht als Mitglied von",
            settings: "Mitteilungen einstellen",
        },
        _ => Words {
            about: "You get this message as a member of",
            settings: "Choose what you are told",
        },
    }
}

/// Languages that are written from right to left.
fn direction(language: &str) -> &'static str {
    match language {
        "ar" | "dv" | "fa" | "he" | "ps" | "ur" | "yi" => "rtl",
        _ => "ltr",
    }
}

/// Puts values in the places of `{{name}}` of a layout, once through, so that no value is looked into.
fn fill(layout: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(layout.len() * 2);
    let mut rest = layout;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").unwrap_or((after, ""));
        filled.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| *value));
        rest = behind;
    }
    filled + rest
}

impl Letter<'_> {
    /// The mail as HTML.
    pub(super) fn html(&self) -> Result<String> {
        let known = words(self.language);
        let items: String = self.items.iter().map(Item::mjml).collect();
        let settings = if self.settings.is_empty() {
            String::new()
        } else {
            format!(
                "<br /><a href=\"{}\" style=\"color:#57606a\">{}</a>",
                escape(self.settings),
                known.settings
            )
        };
        let about = if self.settings.is_empty() { "" } else { known.about };
        let source = fill(
            LAYOUT,
            &[
                ("language", &escape(self.language)),
                ("direction", direction(self.language)),
                ("title", &escape(self.title)),
                ("organization", &escape(self.organization)),
                ("items", &items),
                ("about", about),
                ("settings", &settings),
            ],
        );
        let parsed = mrml::parse_with_options(&source, &ParserOptions::default()).map_err(Error::internal)?;
        parsed
            .element
            .render(&RenderOptions::default())
            .map_err(Error::internal)
    }

    /// The same as plain text.
    pub(super) fn text(&self) -> String {
        let known = words(self.language);
        let mut parts = vec![self.organization.to_owned(), self.title.to_owned()];
        for item in &self.items {
            let lines = [item.title, item.body, item.url];
            let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
            parts.push(lines.join("\n"));
        }
        if !self.settings.is_empty() {
            parts.push(format!("{}: {}", known.settings, self.settings));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n") + "\n"
    }
}

impl Item<'_> {
    fn mjml(&self) -> String {
        let headline = if self.title.is_empty() {
            String::new()
        } else {
            format!("<strong>{}</strong><br />", escape(self.title))
        };
        let button = if self.action.is_empty() || self.url.is_empty() {
            String::new()
        } else {
            format!(
                "<mj-button href=\"{}\" align=\"left\">{}</mj-button>",
                escape(self.url),
                escape(self.action)
            )
        };
        fill(
            ITEM,
            &[
                ("headline", &headline),
                ("body", &escape(self.body)),
                ("button", &button),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter<'a>(title: &'a str, body: &'a str) -> Letter<'a> {
        Letter {
            language: "de",
            organization: "Hafen & Söhne",
            title,
            items: vec![Item {
                title: "",
                body,
                action: "Ansehen",
                url: "https://x.example/o/hafen/imports/1?a=1&b=2",
            }],
            settings: "https://x.example/account#notifications",
        }
    }

    #[test]
    fn a_mail_says_the_same_in_both_of_its_bodies() {
        let letter = letter(
            "Der Import ist fertig",
            "7 Zeilen aus „Größe.xlsx“ sind übernommen.",
        );
        let (html, text) = (letter.html().unwrap(), letter.text());
        for words in [
            "Der Import ist fertig",
            "7 Zeilen aus „Größe.xlsx“ sind übernommen.",
            "Mitteilungen einstellen",
        ] {
            assert!(html.contains(words) && text.contains(words), "{words}\n{html}");
        }
        assert!(html.contains("Hafen &amp; Söhne") && text.contains("Hafen & Söhne"));
        assert!(
            html.contains("href=\"https://x.example/o/hafen/imports/1?a=1&amp;b=2\""),
            "{html}"
        );
        assert!(text.contains("https://x.example/o/hafen/imports/1?a=1&b=2"));
        assert!(
            html.contains("lang=\"de\"") && html.contains("dir=\"ltr\""),
            "{html}"
        );
        assert!(!html.contains("{{") && !html.contains("<mj-"), "{html}");
        // Reading a mail is nobody else's business: neither fonts nor pictures are fetched.
        assert!(
            !html.contains("googleapis") && !html.contains("<img") && !html.contains("@import"),
            "{html}"
        );
    }

    #[test]
    fn neither_markup_nor_mjml_comes_in_by_a_value() {
        for hostile in [
            "</mj-text><mj-raw><script>alert(1)</script></mj-raw>",
            "<img src=x onerror=alert(1)>",
            "{{settings}}{{items}}",
            "\"><a href=\"https://evil.example\">x</a>",
            "<!-- ",
            "]]>",
            "&lt;script&gt;",
            "<mj-include path=\"/etc/passwd\" />",
        ] {
            let letter = letter(hostile, hostile);
            let html = letter.html().unwrap();
            assert!(
                !html.contains("<script") && !html.contains("<img src=x"),
                "{html}"
            );
            assert!(!html.contains("href=\"https://evil.example\""), "{html}");
            assert!(html.contains(&escape(hostile)), "{hostile}\n{html}");
            assert!(letter.text().contains(hostile));
        }
    }

    #[test]
    fn a_language_from_right_to_left_and_values_of_another_direction_stand_as_they_should() {
        let mut letter = letter("تم الاستيراد", "ملف.xlsx");
        letter.language = "ar";
        let html = letter.html().unwrap();
        assert!(
            html.contains("dir=\"rtl\"") && html.contains("lang=\"ar\""),
            "{html}"
        );
        assert!(
            html.contains("تم الاستيراد") && html.contains("dir=\"auto\""),
            "{html}"
        );
    }

    #[test]
    fn a_huge_value_makes_a_huge_mail_and_nothing_worse() {
        let huge = "<b>x</b>".repeat(20_000);
        let html = letter("t", &huge).html().unwrap();
        assert!(html.len() > huge.len() && !html.contains("<b>x</b>"));
        let mut many = letter("t", "b");
        many.items = vec![many.items[0].clone(); 300];
        assert_eq!(many.html().unwrap().matches("Ansehen").count(), 300);
    }
}
