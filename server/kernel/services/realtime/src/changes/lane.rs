//! One group's changes, in their order: what its policies and filters let through goes to its subscribers. Groups do not wait for
//! one another.

use std::{collections::HashMap, sync::Arc};

use tenon_sdk::{Kernel, error::Kind};
use tokio::sync::mpsc;

use super::{
    filter::Condition,
    group::{Group, Subscription},
    payload::{self, Told},
    pgoutput::Action,
    table::Change,
    wall::{self, Asked, Verdict, Views},
};

/// Changes judged with one statement at most.
const TOGETHER: usize = 256;

/// Changes for a group, or for one subscription of it that comes back.
pub struct Work {
    /// In their order.
    pub changes: Vec<Arc<Change>>,
    /// Only this subscription is meant.
    pub only: Option<u64>,
}

/// What lanes need besides.
pub struct Surroundings {
    /// The kernel.
    pub kernel: Kernel,
    /// What roles may see.
    pub views: Views,
    /// Most bytes of a change that is sent whole.
    pub limit: usize,
}

type Item = (Arc<Change>, Option<u64>);

/// Delivers until nobody can hand in anything any more.
pub async fn run(around: Arc<Surroundings>, group: Arc<Group>, mut work: mpsc::Receiver<Work>) {
    while let Some(next) = work.recv().await {
        let mut items: Vec<Item> = Vec::new();
        let mut take = |work: Work| items.extend(work.changes.into_iter().map(|change| (change, work.only)));
        take(next);
        while let Ok(next) = work.try_recv() {
            take(next);
        }
        for items in items.chunks(TOGETHER) {
            deliver(&around, &group, items).await;
        }
    }
}

async fn deliver(around: &Surroundings, group: &Group, items: &[Item]) {
    let subscriptions = group.all();
    let mut tables: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, (change, _)) in items.iter().enumerate() {
        tables
            .entry(Arc::as_ptr(&change.table).addr())
            .or_default()
            .push(index);
    }
    let mut judged: Vec<Option<Judged>> = items.iter().map(|_| None).collect();
    for indexes in tables.values() {
        let changes: Vec<&Change> = indexes.iter().map(|&index| &*items[index].0).collect();
        match judge(around, group, &subscriptions, &changes).await {
            Ok(found) => {
                for (&index, found) in indexes.iter().zip(found) {
                    judged[index] = Some(found);
                }
            }
            Err(error) => {
                let table = &changes[0].table;
                tracing::warn!(%error, schema = table.schema, table = table.name, "subscribers of a group cannot be served");
                let why = if error.kind == Kind::Unavailable {
                    "The database is away: read again what you show.".to_owned()
                } else {
                    format!(
                        "The policies of {}.{} cannot be asked: {}",
                        table.schema, table.name, error.message
                    )
                };
                let meant = |subscription: &&Arc<Subscription>| {
                    subscription
                        .bindings
                        .iter()
                        .any(|binding| table.is_meant(&binding.schema, &binding.table))
                };
                for subscription in subscriptions.iter().filter(meant) {
                    if error.kind == Kind::Unavailable {
                        subscription.subscriber.reload(&why);
                    } else {
                        subscription.subscriber.failed(&why);
                    }
                }
            }
        }
    }
    for ((change, only), judged) in items.iter().zip(judged) {
        if let Some(judged) = judged
            && judged.visible
        {
            let meant = subscriptions.iter().filter(|subscription| match only {
                Some(only) => *only == subscription.id,
                None => change.position.log >= subscription.from,
            });
            tell(around.limit, change, &judged, meant);
        }
    }
}

/// What is known of a change for a group.
struct Judged {
    visible: bool,
    old: bool,
    readable: Arc<[bool]>,
    /// Conditions that the database was asked about.
    holds: Arc<[Condition]>,
    held: Vec<bool>,
}

async fn judge(
    around: &Surroundings,
    group: &Group,
    subscriptions: &[Arc<Subscription>],
    changes: &[&Change],
) -> tenon_sdk::Result<Vec<Judged>> {
    let table = &changes[0].table;
    let context = group.context();
    let view = around.views.of(&around.kernel, table, context.role).await?;
    let readable = view.readable(table);
    let hidden = !readable.contains(&true);
    let mut asked: Vec<Condition> = Vec::new();
    for binding in subscriptions
        .iter()
        .flat_map(|subscription| &subscription.bindings)
    {
        if !table.is_meant(&binding.schema, &binding.table) {
            continue;
        }
        for condition in &binding.conditions {
            let unsure = changes.iter().any(|change| condition.at_once(change).is_none());
            if unsure && !asked.contains(condition) {
                asked.push(condition.clone());
            }
        }
    }
    // The row itself, and for updates the row before, which may have been out of sight.
    let mut rows = Vec::new();
    let mut places = Vec::new();
    for change in changes {
        let place = change.row().map(|row| {
            let before = change.is_gone();
            rows.push(Asked { row, before });
            rows.len() - 1
        });
        let old = match (change.action, &change.old) {
            (Action::Update, Some(old)) if table.walled => {
                rows.push(Asked { row: old, before: true });
                Some(rows.len() - 1)
            }
            _ => None,
        };
        places.push((place, old));
    }
    let verdicts = if hidden {
        vec![Verdict::default(); rows.len()]
    } else {
        let conditions: Vec<&Condition> = asked.iter().collect();
        wall::judge(&around.kernel, &context, table, &view, &conditions, &rows).await?
    };
    let holds: Arc<[Condition]> = asked.into();
    let judged = changes.iter().zip(places).map(|(change, (place, old))| {
        let verdict = place.map(|place| verdicts[place].clone()).unwrap_or_default();
        Judged {
            visible: verdict.visible,
            old: match change.action {
                Action::Update => old.is_none_or(|old| verdicts[old].visible),
                _ => true,
            },
            readable: readable.clone(),
            holds: holds.clone(),
            held: verdict.holds,
        }
    });
    Ok(judged.collect())
}

fn tell<'a>(
    limit: usize,
    change: &Change,
    judged: &Judged,
    subscriptions: impl Iterator<Item = &'a Arc<Subscription>>,
) {
    let mut written: HashMap<Option<&[String]>, String> = HashMap::new();
    let subscriptions: Vec<_> = subscriptions.collect();
    for subscription in &subscriptions {
        let mut ids: Vec<(Option<&[String]>, Vec<u64>)> = Vec::new();
        for binding in &subscription.bindings {
            let holds = |condition: &Condition| {
                condition.at_once(change).unwrap_or_else(|| {
                    let place = judged.holds.iter().position(|asked| asked == condition);
                    place
                        .and_then(|place| judged.held.get(place))
                        .copied()
                        .unwrap_or(false)
                })
            };
            if binding.is_about(&change.table, change.action) && binding.conditions.iter().all(holds) {
                let select = binding.select.as_deref();
                match ids.iter_mut().find(|(other, _)| *other == select) {
                    Some((_, ids)) => ids.push(binding.id),
                    None => ids.push((select, vec![binding.id])),
                }
            }
        }
        for (select, ids) in ids {
            let data = written.entry(select).or_insert_with(|| {
                payload::data(
                    change,
                    Told {
                        readable: &judged.readable,
                        select,
                        old: judged.old,
                        limit,
                    },
                )
            });
            subscription.subscriber.changed(&ids, data, change.position);
        }
    }
}
