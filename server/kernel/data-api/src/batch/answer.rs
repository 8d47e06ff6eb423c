//! The answer to a batch: what each operation would have been answered with, in their order.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::operation::Operation;
use crate::respond::Response;

#[derive(Serialize)]
struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    status: u16,
    headers: Map<String, Value>,
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    None,
    Json(&'a RawValue),
    Text(&'a str),
}

/// The JSON of an operation's answer, if that is what its body is.
pub(super) fn json(response: &Response) -> Option<&str> {
    let kind = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))?;
    let kind = kind.1.split(';').next().unwrap_or_default().trim();
    let is_json = kind == "application/json" || kind.ends_with("+json");
    std::str::from_utf8(&response.body)
        .ok()
        .filter(|body| is_json && !body.is_empty())
}

/// All answers as one; none if one of them cannot be said in JSON.
pub(super) fn all(operations: &[Operation], responses: &[Response]) -> Option<Bytes> {
    let parts: Vec<Part<'_>> = operations
        .iter()
        .zip(responses)
        .map(|(operation, response)| part(operation, response))
        .collect::<Option<_>>()?;
    serde_json::to_vec(&parts).ok().map(Bytes::from)
}

fn part<'a>(operation: &'a Operation, response: &'a Response) -> Option<Part<'a>> {
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), Value::from(value.as_str())))
        .collect();
    let body = match (response.body.is_empty(), json(response)) {
        (true, _) => Body::None,
        (false, Some(json)) => Body::Json(serde_json::from_str(json).ok()?),
        (false, None) => Body::Text(std::str::from_utf8(&response.body).ok()?),
    };
    Some(Part {
        id: operation.id.as_deref(),
        status: response.status,
        headers,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_order_with_their_numbers_as_they_are() {
        let operations = Operation::list(
            br#"[{"id":"a","method":"GET","path":"/x"},{"method":"GET","path":"/y"},{"method":"DELETE","path":"/z"}]"#,
            9,
            None,
        )
        .expect("understood");
        let answer = |status, kind: Option<&str>, body: &'static str| Response {
            status,
            headers: kind
                .map(|kind| ("Content-Type".to_owned(), kind.to_owned()))
                .into_iter()
                .collect(),
            body: Bytes::from_static(body.as_bytes()),
        };
        let all = all(
            &operations,
            &[
                answer(200, Some("application/json; charset=utf-8"), r#"[{"n":1.10}]"#),
                answer(200, Some("text/csv; charset=utf-8"), "n\n1"),
                answer(204, None, ""),
            ],
        );
        assert_eq!(
            all.as_deref(),
            Some(
                br#"[{"id":"a","status":200,"headers":{"content-type":"application/json; charset=utf-8"},"body":[{"n":1.10}]},{"status":200,"headers":{"content-type":"text/csv; charset=utf-8"},"body":"n\n1"},{"status":204,"headers":{},"body":null}]"#
                    .as_slice()
            )
        );
    }
}
