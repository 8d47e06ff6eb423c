//! Looks through a decompressed part of a workbook as it streams by, before a reader that would hold pieces of it
//! in memory sees it: every piece (tag, text, comment, record) must be of a size one can hold.

use memchr::{memchr, memchr2_iter, memmem, memrchr};

/// Largest single tag or text: a cell's text is limited to 32 KiB, lists of ranges run longer.
const PIECE: u64 = 4 << 20;
/// Largest record of a binary part.
const RECORD: u64 = 1 << 20;

/// Why a part is refused.
pub(super) type Refusal = &'static str;

/// What kind of bytes a part holds.
pub(super) enum Scan {
    Xml(Xml),
    Records(Records),
    Opaque,
}

impl Scan {
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        match self {
            Self::Xml(xml) => xml.feed(chunk),
            Self::Records(records) => records.feed(chunk),
            Self::Opaque => Ok(()),
        }
    }

    /// Whether merged cells were seen.
    pub(super) fn merges(&self) -> bool {
        matches!(self, Self::Xml(xml) if xml.merges)
    }
}

/// Scanner of an XML part.
#[derive(Default)]
pub(super) struct Xml {
    started: bool,
    merges: bool,
    /// Bytes since the last `<`.
    run: u64,
    /// Bytes not yet looked at for markup.
    window: Vec<u8>,
    /// Terminator of the comment, CDATA section or instruction we are in, and its length so far.
    inside: Option<(&'static [u8], u64)>,
}

impl Xml {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        if !self.started && !chunk.is_empty() {
            self.started = true;
            if chunk.len() > 1 && (matches!(chunk[..2], [0xff, 0xfe] | [0xfe, 0xff] | [b'<', 0] | [0, b'<']))
            {
                return Err("an XML part is not in UTF-8");
            }
        }
        match memchr(b'<', chunk) {
            None => self.run += chunk.len() as u64,
            Some(first) => {
                self.run += first as u64;
                if self.run > PIECE {
                    return Err("a text or tag in it is larger than 4 MiB");
                }
                let last = memrchr(b'<', chunk).unwrap_or(first);
                self.run = (chunk.len() - last) as u64;
            }
        }
        if self.run > PIECE {
            return Err("a text or tag in it is larger than 4 MiB");
        }
        self.window.extend_from_slice(chunk);
        let done = self.markup()?;
        self.window.drain(..done);
        Ok(())
    }

    /// Looks at the window and says how much of it need not be seen again.
    fn markup(&mut self) -> Result<usize, Refusal> {
        if !self.merges {
            self.merges = memmem::find(&self.window, b"mergeCell ").is_some();
        }
        let mut at = 0;
        loop {
            let rest = &self.window[at..];
            if let Some((end, length)) = &mut self.inside {
                let found = memmem::find(rest, end);
                let passed = found.unwrap_or_else(|| rest.len().saturating_sub(end.len() - 1));
                *length += passed as u64;
                if *length > PIECE {
                    return Err("a comment or CDATA section in it is larger than 4 MiB");
                }
                at += passed;
                if found.is_none() {
                    return Ok(at);
                }
                at += end.len();
                self.inside = None;
                continue;
            }
            let Some(start) = memchr2_iter(b'!', b'?', rest).find(|&i| i > 0 && rest[i - 1] == b'<') else {
                // Keep enough for a tag that is cut in two.
                return Ok((self.window.len()).saturating_sub(10).max(at));
            };
            let markup = &rest[start - 1..];
            if markup.len() < 9 {
                return Ok(at + start - 1);
            }
            at += start + 1;
            if markup.starts_with(b"<!--") {
                self.inside = Some((b"-->", 0));
            } else if markup.starts_with(b"<![CDATA[") {
                self.inside = Some((b"]]>", 0));
            } else if markup.starts_with(b"<?") {
                self.inside = Some((b"?>", 0));
            } else {
                return Err("it declares a document type or entities, which spreadsheets never do");
            }
        }
    }
}

/// Scanner of a binary part of an XLSB workbook: records of a type, a length and so many bytes.
#[derive(Default)]
pub(super) struct Records {
    /// Bytes of the record still to pass.
    skip: u64,
    /// Bytes of the header read so far: of the type, of the length.
    head: (u8, u8),
    typed: bool,
    length: u64,
}

impl Records {
    fn feed(&mut self, mut chunk: &[u8]) -> Result<(), Refusal> {
        while let Some((&byte, rest)) = chunk.split_first() {
            if self.skip > 0 {
                let passed = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
                self.skip -= passed as u64;
                chunk = &chunk[passed..];
                continue;
            }
            chunk = rest;
            let more = byte & 0x80 != 0;
            if self.typed {
                self.length |= u64::from(byte & 0x7f) << (7 * self.head.1);
                self.head.1 += 1;
                if !more || self.head.1 == 4 {
                    if self.length > RECORD {
                        return Err("a record in it is larger than 1 MiB");
                    }
                    *self = Self {
                        skip: self.length,
                        ..Self::default()
                    };
                }
            } else {
                self.head.0 += 1;
                self.typed = !more || self.head.0 == 2;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(parts: &[&[u8]]) -> Result<bool, Refusal> {
        let mut scan = Scan::Xml(Xml::default());
        for part in parts {
            scan.feed(part)?;
        }
        Ok(scan.merges())
    }

    #[test]
    fn ordinary_xml_passes_and_merges_are_noticed() {
        assert_eq!(
            xml(&[b"<?xml version=\"1.0\"?><a><b>x! y?</b><!-- no --></a>"]),
            Ok(false)
        );
        assert_eq!(
            xml(&[b"<mergeCells><mergeCe", b"ll ref=\"A1:B2\"/></mergeCells>"]),
            Ok(true)
        );
    }

    #[test]
    fn entities_are_refused_even_when_cut_in_two() {
        assert!(xml(&[b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a/>"]).is_err());
        assert!(xml(&[b"<?xml version=\"1.0\"?><!DOC", b"TYPE a><a/>         "]).is_err());
        assert!(xml(&[b"<", b"!DOCTYPE a><a/>         "]).is_err());
    }

    #[test]
    fn texts_comments_and_sections_that_never_end_are_refused() {
        let filler = vec![b'x'; 1 << 20];
        let mut open = vec![b"<a><![CDATA[<".as_slice()];
        open.extend(std::iter::repeat_n(filler.as_slice(), 5));
        assert!(xml(&open).is_err());
        let filler = vec![b'<'; 1 << 20];
        open = vec![b"<a><!-- ".as_slice()];
        open.extend(std::iter::repeat_n(filler.as_slice(), 5));
        assert!(xml(&open).is_err());
    }

    #[test]
    fn records_pass_unless_one_is_oversized() {
        let mut records = Records::default();
        assert!(records.feed(&[0x01, 0x02, 9, 9, 0x80, 0x01, 0x01, 7]).is_ok());
        assert!(records.feed(&[0x05, 0xff, 0xff, 0xff, 0x7f]).is_err());
    }
}
