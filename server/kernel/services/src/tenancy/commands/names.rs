//! Names that people give: of organisations, departments, and of organisations in addresses.

use tenon_sdk::{Error, Result};

/// A name without the spaces around it, unless it is empty, too long or holds what no name does.
fn checked(name: &str, most: usize) -> Option<&str> {
    let name = name.trim();
    let good = !name.is_empty() && name.chars().count() <= most && !name.chars().any(char::is_control);
    good.then_some(name)
}

/// The name of an organisation.
pub(super) fn organization(name: &str) -> Result<&str> {
    checked(name, 200).ok_or_else(|| {
        Error::unprocessable("tenancy.name_invalid", "The name must have 1 to 200 characters.")
    })
}

/// The name of a department.
pub(super) fn department(name: &str) -> Result<&str> {
    checked(name, 80).ok_or_else(|| {
        Error::unprocessable(
            "tenancy.department_invalid",
            "The name must have 1 to 80 characters.",
        )
    })
}

/// An organisation's name in addresses.
pub(super) fn slug(text: &str) -> Result<&str> {
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (2..=63).contains(&text.len())
        && text.chars().all(part)
        && !text.starts_with('-')
        && !text.ends_with('-')
        // An id is looked for as one.
        && uuid::Uuid::try_parse(text).is_err()
    {
        return Ok(text);
    }
    Err(Error::unprocessable(
        "tenancy.slug_invalid",
        "A name in addresses has 2 to 63 small letters, digits and hyphens, and neither begins nor ends with a hyphen.",
    ))
}
