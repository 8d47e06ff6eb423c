//! Mails as HTML: one look for all of them.

/// Text as it stands in HTML, in an attribute too.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
            out
        })
}

/// A whole mail; its parts are HTML already.
pub(crate) fn page(language: &str, subject: &str, body: &str, foot: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{subject}</title></head>\
         <body style=\"font-family:system-ui,sans-serif;line-height:1.5;color:#1f2328\">\
         <h1 style=\"font-size:20px\">{subject}</h1>{body}<p style=\"color:#57606a\">{foot}</p></body></html>"
    )
}

/// The link that a mail is about.
pub(crate) fn button(url: &str, label: &str) -> String {
    format!(
        "<p><a href=\"{}\" style=\"display:inline-block;padding:10px 18px;border-radius:6px;\
         background:#2f4f9e;color:#fff;text-decoration:none\">{label}</a></p>",
        escape(url)
    )
}

/// Words, and the code they are about.
pub(crate) fn code(words: &str, code: &str) -> String {
    format!("<p>{words} <strong style=\"letter-spacing:2px\">{code}</strong></p>")
}
