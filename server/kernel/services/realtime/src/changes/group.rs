//! Subscribers who ask with the same rights: their walls are asked once for all of them.

use std::{
    collections::{HashMap, HashSet},
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
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    subscriptions: HashMap<u64, Arc<Subscription>>,
    /// Everybody's conditions by schema and table, and how many subscriptions have each.
    conditions: HashMap<(String, String), HashMap<Condition, usize>>,
    /// How many of them the database has to be asked about.
    asked: usize,
}

/// Conditions of a subscription with the tables they are about.
fn conditions(subscription: &Subscription) -> impl Iterator<Item = ((String, String), &Condition)> {
    subscription.bindings.iter().flat_map(|binding| {
        let table = (binding.schema.clone(), binding.table.clone());
        binding
            .conditions
            .iter()
            .map(move |condition| (table.clone(), condition))
    })
}

impl Group {
    /// An empty one.
    pub fn new(org: Option<OrgId>, context: RequestContext) -> Self {
        Self {
            org,
            context: Mutex::new(context),
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the database is asked for them.
    pub fn context(&self) -> RequestContext {
        self.context
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many conditions the database would have to be asked about with this subscription.
    pub fn asked_with(&self, subscription: &Subscription) -> usize {
        let inner = self.inner();
        let news: HashSet<_> = conditions(subscription)
            .filter(|(table, condition)| {
                let known = inner.conditions.get(table);
                condition.asks && known.is_none_or(|known| !known.contains_key(*condition))
            })
            .collect();
        inner.asked + news.len()
    }

    /// Adds a subscription, with the claims of the newest token.
    pub fn add(&self, context: RequestContext, subscription: Arc<Subscription>) {
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context;
        let inner = &mut *self.inner();
        for (table, condition) in conditions(&subscription) {
            let known = inner.conditions.entry(table).or_default();
            let count = known.entry(condition.clone()).or_default();
            *count += 1;
            if *count == 1 && condition.asks {
                inner.asked += 1;
            }
        }
        inner.subscriptions.insert(subscription.id, subscription);
    }

    /// Removes one; whether none is left.
    pub fn remove(&self, id: u64) -> bool {
        let inner = &mut *self.inner();
        if let Some(gone) = inner.subscriptions.remove(&id) {
            for (table, condition) in conditions(&gone) {
                let Some(known) = inner.conditions.get_mut(&table) else {
                    continue;
                };
                let Some(count) = known.get_mut(condition) else {
                    continue;
                };
                *count -= 1;
                if *count == 0 {
                    known.remove(condition);
                    if known.is_empty() {
                        inner.conditions.remove(&table);
                    }
                    inner.asked -= usize::from(condition.asks);
                }
            }
        }
        inner.subscriptions.is_empty()
    }

    /// All of them at this moment.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        self.inner().subscriptions.values().cloned().collect()
    }

    /// Those of their conditions on a table for which something holds, each once.
    pub fn conditions(&self, table: &Table, holds: impl Fn(&Condition) -> bool) -> Vec<Condition> {
        let inner = self.inner();
        let known = inner.conditions.get(&(table.schema.clone(), table.name.clone()));
        let conditions = known.into_iter().flat_map(HashMap::keys);
        conditions.filter(|condition| holds(condition)).cloned().collect()
    }
}
