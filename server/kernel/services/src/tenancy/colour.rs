//! Which colours an organisation may give its pages: those on which words can be read.
//!
//! Contrast is that of WCAG 2.2 (relative luminance in sRGB), and 4.5 : 1 is what its success criterion 1.4.3 asks for. A colour is
//! good if white words can be read on it, and so words of that colour on a white page. For dark pages the web app lightens it.

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

const WHITE: Colour = Colour([255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0]);

/// Least contrast of words with what they stand on.
const WORDS: f64 = 4.5;

impl Colour {
    /// Reads `#rrggbb`, in either case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| {
            let pair = &digits[at..at + 2];
            // A sign is a number to the parser, but no digit.
            pair.bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(pair, 16).ok())?
        };
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn luminance(self) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
    }

    /// Contrast with another colour, from 1 (none) to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Whether pages may have this colour.
    pub(super) fn is_good(self) -> bool {
        self.contrast(WHITE) >= WORDS
    }

    /// The nearest darker colour of the same hue that is good: itself, if it is.
    pub(super) fn nearest_good(self) -> Self {
        (0..=100_u16)
            .map(|step| Self(self.0.map(|value| scaled(value, 100 - step))))
            .find(|colour| colour.is_good())
            .unwrap_or(BLACK)
    }
}

/// A part of a colour, with so many hundredths of its light.
fn scaled(value: u8, hundredths: u16) -> u8 {
    u8::try_from(u16::from(value) * hundredths / 100).unwrap_or(u8::MAX)
}

impl std::fmt::Display for Colour {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self([red, green, blue]) = self;
        write!(out, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let grey = Colour::parse("#767676").unwrap();
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01);
        for good in ["#2f4f9e", "#2F4F9E", "#000000", "#b3261e", "#767676"] {
            assert!(Colour::parse(good).unwrap().is_good(), "{good}");
        }
        for bad in ["#ffffff", "#ffe94d", "#aaaaaa", "#7a7a7a"] {
            assert!(!Colour::parse(bad).unwrap().is_good(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_colour_is_none() {
        for text in [
            "", "#", "red", "#12345", "#1234567", "123456", "#12 456", "#+12345", "#ééé", "#12345g",
        ] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_colour_has_a_good_one_near_it_and_a_good_one_is_its_own(parts in any::<[u8; 3]>()) {
            let colour = Colour(parts);
            let near = colour.nearest_good();
            prop_assert!(near.is_good(), "{colour} {near}");
            prop_assert_eq!(near == colour, colour.is_good());
            prop_assert!(near.contrast(WHITE) >= 4.5);
        }

        #[test]
        fn a_colour_is_read_as_it_is_written(parts in any::<[u8; 3]>()) {
            let colour = Colour(parts);
            prop_assert_eq!(Colour::parse(&colour.to_string()), Some(colour));
            prop_assert_eq!(Colour::parse(&colour.to_string().to_uppercase()), Some(colour));
        }

        #[test]
        fn no_text_upsets_the_parser(text in ".{0,12}") {
            let _ = Colour::parse(&text);
        }
    }
}
