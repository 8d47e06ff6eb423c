//! Pictures of all kinds, and files that only look like some.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

mod hostile;
mod pictures;
mod wanted;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tenon_storage::render::{Limits, Rendered, Wanted, render};

const LIMITS: Limits = Limits {
    bytes: 25 << 20,
    pixels: 50_000_000,
};

/// Red on the left, blue on the right, green in the lowest quarter.
fn flag(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        if y >= height * 3 / 4 {
            Rgb([0, 200, 0])
        } else if x < width / 2 {
            Rgb([220, 0, 0])
        } else {
            Rgb([0, 0, 220])
        }
    })
    .into()
}

/// A disc on nothing.
fn disc(side: u32) -> DynamicImage {
    RgbaImage::from_fn(side, side, |x, y| {
        let from_middle = |at: u32| i64::from(at) * 2 - i64::from(side);
        let inside = from_middle(x).pow(2) + from_middle(y).pow(2) < i64::from(side).pow(2);
        Rgba([250, 200, 0, if inside { 255 } else { 0 }])
    })
    .into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Bytes {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

fn wanted(text: &str) -> Wanted {
    Wanted::of_token(text).unwrap()
}

fn made(source: &Bytes, text: &str) -> Rendered {
    render(source, &wanted(text), &LIMITS).unwrap()
}

fn open(rendered: &Rendered) -> DynamicImage {
    image::load_from_memory(&rendered.bytes).unwrap()
}

fn size(rendered: &Rendered) -> (u32, u32) {
    let image = open(rendered);
    (image.width(), image.height())
}

fn refusal(source: &[u8], text: &str) -> String {
    let refused = render(&Bytes::copy_from_slice(source), &wanted(text), &LIMITS);
    refused.unwrap_err().code.into_owned()
}
