//! What PostgreSQL reports, as an HTTP answer: the SQLSTATE table, `PTnnn`, `TNnnn` and `PGRST` raised by functions.

use serde::Deserialize;
use serde_json::Value;

use super::{Error, REASON};

/// The parts of an error report of PostgreSQL that decide the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseError {
    /// SQLSTATE, five characters.
    pub code: String,
    /// Primary message.
    pub message: String,
    /// `DETAIL` of the report.
    pub detail: Option<String>,
    /// `HINT` of the report.
    pub hint: Option<String>,
    /// Constraint name; for class `TN` it carries the stable code of the refusal.
    pub constraint: Option<String>,
    /// It happened inside a function or trigger, not in what the request itself asked for.
    pub of_code: bool,
}

impl From<&tokio_postgres::error::DbError> for DatabaseError {
    fn from(error: &tokio_postgres::error::DbError) -> Self {
        Self {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            constraint: error.constraint().map(str::to_owned),
            of_code: tenon_sdk::error::is_of_code(error.where_()),
        }
    }
}

impl Error {
    /// The answer to an error that PostgreSQL reported; a caller who is not signed in gets 401 where others get 403.
    pub fn from_database(error: &DatabaseError, signed_in: bool) -> Self {
        if error.code == "PGRST" {
            return raised(error);
        }
        let status = status(error, signed_in);
        let code = match (&error.constraint, own_status(&error.code)) {
            (Some(constraint), Some(_)) if !constraint.is_empty() => constraint.clone(),
            _ => error.code.clone(),
        };
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut answer = Self::new(status, code, error.message.clone()).hint_if(filled(&error.hint));
        answer.details = filled(&error.detail).map(|detail| Box::new(Value::String(detail)));
        if status == 401 {
            answer
                .headers
                .push(("WWW-Authenticate".to_owned(), "Bearer".to_owned()));
        }
        answer
    }

    /// No connection can be opened.
    pub fn no_connection(details: impl Into<String>) -> Self {
        let mut answer = Self::new(
            503,
            "PGRST000",
            "Database connection error. Retrying the connection.",
        )
        .details(details.into());
        answer.headers.push(("Retry-After".to_owned(), "1".to_owned()));
        answer
    }

    /// The database cannot be reached.
    pub fn database_unavailable(details: impl Into<String>) -> Self {
        let mut answer = Self::new(503, "PGRST001", "Database client error. Retrying the connection.")
            .details(details.into());
        answer.headers.push(("Retry-After".to_owned(), "1".to_owned()));
        answer
    }

    /// No connection became free in time.
    pub fn pool_exhausted() -> Self {
        let mut answer = Self::new(
            504,
            "PGRST003",
            "Timed out acquiring connection from connection pool.",
        );
        answer.headers.push(("Retry-After".to_owned(), "1".to_owned()));
        answer
    }

    /// A fault of the server itself.
    pub(crate) fn fault() -> Self {
        Self::new(500, "PGRSTX00", "Something went wrong inside the server.")
    }

    /// The catalogue has not been read yet.
    pub fn no_schema_cache() -> Self {
        Self::new(
            503,
            "PGRST002",
            "Could not query the database for the schema cache. Retrying.",
        )
    }
}

/// How PostgreSQL says that a view cannot be written.
const VIEW: [&str; 3] = [
    "cannot insert into view ",
    "cannot update view ",
    "cannot delete from view ",
];

/// The status of Tenon's own SQLSTATE class: `TN404` is 404.
fn own_status(code: &str) -> Option<u16> {
    code.strip_prefix("TN")?
        .parse()
        .ok()
        .filter(|status| (400..600).contains(status))
}

fn status(error: &DatabaseError, signed_in: bool) -> u16 {
    let code = error.code.as_str();
    if let Some(status) = own_status(code) {
        return status;
    }
    if let Some(custom) = code.strip_prefix("PT") {
        return custom
            .parse()
            .ok()
            .filter(|status| (100..1000).contains(status))
            .unwrap_or(500);
    }
    let message = error.message.as_str();
    match code {
        "23503" | "23505" => 409,
        "25006" => 405,
        "21000" if message.ends_with("requires a WHERE clause") => 400,
        // The same row twice in one upsert.
        "21000" if message.starts_with("ON CONFLICT DO UPDATE") => 400,
        "21000" | "42P17" => 500,
        "22023" if message.starts_with("role") && message.ends_with("does not exist") => 401,
        "57P01" => 503,
        // Search words under too many negations.
        "XX000" if message == "tsquery stack too small" => 400,
        // A view that cannot be written.
        "55000" if VIEW.iter().any(|begin| message.starts_with(begin)) => 405,
        "P0001" => 400,
        "42883" if message.starts_with("function xmlagg(") => 406,
        "42883" | "42P01" => 404,
        "42501" if signed_in => 403,
        "42501" => 401,
        _ => match code.get(..2).unwrap_or_default() {
            "08" | "53" if code != "53400" => 503,
            "0L" | "0P" | "28" => 403,
            // The request itself asks for more than PostgreSQL can do.
            "54" if !error.of_code => 400,
            "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "53" | "54" | "55" | "57" | "58" | "F0"
            | "HV" | "P0" | "XX" => 500,
            _ => 400,
        },
    }
}

#[derive(Deserialize)]
struct RaisedMessage {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct RaisedDetail {
    status: u16,
    status_text: Option<String>,
    headers: serde_json::Map<String, Value>,
}

/// `RAISE SQLSTATE 'PGRST'` with JSON in message and detail: the function controls the whole answer.
fn raised(error: &DatabaseError) -> Error {
    let wrong = |details: String, keys: &str| {
        Error::new(
            500,
            "PGRST121",
            "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
        )
        .details(details)
        .hint(keys)
    };
    let detail_keys = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
    let Ok(message) = serde_json::from_str::<RaisedMessage>(&error.message) else {
        return wrong(
            format!("Invalid JSON value for MESSAGE: '{}'", error.message),
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
        );
    };
    let Some(detail) = &error.detail else {
        return wrong("DETAIL is missing in the RAISE statement".to_owned(), detail_keys);
    };
    let Ok(control) = serde_json::from_str::<RaisedDetail>(detail) else {
        return wrong(format!("Invalid JSON value for DETAIL: '{detail}'"), detail_keys);
    };
    let mut answer = Error::new(control.status, message.code, message.message).hint_if(message.hint);
    answer.details = message.details.map(|details| Box::new(Value::String(details)));
    answer.headers = control
        .headers
        .into_iter()
        .map(|(name, value)| {
            (
                name,
                value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    answer
        .headers
        .extend(control.status_text.map(|text| (REASON.to_owned(), text)));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: &str, signed_in: bool) -> Error {
        Error::from_database(
            &DatabaseError {
                code: code.to_owned(),
                ..DatabaseError::default()
            },
            signed_in,
        )
    }

    #[test]
    fn every_sqlstate_of_the_table_has_its_status() {
        for (code, status) in [
            ("08006", 503),
            ("09000", 500),
            ("0LP01", 403),
            ("0P000", 403),
            ("23503", 409),
            ("23505", 409),
            ("23502", 400),
            ("25006", 405),
            ("25001", 500),
            ("2D000", 500),
            ("38000", 500),
            ("39000", 500),
            ("3B000", 500),
            ("40001", 500),
            ("28000", 403),
            ("53400", 500),
            ("53300", 503),
            ("54000", 400),
            ("55000", 500),
            ("57014", 500),
            ("57P01", 503),
            ("58000", 500),
            ("F0000", 500),
            ("HV000", 500),
            ("XX000", 500),
            ("P0001", 400),
            ("P0002", 500),
            ("42883", 404),
            ("42P01", 404),
            ("42P17", 500),
            ("42703", 400),
            ("22P02", 400),
            ("PT418", 418),
            ("PTabc", 500),
            ("TN404", 404),
            ("TN999", 400),
        ] {
            assert_eq!(answer(code, true).status, status, "{code}");
        }
    }

    #[test]
    fn a_limit_is_the_requests_fault_unless_a_function_ran_into_it() {
        let mut error = DatabaseError {
            code: "54001".to_owned(),
            of_code: true,
            ..DatabaseError::default()
        };
        assert_eq!(Error::from_database(&error, true).status, 500);
        error.of_code = false;
        assert_eq!(Error::from_database(&error, true).status, 400);
        error.code = "21000".to_owned();
        error.message = "more than one row returned by a subquery used as an expression".to_owned();
        assert_eq!(Error::from_database(&error, true).status, 500);
        error.message = "ON CONFLICT DO UPDATE command cannot affect row a second time".to_owned();
        assert_eq!(Error::from_database(&error, true).status, 400);
    }

    #[test]
    fn missing_privilege_is_401_for_strangers_and_403_for_members() {
        assert_eq!(answer("42501", true).status, 403);
        let refused = answer("42501", false);
        assert_eq!(refused.status, 401);
        assert_eq!(refused.headers[0].0, "WWW-Authenticate");
    }

    #[test]
    fn tenons_own_class_carries_its_stable_code_in_the_constraint_name() {
        let error = DatabaseError {
            code: "TN409".to_owned(),
            message: "Already acknowledged".to_owned(),
            constraint: Some("purchasing.alert_acknowledged".to_owned()),
            ..DatabaseError::default()
        };
        let answer = Error::from_database(&error, true);
        assert_eq!(
            (answer.status, answer.code.as_ref()),
            (409, "purchasing.alert_acknowledged")
        );
    }

    #[test]
    fn a_function_may_control_the_whole_answer() {
        let error = DatabaseError {
            code: "PGRST".to_owned(),
            message: r#"{"code":"123","message":"Payment required","details":"Quota","hint":"Upgrade"}"#
                .to_owned(),
            detail: Some(r#"{"status":402,"headers":{"X-Powered-By":"Nerd Rage"}}"#.to_owned()),
            ..DatabaseError::default()
        };
        let answer = Error::from_database(&error, true);
        assert_eq!((answer.status, answer.code.as_ref()), (402, "123"));
        assert_eq!(
            answer.headers,
            [("X-Powered-By".to_owned(), "Nerd Rage".to_owned())]
        );
        let named = DatabaseError {
            detail: Some(r#"{"status":404,"status_text":"Gone Fishing","headers":{}}"#.to_owned()),
            ..error.clone()
        };
        assert_eq!(
            Error::from_database(&named, true).headers,
            [(REASON.to_owned(), "Gone Fishing".to_owned())]
        );
        let without = Error::from_database(
            &DatabaseError {
                detail: None,
                ..error
            },
            true,
        );
        assert_eq!((without.status, without.code.as_ref()), (500, "PGRST121"));
    }
}
