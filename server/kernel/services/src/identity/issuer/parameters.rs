//! Parameters of a request, from a query or a form.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};

use super::fault::Fault;

/// Most bytes of one value.
const MOST: usize = 4096;
/// Most bytes of all of them.
const MOST_TOGETHER: usize = 32 * 1024;

/// Each at most once, as RFC 6749 (3.1) has it; an empty one is none.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl Parameters {
    /// Reads `name=value&…`.
    ///
    /// Errors: `invalid_request` if one is given twice or is too long.
    pub(super) fn read(text: &[u8]) -> Result<Self, Fault> {
        if text.len() > MOST_TOGETHER {
            return Err(Fault::invalid_request("The request is too long."));
        }
        let mut all = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if value.len() > MOST || name.len() > MOST {
                return Err(Fault::invalid_request("A parameter is too long."));
            }
            if value.contains('\0') {
                return Err(Fault::invalid_request(
                    "A parameter holds a character of no text.",
                ));
            }
            // Several resources may be named (RFC 8707); the others are known once.
            let twice = all
                .insert(name.clone().into_owned(), value.into_owned())
                .is_some();
            if twice && name != "resource" {
                return Err(Fault::invalid_request("A parameter is given twice."));
            }
        }
        all.retain(|_, value| !value.is_empty());
        Ok(Self(all))
    }

    /// Reads the form in a body.
    ///
    /// Errors: `invalid_request` if the body says that it is something else.
    pub(super) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Self, Fault> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let form = kind.is_some_and(|kind| {
            let essence = kind.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !form && !body.is_empty() {
            return Err(Fault::invalid_request(
                "The body is sent as application/x-www-form-urlencoded.",
            ));
        }
        Self::read(body)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Fault> {
        self.get(name)
            .ok_or_else(|| Fault::invalid_request(format!("{name} is missing.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_known_once_and_none_is_huge() {
        let read = Parameters::read(b"a=1&b=&c=x%20y").unwrap();
        assert_eq!(
            (read.get("a"), read.get("b"), read.get("c")),
            (Some("1"), None, Some("x y"))
        );
        assert_eq!(read.required("b").unwrap_err().error, "invalid_request");
        assert!(Parameters::read(b"").unwrap().get("a").is_none());
        assert!(Parameters::read(b"resource=a&resource=b").is_ok());
        for bad in [
            "a=1&a=1".into(),
            "a=%00".into(),
            format!("a={}", "x".repeat(MOST + 1)),
            "&".repeat(MOST_TOGETHER + 1),
        ] {
            assert_eq!(
                Parameters::read(bad.as_bytes()).unwrap_err().error,
                "invalid_request"
            );
        }
    }
}
