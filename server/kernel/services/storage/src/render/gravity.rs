//! Which part of a picture stays where it is cut. The words and the reckoning are imgproxy's (its option `gravity`), which upstream
//! hands them to.

use std::hash::{Hash, Hasher};

/// A side, a corner, the middle, or a point of one's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The middle (`ce`); also for `sm`, since no picture is searched for what matters in it.
    #[default]
    Middle,
    /// A side or a corner: −1 for left or top, 1 for right or bottom, 0 for neither.
    Side(i8, i8),
    /// The offsets are a point, as parts of the width and the height, that stays as near to the middle as can be (`fp`).
    Point,
}

/// How far from the anchor: below 1 a part of the side, else pixels of what comes out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offset(f64);

/// The anchor and the offsets from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gravity {
    /// Where from.
    pub anchor: Option<Anchor>,
    /// Along the width.
    pub x: Offset,
    /// Along the height.
    pub y: Offset,
}

const WORDS: [(&str, Anchor); 11] = [
    ("ce", Anchor::Middle),
    ("sm", Anchor::Middle),
    ("no", Anchor::Side(0, -1)),
    ("so", Anchor::Side(0, 1)),
    ("ea", Anchor::Side(1, 0)),
    ("we", Anchor::Side(-1, 0)),
    ("noea", Anchor::Side(1, -1)),
    ("nowe", Anchor::Side(-1, -1)),
    ("soea", Anchor::Side(1, 1)),
    ("sowe", Anchor::Side(-1, 1)),
    ("fp", Anchor::Point),
];

impl Anchor {
    /// The anchor of a word, if it is one.
    pub(super) fn of(word: &str) -> Option<Self> {
        WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, anchor)| *anchor)
    }

    pub(super) fn name(self) -> &'static str {
        WORDS
            .iter()
            .find(|(_, known)| *known == self)
            .map_or("ce", |(word, _)| word)
    }
}

impl Gravity {
    /// Where the part begins that stays: `whole` and `part` in pixels of the source, of which `by` become one.
    pub(super) fn corner(self, whole: (f64, f64), part: (f64, f64), by: (f64, f64)) -> (f64, f64) {
        let one = |side: i8, offset: Offset, whole: f64, part: f64, by: f64| {
            let room = whole - part;
            let from = match self.anchor.unwrap_or_default() {
                Anchor::Point => whole * offset.0 - part / 2.0,
                _ if side < 0 => offset.pixels(whole, by),
                _ if side > 0 => room - offset.pixels(whole, by),
                _ => room / 2.0 + offset.pixels(whole, by),
            };
            from.clamp(0.0, room.max(0.0))
        };
        let (across, down) = match self.anchor {
            Some(Anchor::Side(across, down)) => (across, down),
            _ => (0, 0),
        };
        (
            one(across, self.x, whole.0, part.0, by.0),
            one(down, self.y, whole.1, part.1, by.1),
        )
    }
}

impl Offset {
    /// Nothing but a number that is one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let number: f64 = text.parse().ok()?;
        // Of the two zeros one, so that equal ones are the same.
        number.is_finite().then_some(Self(number + 0.0))
    }

    fn pixels(self, whole: f64, by: f64) -> f64 {
        if self.0.abs() < 1.0 {
            self.0 * whole
        } else {
            self.0 * by
        }
    }
}

impl std::fmt::Display for Offset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PartialEq for Offset {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Offset {}

impl Hash for Offset {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(word: &str, x: &str, y: &str) -> (f64, f64) {
        let gravity = Gravity {
            anchor: Anchor::of(word),
            x: Offset::of(x).unwrap(),
            y: Offset::of(y).unwrap(),
        };
        gravity.corner((400.0, 200.0), (200.0, 100.0), (2.0, 2.0))
    }

    #[test]
    fn sides_and_corners_are_where_maps_have_them() {
        assert_eq!(corner("ce", "0", "0"), (100.0, 50.0));
        assert_eq!(corner("no", "0", "0"), (100.0, 0.0));
        assert_eq!(corner("soea", "0", "0"), (200.0, 100.0));
        assert_eq!(corner("nowe", "0", "0"), (0.0, 0.0));
    }

    #[test]
    fn offsets_lead_inwards_and_never_out_of_the_picture() {
        assert_eq!(corner("nowe", "10", "0.1"), (20.0, 20.0));
        assert_eq!(corner("soea", "10", "0.1"), (180.0, 80.0));
        assert_eq!(corner("ce", "-10", "5000"), (80.0, 100.0));
    }

    #[test]
    fn a_point_stays_in_the_middle_as_far_as_the_picture_goes() {
        assert_eq!(corner("fp", "0.5", "0.5"), (100.0, 50.0));
        assert_eq!(corner("fp", "0", "1"), (0.0, 100.0));
    }

    #[test]
    fn what_is_no_number_is_no_offset() {
        for text in ["", "NaN", "inf", "1e999", "left"] {
            assert!(Offset::of(text).is_none(), "{text}");
        }
    }
}
