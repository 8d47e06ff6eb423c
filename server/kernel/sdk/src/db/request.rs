//! One request of the data API that needs more than one statement, or whose result decides whether it may stand.

use tokio_postgres::{Row, types::ToSql};

use super::{
    Db, OrgSelector, RequestContext, Resolved,
    pipeline::{self, BEGIN_REQUEST, TIME_ZONE},
    session::{Params, Session},
};
use crate::error::Result;

/// A transaction in the context of a request, under the request's own role. Dropped without [`RequestTx::commit`], it is
/// rolled back.
pub struct RequestTx {
    session: Session,
    resolved: Resolved,
}

/// Makes an operation of a request the one that functions see, and forgets what those of the one before it set.
const NEXT_OPERATION: &str = "select set_config('request.method', $1, true), set_config('request.path', $2, true), \
    set_config('response.status', '', true), set_config('response.headers', '', true), \
    set_config('tenon.updated', '', true), \
    set_config('search_path', coalesce($3, '\"$user\", public'), true)";

impl RequestTx {
    /// Begins.
    pub async fn begin(db: &Db, context: &RequestContext) -> Result<Self> {
        let (session, resolved) = begin(db, context).await?;
        Ok(Self { session, resolved })
    }

    /// Begins with a first statement in the same round trip, and gives its rows.
    pub async fn begin_query(
        db: &Db,
        context: &RequestContext,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<(Self, Vec<Row>)> {
        let (session, resolved, rows) = begin_with(db, context, Some((sql, params))).await?;
        Ok((Self { session, resolved }, rows))
    }

    /// Who is asking, in which organisation.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Begins the next of several operations in the same transaction; `search_path` as in
    /// [`Surroundings`](super::Surroundings), without it PostgreSQL's own.
    pub async fn next_operation(&self, method: &str, path: &str, search_path: Option<&str>) -> Result<()> {
        self.session
            .query(NEXT_OPERATION, &[&method, &path, &search_path])
            .await?;
        Ok(())
    }

    /// All rows of a statement.
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.session.query(sql, params).await
    }

    /// Ends what only read, without waiting for the database to say so.
    pub fn leave(self) {
        self.session.leave();
    }

    /// Undoes everything done here.
    pub async fn roll_back(self) -> Result<()> {
        self.session.rollback().await
    }

    /// Makes everything done here lasting and visible.
    pub async fn commit(self) -> Result<()> {
        self.session.commit().await
    }
}

/// Opens a transaction and sets the context of a request in it.
pub(super) async fn begin(db: &Db, context: &RequestContext) -> Result<(Session, Resolved)> {
    let (session, resolved, _) = begin_with(db, context, None).await?;
    Ok((session, resolved))
}

async fn begin_with(
    db: &Db,
    context: &RequestContext,
    first: Option<(&str, Params<'_>)>,
) -> Result<(Session, Resolved, Vec<Row>)> {
    let session = db.session().await?;
    let (org_id, slug) = match &context.org {
        OrgSelector::Default => (None, None),
        OrgSelector::Id(id) => (Some(*id), None),
        OrgSelector::Slug(slug) => (None, Some(slug.as_str())),
    };
    let (method, path) = context
        .request
        .as_ref()
        .map_or((None, None), |(m, p)| (Some(m), Some(p)));
    let origin = pipeline::origin(context);
    let setup: Params<'_> = &[
        &context.role,
        &context.user,
        &&*context.claims,
        &org_id,
        &slug,
        &method,
        &path,
        &context.read_only,
        &context.surroundings.search_path,
        &context.surroundings.headers,
        &context.key,
        &origin.as_deref(),
    ];
    let (row, rows) = match (first, &context.time_zone) {
        (Some((sql, params)), None) => session.begin_query(BEGIN_REQUEST, setup, sql, params).await?,
        (first, zone) => {
            let row = session.begin(BEGIN_REQUEST, setup).await?;
            if let Some(zone) = zone {
                session.query(TIME_ZONE, &[zone]).await?;
            }
            let rows = match first {
                Some((sql, params)) => session.query(sql, params).await?,
                None => Vec::new(),
            };
            (row, rows)
        }
    };
    let resolved = Resolved::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok((session, resolved, rows))
}

impl std::fmt::Debug for RequestTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestTx")
    }
}
