//! Who is asking, as the database needs to know it.

use uuid::Uuid;

use crate::{
    error::{Error, Result},
    ids::{OrgId, UserId},
};

/// Which organisation a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OrgSelector {
    /// None named: the caller's default.
    #[default]
    Default,
    /// By id.
    Id(Uuid),
    /// By the name in its address.
    Slug(String),
}

impl OrgSelector {
    /// Reads a header's value: a UUID or a slug.
    pub fn parse(text: &str) -> Self {
        match (text.trim(), Uuid::try_parse(text.trim())) {
            ("", _) => Self::Default,
            (_, Ok(id)) => Self::Id(id),
            (slug, Err(_)) => Self::Slug(slug.to_owned()),
        }
    }
}

/// The input of `kernel.begin_request`: everything that policies may read.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Database role the statement runs as: `anon`, `authenticated` or `service_role`.
    pub role: &'static str,
    /// The person, if signed in.
    pub user: Option<UserId>,
    /// The key or personal token the request came with, by its id in `tenancy.api_keys`.
    pub key: Option<Uuid>,
    /// The token's claims as JSON text, for `auth.jwt()`.
    pub claims: std::sync::Arc<str>,
    /// The organisation asked for.
    pub org: OrgSelector,
    /// HTTP method and path, for `request.method` and `request.path`.
    pub request: Option<(String, String)>,
    /// Refuse writes.
    pub read_only: bool,
    /// The time zone that the statement reads and writes times in, if not the database's own.
    pub time_zone: Option<String>,
    /// What schemas of the operator's own need besides.
    pub surroundings: Surroundings,
}

/// What functions and policies in schemas of the operator's own expect of a request, and Tenon's do without.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Where names without a schema are looked for, as `search_path` takes it.
    pub search_path: Option<String>,
    /// The request's headers as a JSON object, for `request.headers`.
    pub headers: Option<String>,
}

/// What the database made of a [`RequestContext`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The organisation; `None` for a caller without one.
    pub org: Option<OrgId>,
    /// The caller's role in it.
    pub role: Option<String>,
    /// Effective permissions as `,a.b.c,d.e.f,`.
    permissions: String,
}

impl Resolved {
    pub(crate) fn new(org: Option<Uuid>, role: Option<String>, permissions: Option<String>) -> Self {
        let org = org.map(OrgId);
        crate::telemetry::scope::is_in(org);
        Self {
            org,
            role,
            permissions: permissions.unwrap_or_default(),
        }
    }

    pub(super) fn from_texts(columns: &[Option<bytes::Bytes>]) -> Result<Self> {
        let text = |index: usize| {
            columns
                .get(index)
                .and_then(Option::as_ref)
                .map(|bytes| String::from_utf8(bytes.to_vec()).map_err(Error::internal))
                .transpose()
        };
        let org = text(0)?
            .map(|id| Uuid::try_parse(&id).map_err(Error::internal))
            .transpose()?;
        Ok(Self::new(org, text(1)?, text(2)?))
    }

    /// Whether the caller has a permission.
    pub fn has(&self, permission: &str) -> bool {
        self.permissions.split(',').any(|name| name == permission)
    }

    /// All permissions of the caller, by name and each once.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        let names = self.permissions.split(',').filter(|name| !name.is_empty());
        names.collect::<std::collections::BTreeSet<_>>().into_iter()
    }

    /// An error naming the permission, unless the caller has it.
    pub fn require(&self, permission: &str) -> Result<()> {
        if self.org.is_none() {
            return Err(
                Error::not_found("tenancy.org_not_found", "There is no such organisation.")
                    .hint("Name an organisation you belong to in the header x-org-id."),
            );
        }
        if self.has(permission) {
            return Ok(());
        }
        Err(Error::forbidden(
            "tenancy.permission_denied",
            "You may not do this in this organisation.",
        )
        .details(format!("It needs the permission {permission}."))
        .hint("Ask an owner or admin of the organisation."))
    }
}
