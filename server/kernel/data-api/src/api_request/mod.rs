//! Stage 1, parse: an HTTP request becomes an [`ApiRequest`]. Knows the grammar, not the database.

mod columns;
mod filter;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod having;
mod lexical;
mod media;
mod names;
mod order;
mod parser;
mod payload;
mod preferences;
mod query_params;
mod range;
mod select;
mod types;

use axum::http::{HeaderMap, Method};
use bytes::Bytes;

pub use columns::{NestedColumns, NestedRows};
pub use media::{ExplainMedia, ExplainOption, MediaType};
pub use names::HiddenName;
pub use payload::Payload;
pub use preferences::{Count, Handling, Missing, Preferences, Resolution, Return, TxEnd};
pub use query_params::QueryParams;
pub use types::*;

use crate::error::{Error, Result};
use crate::settings::{OpenApiMode, Settings};

/// What the parser needs of a request.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequest<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path below the root of the data API, `/orders` of `/rest/v1/orders`.
    pub path: &'a str,
    /// Raw query string without `?`.
    pub query: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a Bytes,
}

/// How a relation is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// POST
    Insert,
    /// PUT
    Put,
    /// PATCH
    Update,
    /// DELETE
    Delete,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Rows of a relation; `head` for no body.
    Read {
        /// Table or view.
        relation: String,
        /// HEAD.
        head: bool,
    },
    /// Rows of a relation are changed.
    Mutate {
        /// Table or view.
        relation: String,
        /// How.
        mutation: Mutation,
    },
    /// A function is called.
    Call {
        /// Its name.
        function: String,
        /// By GET or HEAD: it must not write.
        read_only: bool,
        /// HEAD.
        head: bool,
    },
    /// The description of the schema.
    Inspect {
        /// HEAD.
        head: bool,
    },
    /// OPTIONS of a relation.
    RelationInfo(String),
    /// OPTIONS of a function.
    FunctionInfo(String),
    /// OPTIONS of the root.
    RootInfo,
}

/// A request, understood. Whether it makes sense is for the planner to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// What is asked for.
    pub action: Action,
    /// Schema of the relation or function.
    pub schema: String,
    /// The answer names the schema in `Content-Profile`.
    pub negotiated: bool,
    /// Rows wanted, from header and parameters.
    pub range: Range,
    /// The query string.
    pub query: QueryParams,
    /// The `Prefer` header.
    pub preferences: Preferences,
    /// The body of a write or call.
    pub payload: Option<Payload>,
    /// Media types wanted, best first.
    pub accept: Vec<MediaType>,
    /// Media type of the body.
    pub content: MediaType,
}

impl ApiRequest {
    /// Parses a request.
    pub fn parse(request: HttpRequest<'_>, settings: &Settings) -> Result<Self> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let action = action(request.path, request.method, settings)?;
        let (mut schema, negotiated) = profile(request.method, header, settings)?;
        if let (Some(root), true) = (&settings.root_spec, is_root(request.path))
            && !root.schema.is_empty()
        {
            schema.clone_from(&root.schema);
        }
        let wishes = request
            .headers
            .get_all("prefer")
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        let preferences = Preferences::parse(wishes, settings.tx_override);
        if preferences.handling == Some(Handling::Strict) && !preferences.invalid.is_empty() {
            return Err(Error::preferences(&preferences.invalid));
        }
        let call_by_get = matches!(action, Action::Call { read_only: true, .. });
        let mut query = QueryParams::parse(request.query, call_by_get)?;
        if settings.legacy_target_names {
            query.resolve_hidden_names();
        }
        let asked = query.ranges.get(&EmbedPath::new()).copied().unwrap_or_default();
        let from_header = if request.method == Method::GET {
            header("range")
        } else {
            None
        };
        let range = Range::from_header(from_header)?.intersect(asked)?;
        if request.method == Method::PUT && range != Range::ALL {
            return Err(Error::put_limit());
        }
        let content = header("content-type").map_or(MediaType::Json, MediaType::parse);
        if query.nested.is_some() {
            check_nested(&action, &content)?;
        } else if preferences.nested && inserts(&action) && content.is_json() {
            query.nested = Some(NestedColumns::found(query.columns.as_ref()));
        }
        let payload = payload(&action, &query, request.body, &content)?;
        let accept = MediaType::accepted(header("accept"));
        Ok(Self {
            action,
            schema,
            negotiated,
            range,
            query,
            preferences,
            payload,
            accept,
            content,
        })
    }

    /// Whether the answer has no body because of HEAD.
    pub fn is_head(&self) -> bool {
        matches!(
            self.action,
            Action::Read { head: true, .. }
                | Action::Call { head: true, .. }
                | Action::Inspect { head: true }
        )
    }
}

fn inserts(action: &Action) -> bool {
    matches!(
        action,
        Action::Mutate {
            mutation: Mutation::Insert,
            ..
        }
    )
}

/// Rows inside rows are JSON that is inserted.
fn check_nested(action: &Action, content: &MediaType) -> Result<()> {
    if !inserts(action) {
        return Err(Error::nested("Only a POST to a relation takes rows inside rows.")
            .hint("Name only columns in the 'columns' query parameter."));
    }
    if !content.is_json() {
        return Err(Error::nested("Rows inside rows are sent as JSON.")
            .details(format!("The body is said to be {}.", content.name())));
    }
    Ok(())
}

fn is_root(path: &str) -> bool {
    matches!(path, "" | "/")
}

/// GET or HEAD of the root: the description, or the function that stands in its place.
fn root(head: bool, settings: &Settings) -> Result<Action> {
    match &settings.root_spec {
        Some(function) => Ok(Action::Call {
            function: function.name.clone(),
            read_only: true,
            head,
        }),
        None if settings.openapi_mode == OpenApiMode::Disabled => Err(Error::root_disabled()),
        None => Ok(Action::Inspect { head }),
    }
}

fn action(path: &str, method: &Method, settings: &Settings) -> Result<Action> {
    let decode = |text: &str| {
        // In a path `+` is a plus; only the percent signs are decoded.
        let escaped = text.replace('+', "%2B");
        form_urlencoded::parse(escaped.as_bytes())
            .next()
            .map(|(key, _)| key.into_owned())
            .unwrap_or_default()
    };
    let unsupported = || Err(Error::method(method.as_str()));
    // A slash at the end is one step more, to something without a name.
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments.as_slice() {
        [""] => match method.as_str() {
            "GET" => root(false, settings),
            "HEAD" => root(true, settings),
            "OPTIONS" => Ok(Action::RootInfo),
            _ => unsupported(),
        },
        ["rpc", function] => {
            let function = decode(function);
            match method.as_str() {
                "GET" => Ok(Action::Call {
                    function,
                    read_only: true,
                    head: false,
                }),
                "HEAD" => Ok(Action::Call {
                    function,
                    read_only: true,
                    head: true,
                }),
                "POST" => Ok(Action::Call {
                    function,
                    read_only: false,
                    head: false,
                }),
                "OPTIONS" => Ok(Action::FunctionInfo(function)),
                other => Err(Error::rpc_method(other)),
            }
        }
        [relation] => {
            let relation = decode(relation);
            let mutate = |relation, mutation| Ok(Action::Mutate { relation, mutation });
            match method.as_str() {
                "GET" => Ok(Action::Read {
                    relation,
                    head: false,
                }),
                "HEAD" => Ok(Action::Read { relation, head: true }),
                "POST" => mutate(relation, Mutation::Insert),
                "PUT" => mutate(relation, Mutation::Put),
                "PATCH" => mutate(relation, Mutation::Update),
                "DELETE" => mutate(relation, Mutation::Delete),
                "OPTIONS" => Ok(Action::RelationInfo(relation)),
                _ => unsupported(),
            }
        }
        _ => Err(Error::path()),
    }
}

/// The schema that the profile headers choose, and whether the answer says so.
fn profile<'h>(
    method: &Method,
    header: impl Fn(&str) -> Option<&'h str>,
    settings: &Settings,
) -> Result<(String, bool)> {
    let writes = matches!(method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE");
    let chosen = header(if writes {
        "content-profile"
    } else {
        "accept-profile"
    });
    match chosen {
        Some(schema) if settings.schemas.iter().any(|exposed| exposed == schema) => {
            Ok((schema.to_owned(), true))
        }
        Some(schema) => Err(Error::profile(schema, &settings.schemas)),
        None => {
            let first = settings
                .schemas
                .first()
                .cloned()
                .unwrap_or_else(|| "public".to_owned());
            Ok((first, settings.schemas.len() != 1))
        }
    }
}

fn payload(action: &Action, query: &QueryParams, body: &Bytes, media: &MediaType) -> Result<Option<Payload>> {
    let payload = match action {
        Action::Mutate {
            mutation: Mutation::Insert | Mutation::Put | Mutation::Update,
            ..
        } => Payload::for_table(body, media, query.columns.is_some() || query.nested.is_some())?,
        Action::Call { read_only: false, .. } => Payload::for_function(body, media)?,
        _ => return Ok(None),
    };
    let calls = matches!(action, Action::Call { .. });
    if calls && query.columns.is_none() && matches!(payload, Payload::Json { uniform: false, .. }) {
        return Err(Error::body_invalid("All object keys must match"));
    }
    Ok(Some(payload))
}
