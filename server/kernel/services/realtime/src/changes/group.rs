//! Subscribers who ask with the same rights: their walls are asked once for all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tenon_sdk::{OrgId, db::RequestContext};

use super::{filter::Condition, pgoutput::Action, position::Position, table::Table};

/// Who hears of changes.
pub trait Subscriber: Send + Sync {
    /// A change that it may see and asked for, as JSON; `ids` say by which of its bindings.
    fn changed(&self, ids: &[u64], data: &str, position: Position);
    /// Changes were missed: what it shows has to be read anew.
    fn reload(&self, why: &str);
    /// Nothing more comes: it cannot be served.
    fn failed(&self, why: &str);
}

/// What a subscription asks for.
#[derive(Clone, Debug)]
pub struct Binding {
    /// What the client knows it by.
    pub id: u64,
    /// One kind of change, or all.
    pub action: Option<Action>,
    /// A schema, or `*`.
    pub schema: String,
    /// A table, or `*`.
    pub table: String,
    /// What must hold of the row.
    pub conditions: Vec<Condition>,
    /// The columns wanted, or all.
    pub select: Option<Vec<String>>,
}

impl Binding {
    /// Whether it is about this change, conditions aside.
    pub fn is_about(&self, table: &Table, action: Action) -> bool {
        self.action.is_none_or(|wanted| wanted == action) && table.is_meant(&self.schema, &self.table)
    }
}

/// One subscription.
pub struct Subscription {
    /// Its number.
    pub id: u64,
    /// What it asks for.
    pub bindings: Vec<Binding>,
    /// Who hears.
    pub subscriber: Arc<dyn Subscriber>,
    /// The place in the log where it began: what was before is handed out only if it was asked for.
    pub from: u64,
}

/// What makes two callers see the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupKey {
    role: &'static str,
    org: Option<OrgId>,
    key: Option<uuid::Uuid>,
    claims: Arc<str>,
}

impl GroupKey {
    /// Claims that tell one token from the next of the same session are left out; a policy that looks at them sees those of one
    /// of the group.
    pub fn new(context: &RequestContext, org: Option<OrgId>) -> Self {
        let claims = match serde_json::from_str(&context.claims) {
            Ok(Value::Object(mut claims)) => {
                for passing in ["exp", "iat", "nbf", "jti"] {
                    claims.remove(passing);
                }
                Value::Object(claims).to_string().into()
            }
            _ => context.claims.clone(),
        };
        Self {
            role: context.role,
            org,
            key: context.key,
            claims,
        }
    }
}

/// Subscribers of the same rights.
pub struct Group {
    /// The organisation they are in.
    pub org: Option<OrgId>,
    context: Mutex<RequestContext>,
    subscriptions: Mutex<HashMap<u64, Arc<Subscription>>>,
}

impl Group {
    /// An empty one.
    pub fn new(org: Option<OrgId>, context: RequestContext) -> Self {
        Self {
            org,
            context: Mutex::new(context),
            subscriptions: Mutex::default(),
        }
    }

    fn subscriptions(&self) -> MutexGuard<'_, HashMap<u64, Arc<Subscription>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the database is asked for them.
    pub fn context(&self) -> RequestContext {
        self.context
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds a subscription, with the claims of the newest token.
    pub fn add(&self, context: RequestContext, subscription: Arc<Subscription>) {
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context;
        self.subscriptions().insert(subscription.id, subscription);
    }

    /// Removes one; whether none is left.
    pub fn remove(&self, id: u64) -> bool {
        let mut subscriptions = self.subscriptions();
        subscriptions.remove(&id);
        subscriptions.is_empty()
    }

    /// All of them at this moment.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        self.subscriptions().values().cloned().collect()
    }
}
