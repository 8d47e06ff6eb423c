//! The operations of a batch one after the other, whatever the transaction is made of.

use bytes::Bytes;
use uuid::Uuid;

use super::answer;
use super::operation::Operation;
use super::reference::Results;
use crate::api_request::{ApiRequest, Handling, HttpRequest, Preferences, TxEnd};
use crate::cost::CostGate;
use crate::error::{Error, Result};
use crate::plan::{Plan, PlannedAction};
use crate::respond::{DbResult, Response, respond};
use crate::schema_cache::{RoleSettings, SchemaCache};
use crate::settings::Settings;
use crate::sql::Statement;

/// An open transaction in the caller's context.
pub(crate) trait Transaction {
    /// The organisation that statements are bound to.
    fn tenant(&self) -> Option<Uuid>;

    /// Runs the statement of an operation, and that of its estimate, as those of a request of their own.
    async fn run(&self, next: Next<'_>, plan: &Plan, statement: Statement) -> Result<DbResult>;
}

/// What functions see of an operation.
pub(crate) struct Next<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) schema: &'a str,
    /// What has to be asked before it runs.
    pub(crate) gate: Option<CostGate>,
}

/// What all operations of a batch share.
pub(crate) struct Shared<'a> {
    pub(crate) cache: &'a SchemaCache,
    pub(crate) settings: &'a Settings,
    /// What stands before the path of an operation in the path of a request.
    pub(crate) root: &'a str,
    /// Settings of the caller's role.
    pub(crate) role: Option<&'a RoleSettings>,
}

/// A batch, understood.
pub(crate) struct Batch {
    operations: Vec<Operation>,
    wishes: Preferences,
}

impl Batch {
    pub(crate) fn parse(http: &HttpRequest<'_>, settings: &Settings) -> Result<Self> {
        let headers = http.headers.get_all("prefer").into_iter();
        let wishes = Preferences::parse(
            headers.filter_map(|value| value.to_str().ok()),
            settings.tx_override,
        );
        if wishes.handling == Some(Handling::Strict) && !wishes.invalid.is_empty() {
            return Err(Error::preferences(&wishes.invalid));
        }
        let schema = http.headers.get("content-profile");
        let operations = Operation::list(http.body, settings.batch_operations, schema)?;
        Ok(Self { operations, wishes })
    }

    /// Some operation may write, so the transaction does not refuse writes by itself.
    pub(crate) fn writes(&self) -> bool {
        !self.operations.iter().all(Operation::reads)
    }

    /// A rehearsal, if anything was wished.
    pub(crate) fn rolls_back(&self) -> Option<bool> {
        self.wishes.tx.map(|end| end == TxEnd::Rollback)
    }

    pub(crate) fn time_zone(&self) -> Option<&str> {
        self.wishes.timezone.as_deref()
    }

    /// Does all operations; what is answered if the transaction ends well.
    pub(crate) async fn perform(&self, shared: &Shared<'_>, tx: &impl Transaction) -> Result<Response> {
        let mut results = Results::new(super::BUDGET);
        let mut responses = Vec::with_capacity(self.operations.len());
        let mut size = 0_usize;
        for (index, operation) in self.operations.iter().enumerate() {
            let named = |error: Error| error.of_operation(index, operation.id.as_deref());
            let response = self
                .operate(shared, tx, operation, &mut results)
                .await
                .map_err(named)?;
            size = size.saturating_add(response.body.len());
            if size > super::BUDGET {
                return Err(named(Error::batch_too_large(
                    "The results of the batch are too large.",
                )));
            }
            results.push(operation.id.as_deref(), answer::json(&response));
            responses.push(response);
        }
        let body = answer::all(&self.operations, &responses).ok_or_else(|| {
            Error::batch("The result of an operation is neither JSON nor text.")
                .hint("Ask for it in a request of its own.")
        })?;
        Ok(self.respond(body))
    }

    fn respond(&self, body: Bytes) -> Response {
        let mut headers = vec![(
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )];
        let granted = Preferences {
            tx: self.wishes.tx,
            handling: self.wishes.handling,
            timezone: self.wishes.timezone.clone(),
            ..Preferences::default()
        };
        if let Some(applied) = granted.applied() {
            headers.push(("Preference-Applied".to_owned(), applied));
        }
        Response {
            status: 200,
            headers,
            body,
        }
    }

    async fn operate(
        &self,
        shared: &Shared<'_>,
        tx: &impl Transaction,
        operation: &Operation,
        results: &mut Results,
    ) -> Result<Response> {
        let body = match &operation.body {
            Some(body) => results.fill(body.get(), super::BUDGET)?,
            None => String::new(),
        };
        let http = HttpRequest {
            method: &operation.method,
            path: &operation.path,
            query: &operation.query,
            headers: &operation.headers,
            body: &body.into(),
        };
        let mut request = ApiRequest::parse(http, shared.settings)?;
        if request.preferences.tx.is_some() || request.preferences.timezone.is_some() {
            return Err(Error::batch(
                "tx and timezone are wished for the whole batch, not for one operation.",
            ));
        }
        results.fill_values(&mut request)?;
        let plan = Plan::new(&request, shared.cache, shared.settings, tx.tenant())?;
        if plan.explain.is_some() {
            return Err(Error::batch("A plan is asked for in a request of its own."));
        }
        self.check_call(&plan, operation, shared.cache)?;
        let Some(statement) = Statement::new(&plan) else {
            return Err(Error::batch("This operation has no result."));
        };
        let path = format!("{}{}", shared.root, operation.path);
        let next = Next {
            method: operation.method.as_str(),
            path: &path,
            schema: &request.schema,
            gate: CostGate::new(&plan, shared.settings, shared.role),
        };
        let result = tx.run(next, &plan, statement).await?;
        // A result that must not stand is an error here, and the transaction ends without a trace.
        respond(&request, &plan, result)
    }

    /// Beside operations that write, the transaction cannot keep a function called by GET from writing.
    fn check_call(&self, plan: &Plan, operation: &Operation, cache: &SchemaCache) -> Result<()> {
        let PlannedAction::Call(call) = &plan.action else {
            return Ok(());
        };
        let overloads = cache.functions(&call.function);
        if self.writes() && operation.reads() && overloads.iter().any(|function| function.volatile) {
            return Err(
                Error::batch("A function that may write is called by POST in a batch that writes.")
                    .hint("Declare the function STABLE or IMMUTABLE if it does not write."),
            );
        }
        Ok(())
    }
}
