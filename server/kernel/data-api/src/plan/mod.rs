//! Stage 2, plan: an [`ApiRequest`] against the [`SchemaCache`] becomes a [`Plan`]: names resolved, relationships found,
//! overloads chosen, the organisation's filter decided. Plain data; the whole meaning of a request in one value.

mod call;
mod condition;
mod group;
mod media;
mod mutate;
mod nested;
mod read;
mod relation;
mod representation;
mod suggest;
mod types;

#[cfg(test)]
mod tests;

use uuid::Uuid;

pub(crate) use call::array_literal;

pub use nested::{Link, LinkPair, Nested, NestedStep};
pub use types::*;

use crate::api_request::{Action, ApiRequest, Count, MediaType};
use crate::error::{Error, Result};
use crate::openapi::{self, Standard};
use crate::schema_cache::{QualifiedName, Returns, SchemaCache};
use crate::settings::Settings;

/// What planning looks things up in.
#[derive(Clone, Copy)]
struct Planner<'a> {
    request: &'a ApiRequest,
    cache: &'a SchemaCache,
    settings: &'a Settings,
    tenant: Option<Uuid>,
}

impl Plan {
    /// Plans a request. With `tenant` every statement on a tenant table is bound to that organisation.
    pub fn new(
        request: &ApiRequest,
        cache: &SchemaCache,
        settings: &Settings,
        tenant: Option<Uuid>,
    ) -> Result<Self> {
        let planner = Planner {
            request,
            cache,
            settings,
            tenant,
        };
        let action = match &request.action {
            Action::Read { relation, .. } => PlannedAction::Read(planner.read(relation)?),
            Action::Mutate { relation, mutation } => {
                PlannedAction::Mutate(Box::new(planner.mutate(relation, *mutation)?))
            }
            Action::Call { function, .. } => PlannedAction::Call(Box::new(planner.call(function)?)),
            Action::Inspect { .. } => PlannedAction::Describe(Box::new(planner.describe()?)),
            Action::RelationInfo(relation) => PlannedAction::Info(planner.relation_info(relation)?),
            Action::FunctionInfo(function) => PlannedAction::Info(planner.function_info(function)?),
            Action::RootInfo => PlannedAction::Info(vec!["OPTIONS", "GET", "HEAD"]),
        };
        let media::Negotiated {
            media,
            handler,
            explain,
        } = match &action {
            PlannedAction::Read(read) => planner.negotiate(&read.table)?,
            PlannedAction::Mutate(mutate) => planner.negotiate(&mutate.table)?,
            PlannedAction::Call(call) => planner.negotiate(&call.read.table)?,
            PlannedAction::Info(_) | PlannedAction::Describe(_) => media::Negotiated::json(),
        };
        if let (PlannedAction::Mutate(mutate), Some(_)) = (&action, &explain)
            && mutate.nested.is_some()
        {
            return Err(Error::not_implemented(
                "An insert of rows inside rows has no single plan to show.",
            ));
        }
        let range = match action {
            PlannedAction::Mutate(_) => crate::api_request::Range::ALL,
            _ => request.range,
        };
        // The planner's estimates are made of the rows of all organisations.
        let count = match &action {
            PlannedAction::Read(read) if read.reads_tenants() => {
                request.preferences.count.and(Some(Count::Exact))
            }
            _ => request.preferences.count,
        };
        Ok(Self {
            action,
            media,
            handler,
            explain,
            head: request.is_head(),
            count,
            range,
            max_rows: settings.max_rows,
            tenant,
            timezone: request.preferences.timezone.clone(),
            jsonb_embeds: settings.jsonb_embeds,
            scan_order: settings.scan_order,
            raise: settings.raise.clone(),
        })
    }

    /// The transaction must not write: reads, and functions called by GET or HEAD, or declared not to write.
    pub fn is_read_only(&self) -> bool {
        match &self.action {
            PlannedAction::Read(_) | PlannedAction::Info(_) | PlannedAction::Describe(_) => true,
            PlannedAction::Mutate(_) => false,
            PlannedAction::Call(call) => call.read_only,
        }
    }

    /// The result decides whether the change may stand, and the statement cannot say so itself: it must be looked at
    /// before the transaction commits.
    pub fn checks_before_commit(&self) -> bool {
        self.raise.is_none() && self.is_guarded()
    }

    /// The answer is made of the rows one by one, so that nobody has to hold all of them: what is read-only in a format
    /// that is a line for each row.
    pub fn streams(&self) -> bool {
        let rows = match &self.action {
            PlannedAction::Read(_) => true,
            PlannedAction::Call(call) => {
                call.read_only && call.max_affected.is_none() && call.returns != Returns::Void
            }
            _ => false,
        };
        let lines = matches!(self.handler, Handler::Csv | Handler::Lines);
        rows && lines && !self.head && self.explain.is_none()
    }

    /// The body may be passed on while it arrives: nothing that is found out after it changes the answer.
    pub fn passes_on(&self) -> bool {
        let shown = match &self.action {
            PlannedAction::Read(_) => true,
            PlannedAction::Call(call) => call.read_only,
            _ => false,
        };
        shown && self.explain.is_none()
    }

    /// Most rows that a read or a call gives.
    pub fn limit(&self) -> Option<u64> {
        match &self.action {
            PlannedAction::Read(read) => read.range.limit,
            PlannedAction::Call(call) => call.read.range.limit,
            _ => None,
        }
    }

    /// The body comes as bytes, not as text.
    pub fn is_binary(&self) -> bool {
        let (Handler::Aggregate { wire, .. } | Handler::Value(wire)) = &self.handler else {
            return false;
        };
        matches!(wire, Wire::Bytes | Wire::Jsonb)
    }

    /// The result decides whether the change may stand.
    pub(crate) fn is_guarded(&self) -> bool {
        if self.explain.is_some() {
            return false;
        }
        match &self.action {
            PlannedAction::Read(_) | PlannedAction::Info(_) | PlannedAction::Describe(_) => false,
            PlannedAction::Mutate(mutate) => {
                self.media.is_singular() || mutate.max_affected.is_some() || mutate.is_put()
            }
            PlannedAction::Call(call) => {
                !call.read_only && (self.media.is_singular() || call.max_affected.is_some())
            }
        }
    }

    /// An estimate of the total is wanted from the planner of PostgreSQL.
    pub fn wants_estimate(&self) -> bool {
        matches!(self.count, Some(Count::Planned | Count::Estimated))
            && matches!(self.action, PlannedAction::Read(_))
    }
}

impl Planner<'_> {
    fn qualified(&self, name: &str) -> QualifiedName {
        QualifiedName::new(&self.request.schema, name)
    }

    fn describe(&self) -> Result<DescribePlan> {
        let accept = &self.request.accept;
        let standard = Standard::negotiate(accept).ok_or_else(|| not_acceptable(accept))?;
        let schema = &self.request.schema;
        Ok(DescribePlan {
            schema: schema.clone(),
            options: openapi::Options::new(schema, standard, self.cache, self.settings),
        })
    }

    fn relation_info(&self, relation: &str) -> Result<Vec<&'static str>> {
        let table = self.table(relation)?;
        let mut allowed = vec!["OPTIONS", "GET", "HEAD"];
        if table.insertable {
            allowed.push("POST");
        }
        if table.insertable && table.updatable && !table.primary_key.is_empty() {
            allowed.push("PUT");
        }
        if table.updatable {
            allowed.push("PATCH");
        }
        if table.deletable {
            allowed.push("DELETE");
        }
        Ok(allowed)
    }
}

fn not_acceptable(accept: &[MediaType]) -> Error {
    let names: Vec<String> = accept.iter().map(|media| media.name().into_owned()).collect();
    Error::media_type(&names)
}
