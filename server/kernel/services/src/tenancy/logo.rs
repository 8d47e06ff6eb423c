//! What may be an organisation's logo: a small picture of a kind that holds no program.

use imagesize::ImageType;
use tenon_sdk::{Error, Result};

/// Most bytes of a logo.
pub(super) const MOST_BYTES: usize = 256 * 1024;
/// Longest side in pixels.
const LONGEST_SIDE: usize = 1024;

/// The media type of a picture, by its content; what it is said to be does not count.
pub(super) fn media_type(picture: &[u8]) -> Result<&'static str> {
    if picture.len() > MOST_BYTES {
        return Err(
            Error::too_large("tenancy.logo_too_large", "The picture is too large.").details(format!(
                "It has {} bytes; {MOST_BYTES} are allowed.",
                picture.len()
            )),
        );
    }
    let kind = match imagesize::image_type(picture) {
        Ok(ImageType::Png) => "image/png",
        Ok(ImageType::Jpeg) => "image/jpeg",
        Ok(ImageType::Webp) => "image/webp",
        _ => return Err(no_picture()),
    };
    let size = imagesize::blob_size(picture).map_err(|_| no_picture())?;
    if size.width == 0 || size.height == 0 {
        return Err(no_picture());
    }
    if size.width.max(size.height) > LONGEST_SIDE {
        return Err(
            Error::unprocessable("tenancy.logo_invalid", "The picture is too wide or too high.").details(
                format!(
                    "It has {} by {} pixels; {LONGEST_SIDE} by {LONGEST_SIDE} are allowed.",
                    size.width, size.height
                ),
            ),
        );
    }
    Ok(kind)
}

fn no_picture() -> Error {
    Error::unprocessable("tenancy.logo_invalid", "This is no PNG, JPEG or WebP picture.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        picture.extend(width.to_be_bytes());
        picture.extend(height.to_be_bytes());
        picture.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        picture
    }

    #[test]
    fn small_pictures_are_taken_for_what_they_are() {
        assert_eq!(media_type(&png(64, 64)).unwrap(), "image/png");
        assert_eq!(media_type(&png(1024, 1)).unwrap(), "image/png");
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x3f\xc0\x0f\0\0\0\0\0\0\0\0\0";
        assert_eq!(media_type(webp).unwrap(), "image/webp");
    }

    #[test]
    fn programs_and_what_is_too_large_are_refused() {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        for bad in [
            &b""[..],
            b"GIF89a\x01\0\x01\0",
            svg,
            b"<html>",
            &png(0, 4),
            &png(1025, 4),
            &png(9, 9)[..12],
        ] {
            assert_eq!(
                media_type(bad).unwrap_err().code,
                "tenancy.logo_invalid",
                "{bad:?}"
            );
        }
        let mut long = png(9, 9);
        long.resize(MOST_BYTES + 1, 0);
        assert_eq!(media_type(&long).unwrap_err().code, "tenancy.logo_too_large");
    }
}
