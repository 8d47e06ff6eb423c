//! What the operator decides about the data API.

use crate::schema_cache::QualifiedName;

/// What the description at the root shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OpenApiMode {
    /// What the caller may touch.
    #[default]
    FollowPrivileges,
    /// Everything that is exposed.
    IgnorePrivileges,
    /// Nothing: the root answers 404.
    Disabled,
}

/// Settings of the data API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent decisions, each named as operators know it"
)]
pub struct Settings {
    /// Exposed schemas; the first is the default.
    pub schemas: Vec<String>,
    /// Schemas that are looked into after the request's own.
    pub extra_search_path: Vec<String>,
    /// Most rows that one read returns; none for no limit.
    pub max_rows: Option<u64>,
    /// `Prefer: tx=rollback` is granted.
    pub tx_override: bool,
    /// Aggregate functions in `select` are allowed.
    pub aggregates: bool,
    /// Most that a request which aggregates may cost by the estimate of PostgreSQL's planner; none or 0 for no limit. A
    /// role may have its own: `ALTER ROLE … SET tenon.max_cost`.
    pub max_cost: Option<u64>,
    /// What the description at the root shows.
    pub openapi_mode: OpenApiMode,
    /// The description says that a token is needed.
    pub openapi_security_active: bool,
    /// Address under which clients reach the API, where it is not the server's own.
    pub openapi_server_proxy_uri: Option<String>,
    /// Host that the server listens on, for the description.
    pub server_host: String,
    /// Port that the server listens on, for the description.
    pub server_port: u16,
    /// A function that answers at the root instead of the description; without a schema it is looked for in the
    /// exposed one.
    pub root_spec: Option<QualifiedName>,
    /// `application/vnd.pgrst.plan` shows how PostgreSQL runs a request.
    pub plan_enabled: bool,
    /// Most operations of one batch.
    pub batch_operations: usize,
    /// Most rows of one insert that others inside it refer to; each is a statement.
    pub nested_rows: usize,
    /// Filters, orders and limits may call an embed by the name that its alias hides; the answer warns of it.
    pub legacy_target_names: bool,
    /// Embeds are `jsonb`, so that their bytes are those that PostgREST sends: keys in PostgreSQL's order, a blank after each
    /// colon and comma. `json` is a little faster and keeps the order of `select`.
    pub jsonb_embeds: bool,
    /// Rows that nobody orders come as their table is scanned, even where it depends on embeds which of them there are. It
    /// keeps PostgreSQL from joining, which on large tables is faster.
    pub scan_order: bool,
    /// A function `(status int, code text, message text, details text)` that raises an error of class `TN`. With it a
    /// write whose result must not stand fails inside its own statement; without it the result has to be checked
    /// before the transaction commits.
    pub raise: Option<QualifiedName>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            extra_search_path: Vec::new(),
            max_rows: Some(1000),
            tx_override: false,
            aggregates: false,
            max_cost: None,
            openapi_mode: OpenApiMode::default(),
            openapi_security_active: false,
            openapi_server_proxy_uri: None,
            server_host: "!4".to_owned(),
            server_port: 3000,
            root_spec: None,
            plan_enabled: false,
            batch_operations: 100,
            nested_rows: 1000,
            legacy_target_names: true,
            jsonb_embeds: false,
            scan_order: false,
            raise: None,
        }
    }
}
