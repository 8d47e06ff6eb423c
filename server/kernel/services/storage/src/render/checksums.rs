//! PNG files whose checksums are wrong while their pixels are not. Browsers and imgproxy show them; the decoder would not.

use std::borrow::Cow;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The file with the checksum of every chunk as its content has it; any other file, and one that is right, as it is.
pub(super) fn mended(source: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(source);
    if !source.starts_with(SIGNATURE) {
        return mended;
    }
    let mut at = SIGNATURE.len();
    // A chunk is the length of its content, a kind of four bytes, the content, and a checksum over both.
    while let Some(length) = source.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()) {
        let start = at + 4;
        let Some(end) = (u32::from_be_bytes(length) as usize).checked_add(start + 4) else {
            break;
        };
        let (Some(summed), Some(found)) = (source.get(start..end), source.get(end..end.saturating_add(4)))
        else {
            break;
        };
        let right = crc32fast::hash(summed).to_be_bytes();
        if found != right {
            mended.to_mut()[end..end + 4].copy_from_slice(&right);
        }
        at = end + 4;
    }
    mended
}
