//! Stage 5, respond: what the database returned becomes status, headers and body.

mod lines;
mod overrides;
mod result;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::api_request::{Action, ApiRequest, Count, Mutation, Preferences, Resolution, Return};
use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::plan::{CallPlan, DescribePlan, MutatePlan, Plan, PlannedAction};
use crate::schema_cache::Returns;

pub use lines::Lines;
pub(crate) use result::Digits;
pub use result::{DbResult, Raw};

/// Everything in a URL's part is escaped but letters, digits and these.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The dialect's name and version, where an answer says who warns.
const DIALECT: &str = "PostgRESTv16.1";

/// An HTTP answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Headers in order; names as they are written.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Bytes,
}

impl From<&Error> for Response {
    fn from(error: &Error) -> Self {
        let mut headers = vec![
            (
                "Content-Type".to_owned(),
                "application/json; charset=utf-8".to_owned(),
            ),
            (
                "Proxy-Status".to_owned(),
                format!("PostgREST; error={}", error.code),
            ),
        ];
        headers.extend(error.headers.iter().cloned());
        Self {
            status: error.status,
            headers,
            body: error.body().into(),
        }
    }
}

/// Whether the result may stand. To be asked before the transaction commits where the plan says so.
pub fn check(plan: &Plan, result: &DbResult) -> Result<()> {
    if plan.explain.is_some() {
        return Ok(());
    }
    let rows = result.page_count;
    let most = match &plan.action {
        PlannedAction::Mutate(mutate) => {
            if mutate.is_put() && rows != 1 {
                return Err(Error::put_payload());
            }
            mutate.max_affected
        }
        PlannedAction::Call(call) => call.max_affected,
        _ => None,
    };
    if most.is_some_and(|most| rows > most) {
        return Err(Error::max_affected(rows));
    }
    let returns_value = matches!(&plan.action, PlannedAction::Call(call) if call.returns_value());
    if plan.media.is_singular() && rows != 1 && !returns_value {
        return Err(Error::not_singular(rows));
    }
    Ok(())
}

/// The answer to a request that never reached the database.
pub fn info(plan: &Plan) -> Option<Response> {
    let PlannedAction::Info(methods) = &plan.action else {
        return None;
    };
    let header = |name: &str, value: String| (name.to_owned(), value);
    let headers = vec![
        header("Access-Control-Allow-Origin", "*".to_owned()),
        header("Allow", methods.join(",")),
    ];
    Some(Response {
        status: 200,
        headers,
        body: Bytes::new(),
    })
}

/// The answer to a request.
pub fn respond(request: &ApiRequest, plan: &Plan, result: DbResult) -> Result<Response> {
    if plan.explain.is_some() {
        return Ok(explained(request, plan, result));
    }
    check(plan, &result)?;
    let overrides = overrides::Overrides::read(&result)?;
    let mut response = match &plan.action {
        PlannedAction::Read(_) => read(request, plan, result)?,
        PlannedAction::Mutate(mutate) => write(request, plan, mutate, result),
        PlannedAction::Call(call) => called(request, plan, call, result)?,
        PlannedAction::Describe(describe) => described(request, plan, describe, &result)?,
        PlannedAction::Info(_) => info(plan).unwrap_or(Response {
            status: 200,
            headers: Vec::new(),
            body: Bytes::new(),
        }),
    };
    response.headers.extend(warnings(request));
    Ok(overrides.apply(response))
}

/// PostgreSQL's plan, whatever was explained.
fn explained(request: &ApiRequest, plan: &Plan, result: DbResult) -> Response {
    let mut headers = Vec::new();
    content_headers(&mut headers, request, plan);
    Response {
        status: 200,
        headers,
        body: result.body.unwrap_or_default(),
    }
}

fn read(request: &ApiRequest, plan: &Plan, result: DbResult) -> Result<Response> {
    let total = total(plan, &result);
    let (status, range) = page(plan, &result, total)?;
    let mut headers = vec![
        ("Content-Range".to_owned(), range),
        ("Content-Location".to_owned(), canonical(request)),
    ];
    content_headers(&mut headers, request, plan);
    let wishes = Preferences {
        count: plan.count,
        ..granted(request)
    };
    applied(&mut headers, &wishes);
    Ok(Response {
        status,
        headers,
        body: result.body.unwrap_or_default(),
    })
}

fn write(request: &ApiRequest, plan: &Plan, mutate: &MutatePlan, result: DbResult) -> Response {
    let rows = result.page_count;
    let total = match plan.count {
        Some(Count::Exact | Count::Estimated) => Some(rows),
        Some(Count::Planned) | None => None,
    };
    let inserted = rows - result.updated_count.unwrap_or(0);
    let shown = mutate.representation == Return::Representation;
    // Without a key nothing can be merged, but nothing inserted is nothing inserted.
    let merged = request.preferences.resolution == Some(Resolution::MergeDuplicates);
    let status = match mutate.mutation {
        Mutation::Insert if merged && inserted <= 0 => 200,
        Mutation::Insert => 201,
        Mutation::Put if shown && inserted > 0 => 201,
        _ if shown => 200,
        _ => 204,
    };
    let mut headers = Vec::new();
    if let Some(location) = result
        .location
        .as_deref()
        .filter(|_| rows == 1)
        .and_then(|key| location(mutate, key))
    {
        headers.push(("Location".to_owned(), location));
    }
    match mutate.mutation {
        Mutation::Insert | Mutation::Delete => {
            headers.push(("Content-Range".to_owned(), content_range(1, 0, total)));
        }
        Mutation::Update => headers.push(("Content-Range".to_owned(), content_range(0, rows - 1, total))),
        Mutation::Put => {}
    }
    if shown {
        content_headers(&mut headers, request, plan);
    }
    let preferences = &request.preferences;
    let inserts = mutate.mutation == Mutation::Insert;
    let wishes = Preferences {
        resolution: preferences
            .resolution
            .filter(|_| inserts && mutate.conflict.is_some()),
        missing: preferences
            .missing
            .filter(|_| inserts || mutate.mutation == Mutation::Update),
        nested: preferences.nested && inserts,
        representation: preferences.representation,
        count: plan.count,
        max_affected: mutate.max_affected,
        ..granted(request)
    };
    applied(&mut headers, &wishes);
    let body = if shown {
        result.body.unwrap_or_default()
    } else {
        Bytes::new()
    };
    Response {
        status,
        headers,
        body,
    }
}

fn called(request: &ApiRequest, plan: &Plan, call: &CallPlan, result: DbResult) -> Result<Response> {
    let total = total(plan, &result);
    let (status, range) = page(plan, &result, total)?;
    let mut headers = vec![("Content-Range".to_owned(), range)];
    let wishes = Preferences {
        count: plan.count,
        max_affected: call.max_affected,
        ..granted(request)
    };
    applied(&mut headers, &wishes);
    if call.returns == Returns::Void {
        return Ok(Response {
            status: 204,
            headers,
            body: Bytes::new(),
        });
    }
    content_headers(&mut headers, request, plan);
    Ok(Response {
        status,
        headers,
        body: result.body.unwrap_or_default(),
    })
}

/// The description of a schema.
fn described(
    request: &ApiRequest,
    plan: &Plan,
    describe: &DescribePlan,
    result: &DbResult,
) -> Result<Response> {
    let json = result.body.as_deref().unwrap_or_default();
    let catalogue = Catalogue::from_json(json).map_err(|_| Error::no_schema_cache())?;
    let content_type = describe.options.standard.content_type();
    let mut headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    if request.negotiated {
        headers.push(("Content-Profile".to_owned(), request.schema.clone()));
    }
    let body = if plan.head {
        Bytes::new()
    } else {
        serde_json::to_vec(&describe.options.describe(&catalogue))
            .unwrap_or_default()
            .into()
    };
    Ok(Response {
        status: 200,
        headers,
        body,
    })
}

/// Where what was read can be read again, with the parameters in their canonical order.
fn canonical(request: &ApiRequest) -> String {
    let relation = match &request.action {
        Action::Read { relation, .. } => relation.as_str(),
        _ => "",
    };
    let query = &request.query.canonical;
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/{relation}{mark}{query}")
}

/// Warnings about what will not be understood for ever.
fn warnings(request: &ApiRequest) -> impl Iterator<Item = (String, String)> {
    request.query.hidden_names.iter().map(|hidden| {
        let text = format!(
            "299 {DIALECT} \"Embedded resource was referenced by relation name even though it has an alias. This is deprecated \
             and will stop working in a future release. Update `{}` to `{}` in query string filters, orders or limits.\"",
            hidden.name, hidden.alias
        );
        ("Warning".to_owned(), text)
    })
}

/// How many rows there are beside the page, as far as it was asked.
fn total(plan: &Plan, result: &DbResult) -> Option<i64> {
    match plan.count? {
        Count::Exact => result.total_count,
        Count::Planned => result.estimate.or(result.total_count),
        Count::Estimated => {
            let counted = result.total_count?;
            let most = plan.max_rows.and_then(|rows| i64::try_from(rows).ok());
            match result.estimate {
                Some(estimate) if most.is_none_or(|most| counted > most) => Some(estimate.max(counted)),
                _ => Some(counted),
            }
        }
    }
}

/// Status and `Content-Range` of a page.
fn page(plan: &Plan, result: &DbResult, total: Option<i64>) -> Result<(u16, String)> {
    let offset = plan.range.offset;
    let limit = plan.limit().and_then(|limit| i64::try_from(limit).ok());
    // An exact total says how many rows there will be on the page.
    let rows = match (result.open, plan.count, total) {
        (false, ..) => Some(result.page_count),
        (true, Some(Count::Exact), Some(total)) => {
            let behind = total - i64::try_from(offset).unwrap_or(i64::MAX);
            Some(behind.min(limit.unwrap_or(i64::MAX)))
        }
        (true, ..) => None,
    };
    paged(offset, rows, limit, total)
}

fn paged(offset: u64, rows: Option<i64>, limit: Option<i64>, total: Option<i64>) -> Result<(u16, String)> {
    let lower = i64::try_from(offset).unwrap_or(i64::MAX);
    let status = match (total, rows.or(limit)) {
        (Some(total), _) if lower > total => return Err(Error::range_out_of_bounds(offset, total)),
        (Some(total), Some(rows)) if rows < total => 206,
        _ => 200,
    };
    let range = match rows {
        Some(rows) => content_range(lower, lower.saturating_add(rows) - 1, total),
        None => content_range(1, 0, total),
    };
    Ok((status, range))
}

fn content_range(lower: i64, upper: i64, total: Option<i64>) -> String {
    let rows = if total != Some(0) && lower <= upper {
        format!("{lower}-{upper}")
    } else {
        "*".to_owned()
    };
    let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    format!("{rows}/{total}")
}

fn content_headers(headers: &mut Vec<(String, String)>, request: &ApiRequest, plan: &Plan) {
    let media = plan
        .explain
        .as_ref()
        .map_or(&plan.media, |explain| &explain.media);
    headers.push(("Content-Type".to_owned(), media.content_type().into_owned()));
    if request.negotiated {
        headers.push(("Content-Profile".to_owned(), request.schema.clone()));
    }
}

/// The wishes that are granted whatever is done.
fn granted(request: &ApiRequest) -> Preferences {
    let preferences = &request.preferences;
    Preferences {
        tx: preferences.tx,
        handling: preferences.handling,
        timezone: preferences.timezone.clone(),
        ..Preferences::default()
    }
}

fn applied(headers: &mut Vec<(String, String)>, wishes: &Preferences) {
    if let Some(words) = wishes.applied() {
        headers.push(("Preference-Applied".to_owned(), words));
    }
}

/// `/orders?id=eq.1` from the new row's key.
fn location(mutate: &MutatePlan, key: &str) -> Option<String> {
    let key: Map<String, Value> = serde_json::from_str(key).ok()?;
    let filters: Vec<String> = key
        .iter()
        .map(|(column, value)| {
            let value = match value {
                Value::Null => "is.null".to_owned(),
                Value::String(text) => format!("eq.{}", encoded(text)),
                other => format!("eq.{}", encoded(&other.to_string())),
            };
            format!("{}={value}", encoded(column))
        })
        .collect();
    Some(format!("/{}?{}", encoded(&mutate.table.name), filters.join("&")))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_where_they_stand() {
        for (offset, rows, total, status, text) in [
            (0, Some(3), None, 200, "0-2/*"),
            (0, Some(0), None, 200, "*/*"),
            (0, Some(3), Some(3), 200, "0-2/3"),
            (0, Some(3), Some(10), 206, "0-2/10"),
            (5, Some(2), Some(7), 206, "5-6/7"),
            (0, Some(0), Some(0), 200, "*/0"),
            (7, Some(0), Some(7), 206, "*/7"),
            // Nobody has counted the page, of 100 rows at most.
            (0, None, None, 200, "*/*"),
            (0, None, Some(90), 200, "*/90"),
            (0, None, Some(900), 206, "*/900"),
        ] {
            let answer = paged(offset, rows, Some(100), total);
            assert_eq!(
                answer,
                Ok((status, text.to_owned())),
                "{offset} {rows:?} {total:?}"
            );
        }
    }

    #[test]
    fn an_offset_behind_the_last_row_is_416() {
        let error = paged(8, Some(0), None, Some(7)).expect_err("refused");
        assert_eq!((error.status, error.code.as_ref()), (416, "PGRST103"));
        assert_eq!(
            error.details.as_deref(),
            Some(&Value::from(
                "An offset of 8 was requested, but there are only 7 rows."
            ))
        );
    }

    #[test]
    fn errors_always_have_all_four_keys() {
        let response = Response::from(&Error::not_singular(2));
        assert_eq!(response.status, 406);
        assert_eq!(
            response.body.as_ref(),
            br#"{"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}"#
        );
    }
}
