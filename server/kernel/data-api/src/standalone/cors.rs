//! Which web pages may call (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// Methods that pages may use.
const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";

/// Headers of answers that pages may read.
const EXPOSED: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, \
                       Transfer-Encoding, Range-Unit";

/// Seconds for which a browser need not ask again.
const MAX_AGE: &str = "86400";

type Headers = Vec<(HeaderName, HeaderValue)>;

/// The answer to a browser that asks beforehand; none for any other request.
pub(super) fn preflight(allowed: Option<&[String]>, method: &Method, headers: &HeaderMap) -> Option<Headers> {
    let wanted = headers
        .get(header::ACCESS_CONTROL_REQUEST_METHOD)?
        .to_str()
        .ok()?;
    let known = METHODS.split(", ").any(|method| method == wanted);
    if method != Method::OPTIONS || !known {
        return None;
    }
    let mut answer = origin(allowed, headers)?;
    let asked = headers
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asked = asked.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<&str> = std::iter::once("Authorization")
        .chain(asked)
        .chain(["Accept", "Accept-Language", "Content-Language"])
        .collect();
    let value = HeaderValue::from_str(&names.join(", ")).ok()?;
    answer.push((
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(METHODS),
    ));
    answer.push((header::ACCESS_CONTROL_ALLOW_HEADERS, value));
    answer.push((header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE)));
    Some(answer)
}

/// What stands in the answer to any request of a page.
pub(super) fn simple(allowed: Option<&[String]>, headers: &HeaderMap) -> Headers {
    let Some(mut answer) = origin(allowed, headers) else {
        return Vec::new();
    };
    answer.push((
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    ));
    answer
}

/// The page's origin, if it may call.
fn origin(allowed: Option<&[String]>, headers: &HeaderMap) -> Option<Headers> {
    let origin = headers.get(header::ORIGIN)?;
    let Some(allowed) = allowed else {
        let any = HeaderValue::from_static("*");
        return Some(vec![(header::ACCESS_CONTROL_ALLOW_ORIGIN, any)]);
    };
    allowed
        .iter()
        .find(|known| known.as_bytes() == origin.as_bytes())?;
    Some(vec![
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn value(headers: &Headers, wanted: &HeaderName) -> Option<String> {
        let (_, value) = headers.iter().find(|(name, _)| name == wanted)?;
        Some(value.to_str().expect("text").to_owned())
    }

    #[test]
    fn any_page_may_ask_beforehand_unless_some_are_named() {
        let headers = page(&[
            ("origin", "http://example.com"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "Foo,Bar"),
        ]);
        let answer = preflight(None, &Method::OPTIONS, &headers).expect("an answer");
        assert_eq!(
            value(&answer, &header::ACCESS_CONTROL_ALLOW_ORIGIN).as_deref(),
            Some("*")
        );
        assert_eq!(
            value(&answer, &header::ACCESS_CONTROL_ALLOW_HEADERS).as_deref(),
            Some("Authorization, Foo, Bar, Accept, Accept-Language, Content-Language")
        );
        let other = ["http://other.com".to_owned()];
        assert_eq!(preflight(Some(&other), &Method::OPTIONS, &headers), None);
        assert_eq!(preflight(None, &Method::GET, &headers), None);
    }

    #[test]
    fn a_named_page_may_send_credentials_and_another_learns_nothing() {
        let allowed = ["http://example.com".to_owned(), "http://two.com".to_owned()];
        let known = simple(Some(&allowed), &page(&[("origin", "http://two.com")]));
        assert_eq!(
            value(&known, &header::ACCESS_CONTROL_ALLOW_ORIGIN).as_deref(),
            Some("http://two.com")
        );
        assert!(value(&known, &header::ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some());
        assert!(simple(Some(&allowed), &page(&[("origin", "http://evil.com")])).is_empty());
        assert!(simple(None, &page(&[])).is_empty());
    }
}
