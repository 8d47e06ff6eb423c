//! What a batch asks for, before any of it is done.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Longest id of an operation.
const ID_LENGTH: usize = 64;

/// One operation, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    id: Option<String>,
    method: String,
    path: String,
    prefer: Option<String>,
    accept: Option<String>,
    schema: Option<String>,
    body: Option<Box<RawValue>>,
}

/// One operation: a request without a connection of its own.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: Option<String>,
    pub(super) method: Method,
    /// Path below the root of the data API.
    pub(super) path: String,
    /// Query string without `?`.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Box<RawValue>>,
}

impl Operation {
    /// Reads the body of a batch: an array of at most `most` operations. `schema` is the one that operations mean when
    /// they name none.
    pub(super) fn list(body: &[u8], most: usize, schema: Option<&HeaderValue>) -> Result<Vec<Self>> {
        let sent: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
            Error::batch("A batch is a JSON array of operations.").details(error.to_string())
        })?;
        if sent.is_empty() {
            return Err(Error::batch("A batch has at least one operation."));
        }
        if sent.len() > most {
            let found = format!("There are {} operations; at most {most} are taken.", sent.len());
            return Err(Error::batch_too_large(found));
        }
        let mut operations: Vec<Self> = Vec::with_capacity(sent.len());
        for (index, text) in sent.into_iter().enumerate() {
            let operation = Self::read(text, schema).map_err(|error| error.of_operation(index, None))?;
            let id = operation.id.as_deref();
            if id.is_some() && operations.iter().any(|before| before.id.as_deref() == id) {
                return Err(Error::batch("Two operations have the same id.").of_operation(index, id));
            }
            operations.push(operation);
        }
        Ok(operations)
    }

    fn read(text: &RawValue, schema: Option<&HeaderValue>) -> Result<Self> {
        let wrong = |details: String| Error::batch("This operation cannot be understood.").details(details);
        let sent: Sent = serde_json::from_str(text.get()).map_err(|error| wrong(error.to_string()))?;
        if let Some(id) = sent.id.as_deref().filter(|id| !is_id(id)) {
            return Err(wrong(format!(
                "The id {id:?} is not of letters, digits, '_' and '-', beginning with a letter."
            )));
        }
        let method = match sent.method.as_str() {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            "POST" => Method::POST,
            "PATCH" => Method::PATCH,
            "PUT" => Method::PUT,
            "DELETE" => Method::DELETE,
            other => return Err(wrong(format!("The method {other:?} cannot be part of a batch."))),
        };
        let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
        if !path.starts_with('/') || path.trim_matches('/').is_empty() {
            return Err(wrong(format!(
                "The path {path:?} does not name a relation or function, as '/orders' does."
            )));
        }
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, text: Option<&String>| -> Result<()> {
            if let Some(text) = text {
                let value = HeaderValue::from_str(text)
                    .map_err(|_| wrong(format!("{name} has letters that it may not have.")))?;
                headers.insert(name, value);
            }
            Ok(())
        };
        put(HeaderName::from_static("prefer"), sent.prefer.as_ref())?;
        put(header::ACCEPT, sent.accept.as_ref())?;
        let reads = matches!(method, Method::GET | Method::HEAD);
        let profile = HeaderName::from_static(if reads {
            "accept-profile"
        } else {
            "content-profile"
        });
        put(profile.clone(), sent.schema.as_ref())?;
        if let (None, Some(schema)) = (&sent.schema, schema) {
            headers.insert(profile, schema.clone());
        }
        Ok(Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: sent.body,
            id: sent.id,
        })
    }

    /// It cannot write: a GET or HEAD.
    pub(super) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// An id cannot be mistaken for a number, nor end a reference's first part.
fn is_id(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.len() <= ID_LENGTH
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(body: &str) -> Result<Vec<Operation>> {
        Operation::list(body.as_bytes(), 3, Some(&HeaderValue::from_static("shop")))
    }

    #[test]
    fn operations_are_requests() {
        let read = list(
            r#"[{"id":"a","method":"POST","path":"/orders?select=id","prefer":"return=representation","body":{"n":1.10}},
                {"method":"GET","path":"/notes","schema":"other","accept":"text/csv"}]"#,
        )
        .expect("understood");
        let header = |index: usize, name: &str| {
            read[index]
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        assert_eq!(
            (read[0].path.as_str(), read[0].query.as_str()),
            ("/orders", "select=id")
        );
        assert_eq!(
            read[0].body.as_ref().map(|body| body.get()),
            Some(r#"{"n":1.10}"#)
        );
        assert_eq!(header(0, "prefer").as_deref(), Some("return=representation"));
        assert_eq!(header(0, "content-profile").as_deref(), Some("shop"));
        assert_eq!(header(1, "accept-profile").as_deref(), Some("other"));
        assert_eq!((read[0].reads(), read[1].reads()), (false, true));
    }

    #[test]
    fn what_is_no_batch_is_refused_and_says_where() {
        let get = r#"{"method":"GET","path":"/a"}"#;
        for (body, status, operation) in [
            ("", 400, None),
            ("{}", 400, None),
            ("[]", 400, None),
            (&format!("[{get},{get},{get},{get}]"), 413, None),
            (&format!("[{get},1]"), 400, Some(1)),
            (r#"[{"method":"GET","path":"/a","extra":1}]"#, 400, Some(0)),
            (r#"[{"method":"OPTIONS","path":"/a"}]"#, 400, Some(0)),
            (r#"[{"method":"GET","path":"a"}]"#, 400, Some(0)),
            (r#"[{"method":"GET","path":"/?select=*"}]"#, 400, Some(0)),
            (r#"[{"id":"1","method":"GET","path":"/a"}]"#, 400, Some(0)),
            (r#"[{"id":"a/b","method":"GET","path":"/a"}]"#, 400, Some(0)),
            (r#"[{"method":"GET","path":"/a","prefer":"x\ny"}]"#, 400, Some(0)),
            (
                r#"[{"id":"x","method":"GET","path":"/a"},{"id":"x","method":"GET","path":"/a"}]"#,
                400,
                Some(1),
            ),
        ] {
            let error = list(body).expect_err(body);
            let named = error.operation.as_ref().map(|operation| operation.index);
            assert_eq!((error.status, named), (status, operation), "{body}");
        }
    }
}
