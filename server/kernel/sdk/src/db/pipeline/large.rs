//! The beginning of a row whose last value is large, taken off the wire before the value has arrived.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::TextRow;

/// A value from this length on is handed out while it arrives.
pub(super) const LARGE: usize = 256 * 1024;

/// What the next message is.
pub(super) enum Begin {
    /// A row with a large last value; here that value is empty.
    Large(TextRow, usize),
    /// More has to arrive before it can be said.
    Unknown,
    /// Anything else.
    Other,
}

/// Looks at the next message, and takes its beginning off the buffer if it is a row with a large last value.
pub(super) fn begin(buffer: &mut BytesMut) -> Begin {
    match buffer.first() {
        None => return Begin::Unknown,
        Some(b'D') => {}
        Some(_) => return Begin::Other,
    }
    let Some(length) = number(buffer, 1) else {
        return Begin::Unknown;
    };
    if usize::try_from(length).is_ok_and(|length| length < LARGE) {
        return Begin::Other;
    }
    let Some(&[high, low]) = buffer.get(5..7) else {
        return Begin::Unknown;
    };
    let count = u16::from_be_bytes([high, low]);
    let mut at = 7;
    let mut values: Vec<Option<Range<usize>>> = Vec::new();
    for index in 1..=count {
        let Some(length) = number(buffer, at) else {
            return Begin::Unknown;
        };
        at += 4;
        // Negative for null.
        let Ok(length) = usize::try_from(length) else {
            values.push(None);
            continue;
        };
        if index < count {
            values.push(Some(at..at + length));
            at += length;
            continue;
        }
        if length < LARGE {
            return Begin::Other;
        }
        let head = buffer.split_to(at).freeze();
        let mut row: TextRow = values
            .into_iter()
            .map(|range| range.map(|range| head.slice(range)))
            .collect();
        row.push(Some(Bytes::new()));
        return Begin::Large(row, length);
    }
    Begin::Other
}

fn number(buffer: &BytesMut, at: usize) -> Option<i32> {
    let bytes = buffer.get(at..at + 4)?;
    Some(i32::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(values: &[Option<&[u8]>]) -> BytesMut {
        let mut body = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
        for value in values {
            let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
            body.extend(length.to_be_bytes());
            body.extend(value.unwrap_or_default());
        }
        let length = i32::try_from(body.len() + 4).unwrap();
        [b"D".as_slice(), &length.to_be_bytes(), &body].concat()[..].into()
    }

    #[test]
    fn a_large_last_value_is_seen_as_soon_as_its_length_has_arrived() {
        let large = vec![b'x'; LARGE];
        let whole = message(&[Some(b"12"), None, Some(&large)]);
        let head = whole.len() - large.len();
        for seen in 0..head {
            assert!(
                matches!(begin(&mut whole[..seen].into()), Begin::Unknown),
                "{seen}"
            );
        }
        let mut buffer: BytesMut = whole[..head + 5].into();
        let Begin::Large(row, length) = begin(&mut buffer) else {
            panic!("not seen");
        };
        assert_eq!(row, [Some(Bytes::from_static(b"12")), None, Some(Bytes::new())]);
        assert_eq!((length, &buffer[..]), (LARGE, b"xxxxx".as_slice()));
    }

    #[test]
    fn all_else_is_left_alone() {
        let large = vec![b'x'; LARGE];
        for whole in [
            message(&[Some(b"12"), Some(b"small")]),
            message(&[Some(&large), Some(b"small")]),
            message(&[Some(&large), None]),
            b"C\0\0\0\x0dSELECT 1\0".as_slice().into(),
        ] {
            let mut buffer = whole.clone();
            assert!(matches!(begin(&mut buffer), Begin::Other));
            assert_eq!(buffer, whole);
        }
    }
}
