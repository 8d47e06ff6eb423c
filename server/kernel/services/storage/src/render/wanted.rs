//! What is asked of a picture, in a query or in a signed address.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tenon_sdk::{Error, Result};

use super::gravity::{Anchor, Gravity, Offset};

/// The longest side that comes out.
const LONGEST: u32 = 2500;

/// What is asked of a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// How it is fitted into both.
    pub resize: Resize,
    /// From 20 to 100.
    pub quality: Option<u8>,
    /// The kind of file.
    pub format: Format,
    /// Which part stays, where `resize` cuts.
    pub gravity: Gravity,
}

/// How a picture is fitted into a width and a height. None is ever made larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resize {
    /// Fills both; what stands out is cut off on both sides.
    #[default]
    Cover,
    /// Whole within both.
    Contain,
    /// Both exactly, whatever that does to its proportions.
    Fill,
}

/// The kind of file that comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// WebP for who takes it, else that of the source if every browser knows it.
    Best {
        /// Whether the client takes WebP.
        webp: bool,
    },
    /// That of the source.
    Origin,
    /// AVIF.
    Avif,
    /// WebP.
    Webp,
}

impl Default for Format {
    fn default() -> Self {
        Self::Best { webp: false }
    }
}

impl Wanted {
    /// What the parameters of a query ask for; others than those of pictures are not looked at.
    pub fn of_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut wanted = Self::default();
        for (name, value) in pairs {
            wanted.set(name, value)?;
        }
        Ok(wanted)
    }

    /// What a signed address grants: `width:100,height:80,resize:cover`.
    pub fn of_token(text: &str) -> Result<Self> {
        Self::of_query(text.split(',').filter_map(|pair| pair.split_once(':')))
    }

    /// What a request for a signed address asks to grant.
    pub fn of_json(transform: &Map<String, Value>) -> Result<Self> {
        let mut wanted = Self::default();
        for (name, value) in transform.iter().filter(|(_, value)| !value.is_null()) {
            match value {
                Value::String(text) => wanted.set(name, text)?,
                other => wanted.set(name, &other.to_string())?,
            }
        }
        Ok(wanted)
    }

    /// The same as a text for a signed address; empty if nothing is asked.
    pub fn to_token(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, value: &dyn std::fmt::Display| {
            let mark = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{mark}{name}:{value}");
        };
        if let Some(height) = self.height {
            add("height", &height);
        }
        if let Some(width) = self.width {
            add("width", &width);
        }
        if self.width.is_some() || self.height.is_some() {
            add("resize", &self.resize.name());
        }
        if let Some(quality) = self.quality {
            add("quality", &quality);
        }
        match self.format {
            Format::Best { .. } => {}
            Format::Origin => add("format", &"origin"),
            Format::Avif => add("format", &"avif"),
            Format::Webp => add("format", &"webp"),
        }
        if let Some(anchor) = self.gravity.anchor {
            add("gravity", &anchor.name());
            add("x_offset", &self.gravity.x);
            add("y_offset", &self.gravity.y);
        }
        text
    }

    /// The same in imgproxy's words, for the header `x-transformations`.
    pub fn to_header(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.height.map(|height| format!("height:{height}")));
        words.extend(self.width.map(|width| format!("width:{width}")));
        if !words.is_empty() {
            words.push(format!("resizing_type:{}", self.resize.by_imgproxy()));
        }
        if let Some(anchor) = self.gravity.anchor {
            words.push(format!(
                "gravity:{}:{}:{}",
                anchor.name(),
                self.gravity.x,
                self.gravity.y
            ));
        }
        words.extend(self.quality.map(|quality| format!("quality:{quality}")));
        match self.format {
            Format::Avif => words.push("format:avif".into()),
            Format::Webp => words.push("format:webp".into()),
            Format::Best { .. } | Format::Origin => {}
        }
        words.join(",")
    }

    /// The same for a client with this `Accept`: where no format is asked for, who takes WebP gets it.
    #[must_use]
    pub fn accepting(mut self, accept: &str) -> Self {
        if let Format::Best { webp } = &mut self.format {
            *webp = accept
                .split(',')
                .filter_map(|kind| kind.split(';').next())
                .any(|kind| kind.trim().eq_ignore_ascii_case("image/webp"));
        }
        self
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let wrong = || {
            let value: String = value.chars().take(60).collect();
            Error::invalid(
                "storage.transform_invalid",
                format!("A picture cannot be had with {name} = {value}"),
            )
            .hint(
                "width and height up to 2500, resize cover, contain or fill, quality 20 to 100, format origin, avif or webp, gravity as \
                 imgproxy has it, x_offset and y_offset.",
            )
        };
        match name {
            "width" => self.width = side(value).map_err(|()| wrong())?,
            "height" => self.height = side(value).map_err(|()| wrong())?,
            "resize" => {
                self.resize = match value {
                    "cover" => Resize::Cover,
                    "contain" => Resize::Contain,
                    "fill" => Resize::Fill,
                    _ => return Err(wrong()),
                }
            }
            "quality" => {
                let quality = value.parse().ok().filter(|quality| (20..=100).contains(quality));
                self.quality = Some(quality.ok_or_else(wrong)?);
            }
            "format" => {
                self.format = match value {
                    "origin" => Format::Origin,
                    "avif" => Format::Avif,
                    "webp" => Format::Webp,
                    _ => return Err(wrong()),
                }
            }
            "gravity" => self.gravity.anchor = Some(Anchor::of(value).ok_or_else(wrong)?),
            "x_offset" => self.gravity.x = Offset::of(value).ok_or_else(wrong)?,
            "y_offset" => self.gravity.y = Offset::of(value).ok_or_else(wrong)?,
            _ => {}
        }
        Ok(())
    }
}

impl Resize {
    fn name(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::Contain => "contain",
            Self::Fill => "fill",
        }
    }

    fn by_imgproxy(self) -> &'static str {
        match self {
            Self::Cover => "fill",
            Self::Contain => "fit",
            Self::Fill => "force",
        }
    }
}

/// A side; 0 asks for nothing, and what is longer than the longest is that.
fn side(value: &str) -> Result<Option<u32>, ()> {
    let side: u64 = value.parse().map_err(drop)?;
    let side = u32::try_from(side).unwrap_or(LONGEST).min(LONGEST);
    Ok((side > 0).then_some(side))
}
