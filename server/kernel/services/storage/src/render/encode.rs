//! Writing a picture in the kind of file that goes out.

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat,
    codecs::{avif::AvifEncoder, gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder},
};
use tenon_sdk::{Error, Result};

use super::{Format, Rendered, Wanted, decode::Picture, too_large, unreadable};

/// A kind of file that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Jpeg,
    Png,
    Gif,
    Webp,
    Avif,
}

/// Pixels of an AVIF: more would keep a thread for minutes.
const MOST_AVIF: u64 = 2500 * 2500;
/// AVIF takes seconds for a large picture; this leaves it at a few tenths for what pages show.
const AVIF_SPEED: u8 = 9;

impl Target {
    /// What a picture becomes.
    pub(super) fn of(picture: &Picture, wanted: &Wanted) -> Self {
        match (wanted.format, picture.format) {
            (Format::Avif, _) => Self::Avif,
            (Format::Webp | Format::Best { webp: true }, _) | (Format::Origin, ImageFormat::WebP) => {
                Self::Webp
            }
            (_, ImageFormat::Jpeg) => Self::Jpeg,
            (_, ImageFormat::Png) => Self::Png,
            (_, ImageFormat::Gif) => Self::Gif,
            _ if picture.image.color().has_alpha() => Self::Png,
            _ => Self::Jpeg,
        }
    }

    fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }

    /// The quality where none is asked for, as imgproxy has it.
    fn quality(self) -> u8 {
        match self {
            Self::Webp => 79,
            Self::Avif => 63,
            Self::Jpeg | Self::Png | Self::Gif => 80,
        }
    }
}

/// Writes a picture of 8 bits a channel.
pub(super) fn encode(image: &DynamicImage, target: Target, quality: Option<u8>) -> Result<Rendered> {
    let quality = quality.unwrap_or(target.quality());
    let (width, height) = (image.width(), image.height());
    let colour = ExtendedColorType::from(image.color());
    if target == Target::Avif && u64::from(width) * u64::from(height) > MOST_AVIF {
        return Err(too_large(format!("As AVIF it may have {MOST_AVIF} pixels."))
            .hint("Ask for a width and a height, or for another format."));
    }
    let pixels = image.as_bytes();
    let mut bytes = Vec::new();
    match target {
        Target::Jpeg if image.color().has_alpha() => {
            // JPEG knows no transparency.
            let opaque = image.to_rgb8();
            JpegEncoder::new_with_quality(&mut bytes, quality).write_image(
                &opaque,
                width,
                height,
                ExtendedColorType::Rgb8,
            )
        }
        Target::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, quality).write_image(pixels, width, height, colour)
        }
        Target::Png => PngEncoder::new(&mut bytes).write_image(pixels, width, height, colour),
        Target::Gif => GifEncoder::new(&mut bytes).encode(pixels, width, height, colour),
        Target::Avif => AvifEncoder::new_with_speed_quality(&mut bytes, AVIF_SPEED, quality)
            .with_num_threads(Some(1))
            .write_image(pixels, width, height, colour),
        Target::Webp => {
            bytes = webp(image, quality)?;
            Ok(())
        }
    }
    .map_err(unreadable)?;
    Ok(Rendered {
        bytes: bytes.into(),
        mime: target.mime(),
    })
}

fn webp(image: &DynamicImage, quality: u8) -> Result<Vec<u8>> {
    let (pixels, width, height) = (image.as_bytes(), image.width(), image.height());
    let encoder = if image.color().has_alpha() {
        webp::Encoder::from_rgba(pixels, width, height)
    } else {
        webp::Encoder::from_rgb(pixels, width, height)
    };
    let mut settings = webp::WebPConfig::new().map_err(|()| Error::internal("no settings for WebP"))?;
    settings.quality = f32::from(quality);
    let written = encoder
        .encode_advanced(&settings)
        .map_err(|cause| unreadable(format!("WebP cannot hold it: {cause:?}")))?;
    Ok(written.to_vec())
}
