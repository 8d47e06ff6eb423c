//! Pictures resized and encoded anew on their way out, within limits of size, memory and threads. Who may see a picture is decided
//! before; which requests ask for one is the routes' concern.

mod checksums;
mod decode;
mod encode;
mod geometry;
mod gravity;
mod pictures;
mod pool;
mod routes;
mod wanted;

pub use decode::Limits;
pub use gravity::{Anchor, Gravity, Offset};
pub(crate) use pictures::Pictures;
pub use pool::Renderer;
pub(crate) use routes::routes;
pub use wanted::{Format, Resize, Wanted};

use bytes::Bytes;
use tenon_sdk::{Error, Result};

/// A picture as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The file.
    pub bytes: Bytes,
    /// Its content type.
    pub mime: &'static str,
}

/// Makes what is wanted of a picture. It takes a while, and a thread.
pub fn render(source: &Bytes, wanted: &Wanted, limits: &Limits) -> Result<Rendered> {
    if decode::is_svg(source) {
        return drawing(source, wanted);
    }
    let picture = decode::decode(source, limits)?;
    let target = encode::Target::of(&picture, wanted);
    let resized = geometry::resize(picture.image, wanted)?;
    let converted = decode::to_srgb(resized, picture.profile.as_deref());
    encode::encode(&converted, target, wanted.quality)
}

/// A drawing has every size already, and goes out as it is.
fn drawing(source: &Bytes, wanted: &Wanted) -> Result<Rendered> {
    match wanted.format {
        Format::Best { .. } | Format::Origin => Ok(Rendered {
            bytes: source.clone(),
            mime: "image/svg+xml",
        }),
        Format::Avif | Format::Webp => Err(unsupported()),
    }
}

/// As upstream says it, for clients that read the words.
const BAD_SOURCE: &str = "The source image is invalid or unsupported for rendering";

fn unsupported() -> Error {
    Error::invalid("storage.image_unsupported", BAD_SOURCE)
        .hint("JPEG, PNG, WebP, GIF, BMP, ICO and TIFF can be transformed; SVG goes out as it is.")
}

fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::invalid("storage.image_unreadable", BAD_SOURCE).details(cause.to_string())
}

fn too_large(details: String) -> Error {
    Error::unprocessable(
        "storage.image_too_large",
        "The picture is too large to be transformed.",
    )
    .details(details)
}
