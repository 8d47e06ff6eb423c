use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat};
use proptest::prelude::*;
use tenon_sdk::config::Config;
use tenon_storage::render::{Limits, Renderer, render};

use super::{LIMITS, file, flag, refusal, wanted};

#[test]
fn what_is_no_picture_is_refused() {
    for source in [
        &b""[..],
        b"hello",
        b"%PDF-1.7",
        b"\xff\xd8",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        &[0; 1000],
    ] {
        let code = refusal(source, "width:10");
        assert!(
            ["storage.image_unsupported", "storage.image_unreadable"].contains(&code.as_str()),
            "{source:?} {code}"
        );
    }
}

#[test]
fn a_colour_profile_that_unpacks_to_very_much_is_not_unpacked() {
    use image::{ExtendedColorType, ImageEncoder};
    let mut source = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut source);
    encoder.set_icc_profile(vec![0; 40 << 20]).unwrap();
    encoder
        .write_image(&[0; 3], 1, 1, ExtendedColorType::Rgb8)
        .unwrap();
    assert!(source.len() < 1 << 20);
    // It would take four times what a file may unpack to say something about itself; the picture comes without.
    let made = render(&source.into(), &wanted("width:1"), &LIMITS).unwrap();
    assert_eq!(made.mime, "image/png");
}

#[test]
fn a_large_picture_is_not_made_avif_as_it_is() {
    let large = file(
        &DynamicImage::ImageLuma8(GrayImage::new(2600, 2600)),
        ImageFormat::Png,
    );
    assert_eq!(refusal(&large, "format:avif"), "storage.image_too_large");
    let made = render(&large, &wanted("width:100,format:avif"), &LIMITS).unwrap();
    assert_eq!(made.mime, "image/avif");
}

#[test]
fn a_picture_with_wrong_checksums_is_shown() {
    let mut source = file(&flag(64, 64), ImageFormat::Png).to_vec();
    let data = source.windows(4).position(|word| word == b"IDAT").unwrap();
    let length = u32::from_be_bytes(source[data - 4..data].try_into().unwrap()) as usize;
    source[data + 4 + length] ^= 0xff;
    let made = render(&source.into(), &wanted("width:10"), &LIMITS).unwrap();
    assert_eq!(made.mime, "image/png");
}

#[test]
fn a_small_file_with_very_many_pixels_is_not_unpacked() {
    // A hundred million pixels in a file of a twentieth of that.
    let bomb = file(
        &DynamicImage::ImageLuma8(GrayImage::new(10_000, 10_000)),
        ImageFormat::Png,
    );
    assert!(bomb.len() < 5_000_000);
    assert_eq!(refusal(&bomb, "width:10"), "storage.image_too_large");
    let mut gif = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08".to_vec();
    gif.extend_from_slice(&[0; 50]);
    assert_eq!(refusal(&gif, "width:10"), "storage.image_too_large");
    let mut bitmap = file(&flag(2, 2), ImageFormat::Bmp).to_vec();
    bitmap[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    bitmap[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    assert_eq!(refusal(&bitmap, "width:10"), "storage.image_too_large");
}

#[test]
fn a_picture_that_breaks_off_is_refused_or_shown_as_far_as_it_goes() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Tiff,
    ] {
        let whole = file(&flag(64, 64), format);
        for part in 1..8 {
            let cut = whole.slice(..whole.len() * part / 8);
            if let Err(refused) = render(&cut, &wanted("width:10"), &LIMITS) {
                assert!(refused.code.starts_with("storage.image_"), "{refused}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_over_the_limit_is_not_fetched() {
    let renderer = Renderer::new(&Config::defaults().storage.render);
    let fetch = async { unreachable!("it is known to be too large") };
    let refused = renderer.render(30 << 20, fetch, wanted("width:10")).await;
    assert_eq!(refused.unwrap_err().code, "storage.image_too_large");
}

#[tokio::test]
async fn pictures_take_turns() {
    let mut settings = Config::defaults().storage.render;
    settings.at_once = 1;
    let renderer = Renderer::new(&settings);
    let source = file(&flag(300, 300), ImageFormat::Png);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (renderer, source) = (renderer.clone(), source.clone());
        running.spawn(async move {
            let size = source.len() as u64;
            let fetch = async move {
                let content: tenon_storage::store::Content =
                    Box::pin(futures_util::stream::iter([Ok(source)]));
                Ok(content)
            };
            renderer.render(size, fetch, wanted("width:30")).await.unwrap()
        });
    }
    while let Some(made) = running.join_next().await {
        assert_eq!(made.unwrap().mime, "image/png");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A flipped byte makes another picture or none, and never more than the limits allow.
    #[test]
    fn a_damaged_picture_harms_nobody(at in 0_usize..2000, value: u8, kind in 0_usize..5) {
        let format = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff][kind];
        let mut bytes = file(&flag(24, 24), format).to_vec();
        let at = at % bytes.len();
        bytes[at] = value;
        let limits = Limits { bytes: 1 << 20, pixels: 1_000_000 };
        let source = Bytes::from(bytes);
        // Decoders may panic on damaged files; the pool turns that into a refusal.
        let _ = std::panic::catch_unwind(|| render(&source, &wanted("width:10"), &limits));
    }
}
