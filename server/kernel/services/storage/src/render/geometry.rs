//! Which part of a picture comes out, and how large. The rules are those of imgproxy, which upstream asks.

use fast_image_resize::{ResizeOptions, Resizer};
use image::DynamicImage;
use tenon_sdk::Result;

use super::{Resize, Wanted, unreadable};

/// A part of the source, and the size it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    out: (u32, u32),
}

/// What comes out of a picture of some size.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sides are small, and no less than one
pub(super) fn plan(size: (u32, u32), wanted: &Wanted) -> Plan {
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    let (across, down) = shrink(width, height, wanted);
    let shorter = |source: f64, by: f64, most: Option<u32>| {
        let scaled = (source / by).round().max(1.0) as u32;
        match most {
            Some(most) if wanted.resize == Resize::Cover => scaled.min(most),
            _ => scaled,
        }
    };
    let out = (
        shorter(width, across, wanted.width),
        shorter(height, down, wanted.height),
    );
    let part = |source: f64, by: f64, out: u32| (f64::from(out) * by).min(source);
    let (part_width, part_height) = match wanted.resize {
        Resize::Cover => (part(width, across, out.0), part(height, down, out.1)),
        Resize::Contain | Resize::Fill => (width, height),
    };
    let (left, top) = wanted
        .gravity
        .corner((width, height), (part_width, part_height), (across, down));
    Plan {
        left,
        top,
        width: part_width,
        height: part_height,
        out,
    }
}

/// By how much each side gets shorter. Where one would get longer, neither does, and the proportions stay as asked.
fn shrink(width: f64, height: f64, wanted: &Wanted) -> (f64, f64) {
    let across = wanted.width.map(|wanted| width / f64::from(wanted));
    let down = wanted.height.map(|wanted| height / f64::from(wanted));
    let (across, down) = match (across, down, wanted.resize) {
        (across, down, Resize::Fill) => (across.unwrap_or(1.0), down.unwrap_or(1.0)),
        (Some(across), Some(down), Resize::Cover) => (across.min(down), across.min(down)),
        (Some(across), Some(down), Resize::Contain) => (across.max(down), across.max(down)),
        (Some(one), None, _) | (None, Some(one), _) => (one, one),
        (None, None, _) => (1.0, 1.0),
    };
    let least = across.min(down).min(1.0);
    (across / least, down / least)
}

/// Resizes a picture of 8 bits a channel.
pub(super) fn resize(image: DynamicImage, wanted: &Wanted) -> Result<DynamicImage> {
    let size = (image.width(), image.height());
    let plan = plan(size, wanted);
    if plan.out == size {
        return Ok(image);
    }
    let mut target = DynamicImage::new(plan.out.0, plan.out.1, image.color());
    let options = ResizeOptions::new().crop(plan.left, plan.top, plan.width, plan.height);
    Resizer::new()
        .resize(&image, &mut target, &options)
        .map_err(unreadable)?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(size: (u32, u32), width: u32, height: u32, resize: Resize) -> (u32, u32) {
        let some = |side| (side > 0).then_some(side);
        let wanted = Wanted {
            width: some(width),
            height: some(height),
            resize,
            ..Wanted::default()
        };
        plan(size, &wanted).out
    }

    #[test]
    fn cover_fills_both_sides_and_contain_stays_within_them() {
        assert_eq!(out((400, 300), 100, 100, Resize::Cover), (100, 100));
        assert_eq!(out((400, 300), 100, 100, Resize::Contain), (100, 75));
        assert_eq!(out((400, 300), 100, 100, Resize::Fill), (100, 100));
        assert_eq!(out((300, 400), 100, 50, Resize::Contain), (38, 50));
    }

    #[test]
    fn one_side_gives_the_other() {
        for resize in [Resize::Cover, Resize::Contain] {
            assert_eq!(out((400, 300), 100, 0, resize), (100, 75));
            assert_eq!(out((400, 300), 0, 100, resize), (133, 100));
        }
        assert_eq!(out((400, 300), 100, 0, Resize::Fill), (100, 300));
        assert_eq!(out((400, 300), 0, 0, Resize::Cover), (400, 300));
    }

    #[test]
    fn nothing_is_made_larger() {
        assert_eq!(out((40, 30), 100, 100, Resize::Contain), (40, 30));
        assert_eq!(out((40, 30), 100, 20, Resize::Cover), (40, 20));
        assert_eq!(out((40, 30), 2500, 2500, Resize::Cover), (40, 30));
        assert_eq!(out((100, 50), 200, 200, Resize::Fill), (50, 50));
    }

    #[test]
    fn what_is_cut_off_is_cut_off_on_both_sides_and_nothing_vanishes() {
        let wanted = Wanted {
            width: Some(100),
            height: Some(100),
            ..Wanted::default()
        };
        let plan = plan((400, 200), &wanted);
        assert_eq!(
            (plan.left, plan.top, plan.width, plan.height),
            (100.0, 0.0, 200.0, 200.0)
        );
        assert_eq!(out((10_000, 1), 100, 100, Resize::Contain), (100, 1));
        assert_eq!(out((1, 1), 1, 1, Resize::Cover), (1, 1));
    }
}
