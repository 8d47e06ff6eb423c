use image::{GenericImageView, ImageFormat};
use tenon_storage::render::{Wanted, render};

use super::{LIMITS, disc, file, flag, made, open, size, wanted};

#[test]
fn every_kind_of_picture_is_made_smaller() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let source = file(&flag(200, 160), format);
        let image = open(&made(&source, "width:50,height:40,format:origin"));
        assert_eq!((image.width(), image.height()), (50, 40), "{format:?}");
        let [red, _, blue, _] = image.get_pixel(10, 10).0;
        assert!(red > 180 && blue < 60, "{format:?} {red} {blue}");
        let [red, _, blue, _] = image.get_pixel(40, 10).0;
        assert!(red < 60 && blue > 180, "{format:?} {red} {blue}");
    }
}

#[test]
fn what_is_cut_off_is_up_to_the_gravity() {
    let source = file(&flag(200, 100), ImageFormat::Png);
    let red = |text: &str| {
        let image = open(&made(
            &source,
            &format!("width:40,height:80,format:origin,{text}"),
        ));
        assert_eq!((image.width(), image.height()), (40, 80), "{text}");
        image.get_pixel(20, 40).0[0] > 180
    };
    assert!(red("gravity:we"));
    assert!(!red("gravity:ea"));
    assert!(red("gravity:fp,x_offset:0.1,y_offset:0.5"));
    assert!(!red("gravity:fp,x_offset:0.9,y_offset:0.5"));
    for wrong in ["gravity:up", "x_offset:NaN", "y_offset:inf", "gravity:"] {
        let refused = Wanted::of_token(wrong).unwrap_err();
        assert_eq!(refused.code, "storage.transform_invalid", "{wrong}");
    }
}

#[test]
fn the_kind_of_file_is_the_sources_or_what_is_asked_for_or_accepted() {
    let photo = file(&flag(40, 40), ImageFormat::Jpeg);
    let drawn = file(&disc(40), ImageFormat::Png);
    let bitmap = file(&flag(40, 40), ImageFormat::Bmp);
    let webp = file(&flag(40, 40), ImageFormat::WebP);
    for (source, text, kind) in [
        (&photo, "width:20", "image/jpeg"),
        (&photo, "format:webp", "image/webp"),
        (&photo, "format:avif", "image/avif"),
        (&drawn, "quality:50", "image/png"),
        (&drawn, "format:origin", "image/png"),
        (&bitmap, "", "image/jpeg"),
        (&webp, "", "image/jpeg"),
        (&webp, "format:origin", "image/webp"),
    ] {
        let made = made(source, text);
        assert_eq!(made.mime, kind, "{text}");
        let guessed = image::guess_format(&made.bytes).unwrap();
        assert_eq!(guessed.to_mime_type(), kind, "{text}");
    }
    let accepted = Wanted::default().accepting("image/webp,*/*");
    assert_eq!(render(&photo, &accepted, &LIMITS).unwrap().mime, "image/webp");
}

#[test]
fn what_is_clear_stays_clear() {
    let source = file(&disc(100), ImageFormat::Png);
    for text in ["width:50", "width:50,format:webp"] {
        let image = open(&made(&source, text));
        assert_eq!(image.get_pixel(0, 0).0[3], 0, "{text}");
        assert_eq!(image.get_pixel(25, 25).0[3], 255, "{text}");
    }
}

#[test]
fn cover_shows_the_middle() {
    let source = file(&flag(400, 100), ImageFormat::Png);
    let image = open(&made(&source, "width:50,height:50,resize:cover"));
    assert_eq!((image.width(), image.height()), (50, 50));
    assert!(image.get_pixel(5, 5).0[0] > 180, "red is on the left");
    assert!(image.get_pixel(45, 5).0[2] > 180, "blue is on the right");
}

#[test]
fn a_photo_is_turned_as_the_camera_was_held() {
    let upright = file(&flag(80, 40), ImageFormat::Jpeg);
    // APP1 with one tag: orientation 6, to be turned by a quarter.
    let mut turned = upright[..2].to_vec();
    turned.extend_from_slice(
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
    );
    turned.extend_from_slice(&upright[2..]);
    let made = made(&turned.into(), "width:20");
    assert_eq!(size(&made), (20, 40));
    let image = open(&made);
    assert!(image.get_pixel(15, 5).0[0] > 150, "what was left is above");
    assert!(image.get_pixel(2, 5).0[1] > 120, "what was below is on the left");
}

#[test]
fn of_pictures_that_move_the_first_comes_out() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        let picture = image::RgbaImage::from_pixel(30, 30, image::Rgba(colour));
        encoder.encode_frame(image::Frame::new(picture)).unwrap();
    }
    drop(encoder);
    let made = made(&bytes.into(), "width:10");
    assert_eq!(made.mime, "image/gif");
    assert!(open(&made).get_pixel(5, 5).0[0] > 200);
}

#[test]
fn a_drawing_goes_out_as_it_is() {
    for drawing in [
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "\u{feff}<?xml version='1.0'?>\n<!-- x --><svg/>",
    ] {
        let source = bytes::Bytes::from(drawing);
        let made = made(&source, "width:10,quality:20");
        assert_eq!((made.mime, made.bytes), ("image/svg+xml", source.clone()));
        let refused = render(&source, &wanted("format:webp"), &LIMITS);
        assert_eq!(refused.unwrap_err().code, "storage.image_unsupported");
    }
}

#[test]
fn less_quality_is_a_smaller_file() {
    let noise = image::RgbImage::from_fn(120, 120, |x, y| {
        image::Rgb([x * 7 + y * 13, x * y, x ^ y].map(|value| value.to_le_bytes()[0]))
    });
    let source = file(&noise.into(), ImageFormat::Png);
    for format in ["webp", "avif"] {
        let of = |quality| {
            made(&source, &format!("quality:{quality},format:{format}"))
                .bytes
                .len()
        };
        assert!(of(20) < of(95), "{format}");
    }
}
