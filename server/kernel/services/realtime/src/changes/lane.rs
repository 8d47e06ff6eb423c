//! One group's changes, in their order: what its policies and filters let through goes to its subscribers. Groups do not wait for
//! one another.

use std::{collections::HashMap, sync::Arc};

use tenon_sdk::{Error, Kernel, error::Kind};
use tokio::sync::mpsc;

use super::{
    filter::Condition,
    group::{Binding, Group, Subscription},
    payload::{self, Told},
    pgoutput::Action,
    table::{Change, Table},
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
    /// Most conditions of a group that the database is asked about.
    pub conditions: usize,
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
        let table = &changes[0].table;
        let filtered = match judge(around, group, &changes).await {
            Ok((found, filtered)) => {
                let readable = found.first().map(|found| found.readable.clone());
                for (&index, found) in indexes.iter().zip(found) {
                    judged[index] = Some(found);
                }
                refuse_hidden(&subscriptions, table, readable.as_deref()).await;
                filtered
            }
            Err(error) => Err((error, Concerned::All)),
        };
        if let Err((error, concerned)) = filtered {
            tell_of_failure(&subscriptions, table, &error, concerned);
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
            tell(around.limit, change, &judged, meant).await;
        }
    }
}

/// Whom a failure concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concerned {
    /// All who hear of the table.
    All,
    /// Those of them whose filters the database has to be asked about.
    Filtering,
}

fn tell_of_failure(subscriptions: &[Arc<Subscription>], table: &Table, error: &Error, concerned: Concerned) {
    tracing::warn!(%error, schema = table.schema, table = table.name, "subscribers of a group cannot be served");
    let what = match concerned {
        Concerned::All => "policies of",
        Concerned::Filtering => "filters on",
    };
    let is_concerned = |binding: &Binding| {
        table.is_meant(&binding.schema, &binding.table)
            && (concerned == Concerned::All
                || binding.conditions.iter().any(|condition| condition.asks(table)))
    };
    for subscription in subscriptions {
        if !subscription.bindings.iter().any(is_concerned) {
            continue;
        }
        if error.kind == Kind::Unavailable {
            subscription
                .subscriber
                .reload("The database is away: read again what you show.");
        } else {
            subscription.subscriber.failed(&format!(
                "The {what} {}.{} cannot be asked: {}",
                table.schema, table.name, error.message
            ));
        }
    }
}

/// Whoever filters by a column that may not be read any more is told so.
async fn refuse_hidden(subscriptions: &[Arc<Subscription>], table: &Table, readable: Option<&[bool]>) {
    let reads = |condition: &Condition| {
        let column = table.column(&condition.column);
        column.is_some_and(|column| readable.is_some_and(|readable| readable[column]))
    };
    for subscription in subscriptions {
        let bindings = subscription.bindings.iter();
        let mut conditions = bindings
            .filter(|binding| table.is_meant(&binding.schema, &binding.table))
            .flat_map(|binding| &binding.conditions);
        if let Some(hidden) = conditions.find(|condition| !reads(condition)) {
            subscription
                .subscriber
                .failed(&format!("invalid column for filter {}", hidden.column));
        }
        tokio::task::consume_budget().await;
    }
}

/// What is known of a change for a group.
struct Judged {
    visible: bool,
    old: bool,
    readable: Arc<[bool]>,
    /// Conditions that the database was asked about, and the places of its answers.
    asked: Arc<HashMap<Condition, usize>>,
    held: Vec<bool>,
}

impl Judged {
    fn holds(&self, condition: &Condition, change: &Change) -> bool {
        let column = change.table.column(&condition.column);
        let reads = column.is_some_and(|column| self.readable.get(column) == Some(&true));
        reads
            && condition.at_once(change).unwrap_or_else(|| {
                let place = self.asked.get(condition);
                place.and_then(|&place| self.held.get(place)) == Some(&true)
            })
    }
}

/// What became of filters that the database was asked about.
type Filtered = Result<(), (Error, Concerned)>;

async fn judge(
    around: &Surroundings,
    group: &Group,
    changes: &[&Change],
) -> tenon_sdk::Result<(Vec<Judged>, Filtered)> {
    let table = &changes[0].table;
    let context = group.context();
    let view = around.views.of(&around.kernel, table, context.role).await?;
    let readable = view.readable(table);
    let hidden = !readable.contains(&true);
    let conditions = group.conditions(table, |condition| {
        condition.asks(table) && view.reads(&condition.column)
    });
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
                rows.push(Asked {
                    row: old,
                    before: true,
                });
                Some(rows.len() - 1)
            }
            _ => None,
        };
        places.push((place, old));
    }
    let mut filtered = Ok(());
    let verdicts = if hidden {
        vec![Verdict::default(); rows.len()]
    } else {
        let asked: Vec<&Condition> = conditions.iter().collect();
        let ask = async |conditions: &[&Condition]| {
            wall::judge(&around.kernel, &context, table, &view, conditions, &rows).await
        };
        match ask(&asked).await {
            // One subscriber's filter keeps nothing from those who have none.
            Err(error) if error.kind != Kind::Unavailable && !asked.is_empty() => {
                let verdicts = ask(&[]).await?;
                filtered = Err((error, Concerned::Filtering));
                verdicts
            }
            verdicts => verdicts?,
        }
    };
    let asked = conditions.into_iter().enumerate();
    let asked: Arc<HashMap<Condition, usize>> =
        Arc::new(asked.map(|(place, condition)| (condition, place)).collect());
    let judged = changes.iter().zip(places).map(|(change, (place, old))| {
        let verdict = place.map(|place| verdicts[place].clone()).unwrap_or_default();
        Judged {
            visible: verdict.visible,
            old: match change.action {
                Action::Update => old.is_none_or(|old| verdicts[old].visible),
                _ => true,
            },
            readable: readable.clone(),
            asked: asked.clone(),
            held: verdict.holds,
        }
    });
    Ok((judged.collect(), filtered))
}

async fn tell<'a>(
    limit: usize,
    change: &Change,
    judged: &Judged,
    subscriptions: impl Iterator<Item = &'a Arc<Subscription>>,
) {
    let mut written: HashMap<Option<&[String]>, String> = HashMap::new();
    let subscriptions: Vec<_> = subscriptions.collect();
    for subscription in &subscriptions {
        // Many subscribers of one group must not hold up everybody else.
        tokio::task::consume_budget().await;
        let mut ids: Vec<(Option<&[String]>, Vec<u64>)> = Vec::new();
        for binding in &subscription.bindings {
            let holds = |condition: &Condition| judged.holds(condition, change);
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
