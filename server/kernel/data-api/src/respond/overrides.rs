//! Status and headers that functions set through `response.status` and `response.headers`.

use serde_json::{Map, Value};

use super::{DbResult, Response};
use crate::error::{Error, Result};

pub(super) struct Overrides {
    status: Option<u16>,
    headers: Vec<(String, String)>,
}

impl Overrides {
    pub(super) fn read(result: &DbResult) -> Result<Self> {
        let status = match &result.response_status {
            None => None,
            Some(text) => {
                let status = text
                    .trim()
                    .parse::<u16>()
                    .ok()
                    .filter(|status| (100..1000).contains(status));
                Some(status.ok_or_else(Error::response_status)?)
            }
        };
        let mut headers = Vec::new();
        if let Some(text) = &result.response_headers {
            let list: Vec<Map<String, Value>> =
                serde_json::from_str(text).map_err(|_| Error::response_headers())?;
            for entry in list {
                match entry.iter().next() {
                    Some((name, Value::String(value))) if entry.len() == 1 && is_header(name, value) => {
                        headers.push((name.clone(), value.clone()));
                    }
                    _ => return Err(Error::response_headers()),
                }
            }
        }
        Ok(Self { status, headers })
    }

    /// What was set stands before what the response would say itself.
    pub(super) fn apply(self, mut response: Response) -> Response {
        response.status = self.status.unwrap_or(response.status);
        response
            .headers
            .retain(|(name, _)| !self.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)));
        response.headers.extend(self.headers);
        response
    }
}

/// A name and value that cannot break out of their line.
fn is_header(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && !value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn set(headers: Option<&str>, status: Option<&str>) -> Result<Response> {
        let result = DbResult {
            response_headers: headers.map(str::to_owned),
            response_status: status.map(str::to_owned),
            ..DbResult::default()
        };
        let own = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Ok(Overrides::read(&result)?.apply(Response {
            status: 200,
            headers: own,
            body: Bytes::new(),
        }))
    }

    #[test]
    fn functions_override_status_and_headers() {
        let response = set(
            Some(r#"[{"content-type":"image/png"},{"X-A":"1"},{"X-A":"2"}]"#),
            Some("418"),
        )
        .expect("valid");
        assert_eq!(response.status, 418);
        let names: Vec<&str> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "X-A", "X-A"]);
    }

    #[test]
    fn broken_overrides_are_the_functions_fault() {
        for wrong in [
            "{}",
            "[1]",
            r#"[{"a":1}]"#,
            r#"[{"a":"1","b":"2"}]"#,
            r#"[{"a":"x\r\ny: z"}]"#,
            r#"[{"a b":"c"}]"#,
        ] {
            assert_eq!(
                set(Some(wrong), None).map_err(|error| error.code),
                Err("PGRST111".into()),
                "{wrong}"
            );
        }
        assert_eq!(
            set(None, Some("abc")).map_err(|error| error.code),
            Err("PGRST112".into())
        );
    }
}
