//! Kinds of content: what a bucket takes, what a file says it is and what it begins like, and how it may be shown.

use tenon_sdk::Result;

use crate::errors;

/// `image/png; charset=x` as `image/png`.
pub(super) fn essence(kind: &str) -> String {
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// A kind as it may stand in a header.
///
/// Errors: `InvalidMimeType`.
pub(super) fn well_formed(kind: &str) -> Result<()> {
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let plain = essence(kind);
    let good = plain
        .split_once('/')
        .is_some_and(|(kind, sub)| token(kind) && token(sub))
        && kind.len() <= 255
        && kind.bytes().all(|b| (b' '..=b'~').contains(&b));
    if good {
        Ok(())
    } else {
        Err(errors::invalid_mime_type(kind))
    }
}

/// Whether a bucket that takes `allowed` takes this kind.
///
/// Errors: `InvalidMimeType`.
pub(super) fn allowed(allowed: &[String], kind: &str) -> Result<()> {
    let plain = essence(kind);
    let takes = |pattern: &String| {
        let pattern = essence(pattern);
        pattern == plain
            || pattern == "*/*"
            || pattern
                .strip_suffix("/*")
                .is_some_and(|family| plain.split_once('/').is_some_and(|(own, _)| own == family))
    };
    if allowed.is_empty() || allowed.iter().any(takes) {
        return Ok(());
    }
    Err(errors::invalid_mime_type(kind))
}

/// Bytes that are looked at.
pub(crate) const HEAD: usize = 512;

/// Content that says it is a picture, a sound, a film, a font or a PDF must not begin like a page, a program or a script: somebody
/// would open it for the one and get the other. Other differences are harmless, since answers forbid guessing.
///
/// Errors: `InvalidMimeType`.
pub(super) fn honest(kind: &str, head: &[u8]) -> Result<()> {
    let plain = essence(kind);
    let media = ["image/", "audio/", "video/", "font/"];
    let claims = plain == "application/pdf"
        || media.iter().any(|family| plain.starts_with(family)) && plain != "image/svg+xml";
    if !claims {
        return Ok(());
    }
    // The shortest signs alone: a program need not be whole to be one.
    let program = [
        &b"\x7fELF"[..],
        b"MZ",
        b"#!",
        b"\xfe\xed\xfa",
        b"\xcf\xfa\xed\xfe",
    ]
    .iter()
    .any(|sign| head.starts_with(sign));
    let looks = infer::get(head).map(|found| found.mime_type());
    let other = match looks {
        _ if program => Some("a program"),
        Some(found @ ("text/html" | "text/xml" | "text/x-shellscript")) => Some(found),
        Some(found) if found.contains("executable") => Some(found),
        Some(_) => None,
        None => is_page(head).then_some("text/html"),
    };
    match other {
        None => Ok(()),
        Some(found) => Err(errors::invalid_mime_type(kind).details(format!("The content is {found}."))),
    }
}

/// Pages that begin with something before their first tag that browsers pass over.
fn is_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    [
        "<!doctype",
        "<html",
        "<head",
        "<body",
        "<script",
        "<svg",
        "<iframe",
        "<?xml",
        "<?php",
        "<!--",
    ]
    .iter()
    .any(|tag| text.starts_with(tag))
}

/// The kind it is shown as. Pages are shown as text, as upstream.
pub(super) fn shown(kind: &str) -> &str {
    match essence(kind).as_str() {
        "text/html" | "application/xhtml+xml" => "text/plain; charset=utf-8",
        _ => kind,
    }
}

/// Whether a browser shows it without running anything of it. Everything else is shown in a box of its own, cut off from the site.
pub(crate) fn is_passive(kind: &str) -> bool {
    let plain = essence(kind);
    match plain.as_str() {
        // Some browsers take all of these for XML, in which scripts run; SVG is one of them.
        xml if xml.ends_with("+xml") || xml.ends_with("/xml") => false,
        "application/pdf" | "application/json" | "text/plain" | "text/css" | "text/csv" => true,
        _ => ["image/", "audio/", "video/", "font/"]
            .iter()
            .any(|family| plain.starts_with(family)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_kinds_and_families() {
        let list: Vec<String> = ["image/*", "text/plain"].map(str::to_owned).into();
        for (kind, good) in [
            ("image/png", true),
            ("IMAGE/PNG", true),
            ("text/plain;charset=UTF-8", true),
            ("text/html", false),
            ("imagex/png", false),
            ("image", false),
        ] {
            assert_eq!(allowed(&list, kind).is_ok(), good, "{kind}");
        }
        assert!(allowed(&[], "x/y").is_ok());
        assert!(allowed(&["*/*".to_owned()], "x/y").is_ok());
    }

    #[test]
    fn a_picture_that_is_a_page_or_a_program_is_refused() {
        for (kind, head, good) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], true),
            ("image/png", b"\xff\xd8\xff\xe0\0\x10JFIF", true),
            ("image/png", b"whatever", true),
            ("image/png", b"", true),
            ("image/png", b"<!DOCTYPE html><script>", false),
            ("image/png", b"  \n<ScRiPt>alert(1)", false),
            ("image/jpeg", b"<svg xmlns='http://www.w3.org/2000/svg'>", false),
            ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'>", true),
            ("application/pdf", b"%PDF-1.7", true),
            ("application/pdf", b"MZ\x90\0", false),
            ("video/mp4", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0", false),
            ("audio/mpeg", b"#!/bin/sh\necho", false),
            ("text/html", b"<!DOCTYPE html>", true),
            ("application/octet-stream", b"MZ\x90\0", true),
        ] {
            assert_eq!(
                honest(kind, head).is_ok(),
                good,
                "{kind} {}",
                String::from_utf8_lossy(head)
            );
        }
    }

    #[test]
    fn a_kind_is_fit_for_a_header() {
        for (kind, good) in [
            ("image/png", true),
            ("text/plain;charset=UTF-8", true),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                true,
            ),
            ("", false),
            ("image", false),
            ("/", false),
            ("a/b/c", false),
            ("text/plain\r\nx: y", false),
            ("text/plän", false),
        ] {
            assert_eq!(well_formed(kind).is_ok(), good, "{kind}");
        }
    }
}
