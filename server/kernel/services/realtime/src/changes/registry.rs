//! Which groups hear of which tables, and the changes of the last while for those who come back.
//!
//! Groups of an organisation are found by it, so that a change of its rows costs nothing for subscribers of others.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{OrgId, db::RequestContext};
use tokio::sync::mpsc;

use super::{
    group::{Group, GroupKey, Subscription},
    lane::{self, Surroundings, Work},
    position::Position,
    table::Change,
};

/// Batches that wait for one group at most.
const WAITING: usize = 256;

/// Where a subscriber takes up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// After this change.
    After(Position),
    /// With the changes of this moment.
    At(Timestamp),
}

/// How much is kept for those who come back.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Bytes at most.
    pub bytes: usize,
    /// For how long.
    pub age: SignedDuration,
}

/// Groups and recent changes.
pub struct Registry {
    around: Arc<Surroundings>,
    kept: Kept,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    groups: HashMap<GroupKey, Entry>,
    /// By organisation, or for tables whose rows belong to none by nothing; then by schema and table, or `*`.
    heard: HashMap<Scope, HashMap<GroupKey, usize>>,
    ring: VecDeque<Arc<Change>>,
    bytes: usize,
    /// Everything after this is in the ring.
    floor: Option<(Position, Timestamp)>,
    last: Position,
}

struct Entry {
    group: Arc<Group>,
    lane: mpsc::Sender<Work>,
}

/// Who is looked for when a row of a table changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    /// `None`: everybody, since rows of the table belong to no organisation.
    org: Option<OrgId>,
    schema: String,
    table: String,
}

impl Registry {
    /// An empty one.
    pub fn new(around: Arc<Surroundings>, kept: Kept) -> Self {
        Self {
            around,
            kept,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a subscription, and hands it what it missed since it was last there; false if that is not known any more. Gives how it
    /// is removed; `None` if its group has too many conditions already.
    pub fn add(
        &self,
        context: RequestContext,
        org: Option<OrgId>,
        make: impl FnOnce(u64) -> Subscription,
        since: Option<Since>,
    ) -> Option<(Ticket, bool)> {
        let mut inner = self.inner();
        inner.next += 1;
        let id = inner.next;
        let subscription = Arc::new(make(id));
        let key = GroupKey::new(&context, org);
        let known = inner.groups.get(&key);
        if known.is_some_and(|entry| entry.group.asked_with(&subscription) > self.around.conditions) {
            return None;
        }
        let scopes = scopes(&subscription, org);
        for scope in &scopes {
            *inner
                .heard
                .entry(scope.clone())
                .or_default()
                .entry(key.clone())
                .or_default() += 1;
        }
        let around = &self.around;
        let entry = inner.groups.entry(key.clone()).or_insert_with(|| {
            let group = Arc::new(Group::new(org, context.clone()));
            let (lane, work) = mpsc::channel(WAITING);
            tokio::spawn(lane::run(around.clone(), group.clone(), work));
            Entry { group, lane }
        });
        entry.group.add(context, subscription.clone());
        let lane = entry.lane.clone();
        let known = since.is_none_or(|since| inner.replay(since, org, &subscription, &lane));
        Some((Ticket { id, key, scopes }, known))
    }

    /// Removes a subscription.
    pub fn remove(&self, ticket: &Ticket) {
        let mut inner = self.inner();
        for scope in &ticket.scopes {
            if let Some(groups) = inner.heard.get_mut(scope) {
                if let Some(count) = groups.get_mut(&ticket.key) {
                    *count -= 1;
                    if *count == 0 {
                        groups.remove(&ticket.key);
                    }
                }
                if groups.is_empty() {
                    inner.heard.remove(scope);
                }
            }
        }
        if let Some(entry) = inner.groups.get(&ticket.key)
            && entry.group.remove(ticket.id)
        {
            inner.groups.remove(&ticket.key);
        }
    }

    /// Changes in their order. What was here already, as after a break of the connection, is left out.
    pub fn dispatch(&self, changes: Vec<Change>, now: Timestamp) {
        let mut inner = self.inner();
        let mut lanes: HashMap<GroupKey, Vec<Arc<Change>>> = HashMap::new();
        for change in changes {
            if change.position <= inner.last {
                continue;
            }
            inner.last = change.position;
            let change = Arc::new(change);
            inner.keep(change.clone());
            for scope in looked_for(&change) {
                if let Some(groups) = inner.heard.get(&scope) {
                    for key in groups.keys() {
                        let lane = lanes.entry(key.clone()).or_default();
                        if lane.last().is_none_or(|last| last.position != change.position) {
                            lane.push(change.clone());
                        }
                    }
                }
            }
        }
        inner.forget_old(self.kept, now);
        for (key, changes) in lanes {
            if let Some(entry) = inner.groups.get(&key)
                && entry.lane.try_send(Work { changes, only: None }).is_err()
            {
                for subscription in entry.group.all() {
                    subscription
                        .subscriber
                        .reload("More changed than could be looked at in time: read again what you show.");
                }
            }
        }
    }

    /// The stream begins here: what was before is not known, unless it is in the ring.
    pub fn begins(&self, log: u64, now: Timestamp) {
        let mut inner = self.inner();
        if inner.floor.is_none() {
            inner.floor = Some((
                Position {
                    log,
                    number: u32::MAX,
                },
                now,
            ));
        }
    }

    /// Changes may have been lost: nothing from before can be taken up again, and everybody reads anew.
    pub fn broke(&self, why: &str) {
        let mut inner = self.inner();
        inner.ring.clear();
        inner.bytes = 0;
        inner.floor = None;
        for entry in inner.groups.values() {
            for subscription in entry.group.all() {
                subscription.subscriber.reload(why);
            }
        }
    }

    /// The place in the log of the oldest change that is kept.
    pub fn kept_from(&self, now: Timestamp) -> Option<u64> {
        let mut inner = self.inner();
        inner.forget_old(self.kept, now);
        inner.ring.front().map(|change| change.position.log)
    }

    /// Subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.inner()
            .groups
            .values()
            .map(|entry| entry.group.all().len())
            .sum()
    }
}

impl Inner {
    fn keep(&mut self, change: Arc<Change>) {
        self.bytes += change.size;
        self.ring.push_back(change);
    }

    fn forget_old(&mut self, kept: Kept, now: Timestamp) {
        while let Some(oldest) = self.ring.front() {
            let age = now.duration_since(oldest.committed);
            if self.bytes <= kept.bytes && age <= kept.age {
                return;
            }
            self.bytes -= oldest.size;
            self.floor = Some((oldest.position, oldest.committed));
            self.ring.pop_front();
        }
    }

    /// Hands a subscription what came since; false if not all of that is known.
    fn replay(
        &self,
        since: Since,
        org: Option<OrgId>,
        subscription: &Subscription,
        lane: &mpsc::Sender<Work>,
    ) -> bool {
        let Some((floor, floor_at)) = self.floor else {
            return false;
        };
        let known = match since {
            Since::After(position) => position >= floor,
            Since::At(moment) => moment > floor_at,
        };
        if !known {
            return false;
        }
        let missed = |change: &&Arc<Change>| match since {
            Since::After(position) => change.position > position,
            Since::At(moment) => change.committed >= moment,
        };
        let about = |change: &&Arc<Change>| {
            (change.table.org.is_none() || change.org == org)
                && subscription
                    .bindings
                    .iter()
                    .any(|binding| binding.is_about(&change.table, change.action))
        };
        let changes: Vec<_> = self.ring.iter().filter(missed).filter(about).cloned().collect();
        changes.is_empty()
            || lane
                .try_send(Work {
                    changes,
                    only: Some(subscription.id),
                })
                .is_ok()
    }
}

/// How a subscription is found again.
#[derive(Debug)]
pub struct Ticket {
    id: u64,
    key: GroupKey,
    scopes: Vec<Scope>,
}

fn scopes(subscription: &Subscription, org: Option<OrgId>) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for binding in &subscription.bindings {
        for org in [org, None] {
            let scope = Scope {
                org,
                schema: binding.schema.clone(),
                table: binding.table.clone(),
            };
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
    }
    scopes
}

fn looked_for(change: &Change) -> Vec<Scope> {
    // A row whose organisation is not recorded is nobody's.
    let org = match (change.table.org, change.org) {
        (Some(_), None) => return Vec::new(),
        (_, org) => org,
    };
    let table = &change.table;
    [
        (table.schema.as_str(), table.name.as_str()),
        (table.schema.as_str(), "*"),
        ("*", "*"),
        ("*", table.name.as_str()),
    ]
    .into_iter()
    .map(|(schema, table)| Scope {
        org,
        schema: schema.to_owned(),
        table: table.to_owned(),
    })
    .collect()
}
