//! `PGRST1xx`: the request itself cannot be understood or fulfilled.

use super::Error;

impl Error {
    /// A part of the query string cannot be parsed. `message` names the part and position, `details` what was expected.
    pub(crate) fn query(message: impl Into<String>, details: impl Into<String>) -> Self {
        Self::new(400, "PGRST100", message).details(details.into())
    }

    pub(crate) fn query_too_long() -> Self {
        Self::new(
            414,
            "request.target_too_long",
            "The address of the request is too long.",
        )
        .hint("Address and query have room for 65,534 bytes.")
    }

    pub(crate) fn rpc_method(method: &str) -> Self {
        Self::new(405, "PGRST101", format!("Cannot use the {method} method on RPC"))
    }

    pub(crate) fn body_invalid(message: impl Into<String>) -> Self {
        Self::new(400, "PGRST102", message)
    }

    pub(crate) fn range(details: impl Into<String>) -> Self {
        Self::new(416, "PGRST103", "Requested range not satisfiable").details(details.into())
    }

    pub(crate) fn range_out_of_bounds(offset: u64, total: i64) -> Self {
        let mut error = Self::range(format!(
            "An offset of {offset} was requested, but there are only {total} rows."
        ));
        error
            .headers
            .push(("Content-Range".to_owned(), format!("*/{total}")));
        error
    }

    pub(crate) fn put_filters() -> Self {
        Self::new(
            405,
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        )
    }

    pub(crate) fn profile(schema: &str, exposed: &[String]) -> Self {
        Self::new(406, "PGRST106", format!("Invalid schema: {schema}")).hint(format!(
            "Only the following schemas are exposed: {}",
            exposed.join(", ")
        ))
    }

    pub(crate) fn media_type(accepted: &[String]) -> Self {
        Self::new(
            406,
            "PGRST107",
            format!("None of these media types are available: {}", accepted.join(", ")),
        )
    }

    pub(crate) fn not_embedded(name: &str) -> Self {
        Self::new(
            400,
            "PGRST108",
            format!("'{name}' is not an embedded resource in this request"),
        )
        .hint(format!(
            "Verify that '{name}' is included in the 'select' query parameter."
        ))
    }

    pub(crate) fn not_embedded_by_alias(name: &str, alias: &str) -> Self {
        Self::new(
            400,
            "PGRST108",
            format!("'{name}' is not an embedded resource in this request"),
        )
        .details("Target names are not allowed in filters if they have an alias")
        .hint(format!(
            "Change '{name}' to '{alias}' in filters, orders or limits."
        ))
    }

    pub(crate) fn response_headers() -> Self {
        let message = "response.headers guc must be a JSON array composed of objects with a single key and a string value";
        Self::new(500, "PGRST111", message)
    }

    pub(crate) fn response_status() -> Self {
        Self::new(500, "PGRST112", "response.status guc must be a valid status code")
    }

    pub(crate) fn put_limit() -> Self {
        Self::new(
            400,
            "PGRST114",
            "limit/offset querystring parameters are not allowed for PUT",
        )
    }

    pub(crate) fn put_payload() -> Self {
        Self::new(
            400,
            "PGRST115",
            "Payload values do not match URL in primary key column(s)",
        )
    }

    pub(crate) fn not_singular(rows: i64) -> Self {
        Self::new(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .details(format!("The result contains {rows} rows"))
    }

    pub(crate) fn method(method: &str) -> Self {
        Self::new(405, "PGRST117", format!("Unsupported HTTP method: {method}"))
    }

    pub(crate) fn related_order(origin: &str, target: &str) -> Self {
        Self::new(
            400,
            "PGRST118",
            format!("A related order on '{target}' is not possible"),
        )
        .details(format!(
            "'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship"
        ))
    }

    pub(crate) fn embed_operator(target: &str) -> Self {
        Self::new(
            400,
            "PGRST120",
            format!("Bad operator on the '{target}' embedded resource"),
        )
        .details("Only is null or not is null filters are allowed on embedded resources")
    }

    pub(crate) fn preferences(invalid: &[String]) -> Self {
        Self::new(400, "PGRST122", "Invalid preferences given with handling=strict")
            .details(format!("Invalid preferences: {}", invalid.join(", ")))
    }

    pub(crate) fn aggregates_disabled() -> Self {
        Self::new(400, "PGRST123", "Use of aggregate functions is not allowed")
    }

    pub(crate) fn no_aggregate(name: &str) -> Self {
        Self::new(
            400,
            "rest.no_aggregate",
            format!("'{name}' is no aggregate of this request"),
        )
        .details("having tests aggregates only")
        .hint(format!(
            "Write {name}.sum(), {name}.max() or another aggregate, or the name of one in 'select'. Filters test columns."
        ))
    }

    pub(crate) fn too_costly(cost: &str, limit: u64) -> Self {
        Self::new(
            422,
            "rest.too_costly",
            "The database would have too much to do for this request.",
        )
        .details(format!(
            "PostgreSQL estimates a cost of about {cost}; the limit is {limit}."
        ))
        .hint("Choose fewer rows by filters, embed less, or have the operator raise the limit.")
    }

    pub(crate) fn max_affected(rows: i64) -> Self {
        Self::new(
            400,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
        )
        .details(format!("The query affects {rows} rows"))
    }

    pub(crate) fn path() -> Self {
        Self::new(404, "PGRST125", "Invalid path specified in request URL")
    }

    pub(crate) fn root_disabled() -> Self {
        Self::new(404, "PGRST126", "Root endpoint metadata is disabled")
    }

    pub(crate) fn not_implemented(details: impl Into<String>) -> Self {
        Self::new(400, "PGRST127", "Feature not implemented").details(details.into())
    }

    pub(crate) fn max_affected_rpc() -> Self {
        let message =
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict";
        Self::new(400, "PGRST128", message)
    }
}
