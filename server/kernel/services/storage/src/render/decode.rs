//! Reading a picture: what it is and how large, then its pixels, turned as the camera was held.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use tenon_sdk::Result;

use super::{checksums, too_large, unreadable, unsupported};

/// How much a picture may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest file in bytes.
    pub bytes: u64,
    /// The most pixels.
    pub pixels: u64,
}

/// A picture that was read.
pub(super) struct Picture {
    pub(super) image: DynamicImage,
    pub(super) format: ImageFormat,
    pub(super) profile: Option<Vec<u8>>,
}

/// Bytes that a file may unpack to say something about itself, like a colour profile.
const ABOUT: u64 = 16 << 20;

const READ: [ImageFormat; 7] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
    ImageFormat::Ico,
    ImageFormat::Tiff,
];

/// Reads the first picture of a file, in 8 bits a channel.
pub(super) fn decode(source: &[u8], limits: &Limits) -> Result<Picture> {
    let source = checksums::mended(source);
    let mut read = ImageReader::new(Cursor::new(source.as_ref()))
        .with_guessed_format()
        .map_err(unreadable)?;
    let mut before = image::Limits::no_limits();
    before.max_alloc = Some(ABOUT);
    read.limits(before);
    let format = read
        .format()
        .filter(|format| READ.contains(format))
        .ok_or_else(unsupported)?;
    let mut decoder = read.into_decoder().map_err(unreadable)?;
    // The head says how large it is; nothing is unpacked before that is known to be bearable.
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels || decoder.total_bytes() > limits.pixels.saturating_mul(8) {
        return Err(too_large(format!(
            "It has {width} × {height} pixels, of at most {}.",
            limits.pixels
        )));
    }
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.pixels.saturating_mul(8).saturating_add(16 << 20));
    decoder.set_limits(bounds).map_err(unreadable)?;
    let orientation = decoder.orientation().map_err(unreadable)?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut image = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    image = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    image.apply_orientation(orientation);
    Ok(Picture {
        image,
        format,
        profile,
    })
}

/// The same colours as every screen understands them; the profile they were written for does not go out.
pub(super) fn to_srgb(image: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let source = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok());
    let Some(source) = source.filter(|source| source.color_space == DataColorSpace::Rgb) else {
        return image;
    };
    let layout = if image.color().has_alpha() {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let target = ColorProfile::new_srgb();
    let Ok(transform) = source.create_transform_8bit(layout, &target, layout, TransformOptions::default())
    else {
        return image;
    };
    let mut converted = DynamicImage::new(image.width(), image.height(), image.color());
    let pixels: &mut [u8] = match &mut converted {
        DynamicImage::ImageRgba8(converted) => converted,
        DynamicImage::ImageRgb8(converted) => converted,
        _ => return image,
    };
    match transform.transform(image.as_bytes(), pixels) {
        Ok(()) => converted,
        Err(_) => image,
    }
}

/// Whether it is a drawing in SVG.
pub(super) fn is_svg(source: &[u8]) -> bool {
    let start = &source[..source.len().min(1024)];
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg") || (text.starts_with('<') && text.contains("<svg"))
}
