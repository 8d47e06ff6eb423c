//! What of a body is still on its way when the answer begins.

use std::io;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tenon_sdk::db::{PlainError, Rest, TextRow};

use crate::plan::Plan;
use crate::respond::{DbResult, Digits, Lines, Response};

/// As much is kept back before an answer begins: one that ends before is like any other, with its length and with an
/// error where one comes.
const KEPT: usize = 64 * 1024;

/// Rows that are at hand are sent together, up to about as much.
const TOGETHER: usize = 32 * 1024;

/// An answer, of which a part may still be on its way.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    /// What comes after the body of the response.
    pub(crate) tail: Option<Tail>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self { response, tail: None }
    }
}

/// The rest of a body.
#[derive(Debug)]
pub(crate) enum Tail {
    /// Of a large value.
    Value(Rest),
    /// Of one whose bytes arrive as digits.
    Digits(Rest, Digits),
    /// Rows.
    Rows(Rest, Lines),
}

impl Tail {
    /// For a value, which arrives as the plan says.
    pub(crate) fn of_value(plan: &Plan, rest: Rest) -> Self {
        if plan.is_binary() {
            Self::Digits(rest, Digits::default())
        } else {
            Self::Value(rest)
        }
    }

    /// Takes the first rows of a stream. All of them are the result, if they are few.
    pub(crate) async fn of_rows(plan: &Plan, mut rest: Rest) -> Result<(DbResult, Option<Self>), PlainError> {
        let mut lines = Lines::new(plan);
        let mut body = BytesMut::new();
        let mut result = DbResult::default();
        let mut begun = false;
        while let Some(row) = rest.row().await? {
            if !begun {
                begun = true;
                result = Lines::result(&row);
            }
            result.page_count += i64::from(lines.write(&row, &mut body));
            if body.len() >= KEPT {
                result.open = true;
                break;
            }
        }
        result.body = Some(body.freeze());
        let tail = result.open.then_some(Self::Rows(rest, lines));
        Ok((result, tail))
    }

    /// How long it will be, if that is known.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Self::Value(rest) => rest.length(),
            Self::Digits(rest, _) => rest.length().map(Digits::count),
            Self::Rows(..) => None,
        }
    }

    /// A body of what is there and the rest. One that breaks off ends the connection, so that nobody takes it for whole.
    pub(crate) fn after(self, first: Bytes) -> Body {
        let state = (Some(first).filter(|first| !first.is_empty()), Some(self));
        Body::from_stream(stream::unfold(state, |(first, tail)| async {
            if let Some(first) = first {
                return Some((Ok(first), (None, tail)));
            }
            let mut tail = tail?;
            match tail.next().await {
                Ok(Some(part)) => Some((Ok(part), (None, Some(tail)))),
                Ok(None) => None,
                Err(error) => {
                    tracing::warn!(%error, "an answer broke off");
                    Some((Err(io::Error::other(error)), (None, None)))
                }
            }
        }))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, PlainError> {
        match self {
            Self::Value(rest) => rest.part().await,
            Self::Digits(rest, digits) => Ok(rest.part().await?.map(|part| digits.bytes(&part))),
            Self::Rows(rest, lines) => {
                let Some(row) = rest.row().await? else {
                    return Ok(None);
                };
                let mut body = BytesMut::with_capacity(TOGETHER);
                let mut next: Option<TextRow> = Some(row);
                while let Some(row) = next {
                    lines.write(&row, &mut body);
                    next = if body.len() < TOGETHER {
                        rest.row_at_hand()
                    } else {
                        None
                    };
                }
                Ok(Some(body.freeze()))
            }
        }
    }
}
