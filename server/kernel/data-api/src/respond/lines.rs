//! The rows of a streamed statement become a body, as they come.

use bytes::{BufMut, Bytes, BytesMut};

use super::DbResult;
use crate::plan::{Handler, Plan};

/// Writes rows one by one, see [`crate::sql::Statement::streamed`].
#[derive(Debug)]
pub struct Lines {
    csv: bool,
    begun: bool,
}

impl Lines {
    /// Nothing is written yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            csv: plan.handler == Handler::Csv,
            begun: false,
        }
    }

    /// What the first row says of the answer; no row is counted.
    pub fn result(row: &[Option<Bytes>]) -> DbResult {
        let text = |index: usize| {
            let value = row.get(index)?.as_deref()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        DbResult {
            total_count: text(0).and_then(|text| text.parse().ok()),
            response_headers: text(1),
            response_status: text(2),
            ..DbResult::default()
        }
    }

    /// Writes what a row shows; whether it was one.
    pub fn write(&mut self, row: &[Option<Bytes>], body: &mut BytesMut) -> bool {
        let line = row.get(3).and_then(Option::as_deref);
        if !self.csv {
            // Line ends stand between values, never in them.
            for part in line
                .unwrap_or_default()
                .split(|byte| matches!(byte, b'\n' | b'\r'))
            {
                body.put_slice(part);
            }
            if line.is_some() {
                body.put_u8(b'\n');
            }
            return line.is_some();
        }
        if !self.begun {
            self.begun = true;
            body.put_slice(row.get(4).and_then(Option::as_deref).unwrap_or_default());
            body.put_u8(b'\n');
        } else if line.is_some() {
            body.put_u8(b'\n');
        }
        if let Some(line) = line {
            // A row is written in parentheses.
            body.put_slice(line.get(1..line.len().saturating_sub(1)).unwrap_or_default());
        }
        line.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(csv: bool, rows: &[[Option<&'static str>; 2]]) -> (String, usize) {
        let mut lines = Lines { csv, begun: false };
        let mut body = BytesMut::new();
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let count = rows
            .iter()
            .filter(|[line, names]| {
                let row = [None, None, None, line.map(bytes), names.map(bytes)];
                lines.write(&row, &mut body)
            })
            .count();
        (String::from_utf8_lossy(&body).into_owned(), count)
    }

    #[test]
    fn comma_separated_values_have_their_names_above_and_no_line_end_below() {
        let rows = [
            [Some("(1,a)"), Some("id,name")],
            [Some("(2,\"b,c\")"), None],
            [Some("()"), None],
        ];
        assert_eq!(written(true, &rows), ("id,name\n1,a\n2,\"b,c\"\n".to_owned(), 3));
        assert_eq!(written(true, &[[None, None]]), ("\n".to_owned(), 0));
    }

    #[test]
    fn json_stays_on_its_line() {
        let rows = [
            [Some("{\"a\":[1, \n 2],\"b\":\"\\n\"}"), None],
            [Some("null"), None],
        ];
        assert_eq!(
            written(false, &rows),
            ("{\"a\":[1,  2],\"b\":\"\\n\"}\nnull\n".to_owned(), 2)
        );
        assert_eq!(written(false, &[[None, None]]), (String::new(), 0));
    }

    #[test]
    fn the_first_row_knows_the_rest_of_the_answer() {
        let row = [
            Some(Bytes::from_static(b"12")),
            None,
            Some(Bytes::from_static(b"202")),
            None,
        ];
        let result = Lines::result(&row);
        assert_eq!(
            (result.total_count, result.response_status.as_deref()),
            (Some(12), Some("202"))
        );
    }
}
