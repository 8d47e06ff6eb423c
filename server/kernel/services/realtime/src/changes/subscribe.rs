//! Subscribing: what a client asks for is read and tried out before it counts, so that it harms nobody afterwards.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tenon_sdk::{
    Error, Kernel, SystemTx,
    db::{Param, RequestContext, Statement},
    error::Kind,
};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};

use super::{
    Changes, Stream, Subscribed,
    filter::{self, Condition, Operator},
    group::{Binding, Subscriber, Subscription},
    pgoutput::Action,
    position::Position,
    registry::Since,
    table::Table,
    wall,
};
use crate::allowance::Allowance;

/// Conditions of one channel at most.
const MAX_CONDITIONS: usize = 500;
/// How long a subscriber waits for the stream.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// As it came, with the number the client will know it by.
    pub params: Value,
    /// That number.
    pub id: u64,
}

/// Why it gets nothing.
#[derive(Debug)]
pub enum Refused {
    /// What it asks for makes no sense, and will not.
    Params(String),
    /// More conditions than there is room for at the moment.
    Full(String),
    /// The stream or the database is away.
    Away(String),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error.kind {
            Kind::Unavailable | Kind::Internal => Self::Away(error.message),
            _ => Self::Params(error.message),
        }
    }
}

impl Changes {
    /// Subscribes. Afterwards the subscriber hears of every change that is committed from then on, and of what it missed since it
    /// was last there, if it says when that was.
    pub async fn subscribe(
        self: &Arc<Self>,
        context: RequestContext,
        wanted: &[Wanted],
        subscriber: Arc<dyn Subscriber>,
        allowance: &Allowance,
    ) -> Result<Subscribed, Refused> {
        let listening = self.listen();
        let mut bindings = Vec::new();
        let mut since = None;
        for one in wanted {
            let (binding, from) = read(one)?;
            bindings.push(binding);
            since = earliest(since, from);
            tokio::task::consume_budget().await;
        }
        if bindings
            .iter()
            .map(|binding| binding.conditions.len())
            .sum::<usize>()
            > MAX_CONDITIONS
        {
            return Err(too_many_conditions(&format!(
                "one channel has at most {MAX_CONDITIONS}"
            )));
        }
        self.ready().await?;
        // One of each connection at a time, and not too many in all.
        let _turn = allowance.subscribing().await;
        let _asking = self.asking.acquire().await;
        let _database = allowance.database().await;
        let org = self.kernel.db().resolve(&context).await?.org;
        let now = self.try_out(&context, &mut bindings).await?;
        let conditions = hold_conditions(allowance, &bindings)?;
        // What is on its way counts for those who come back.
        let from = match since {
            None => now,
            Some(Since::After(position)) => position.log.min(now),
            Some(Since::At(_)) => 0,
        };
        let missed = subscriber.clone();
        let make = |id| Subscription {
            id,
            bindings,
            subscriber,
            from,
        };
        let Some((ticket, known)) = self.registry.add(context, org, make, since) else {
            return Err(too_many_conditions(
                "too many are in use by callers of the same rights",
            ));
        };
        if !known {
            missed.reload("What changed since then is not known any more: read again what you show.");
        }
        Ok(Subscribed {
            changes: self.clone(),
            ticket,
            _listening: listening,
            _conditions: conditions,
        })
    }

    async fn ready(&self) -> Result<(), Refused> {
        if !self.settings().changes {
            return Err(Refused::Params("Row changes are switched off here.".to_owned()));
        }
        let mut state = self.state();
        let up = state.wait_for(|state| *state == Stream::Up);
        if tokio::time::timeout(PATIENCE, up)
            .await
            .is_ok_and(|up| up.is_ok())
        {
            return Ok(());
        }
        let why = match &*self.state().borrow() {
            Stream::Down(why) => why.clone(),
            _ => "The stream of changes is not there yet.".to_owned(),
        };
        Err(Refused::Away(why))
    }

    /// Checks tables, columns and values; writes values as PostgreSQL does. Gives the place in the log from which they count. Nothing
    /// is kept open between two statements.
    async fn try_out(&self, context: &RequestContext, bindings: &mut [Binding]) -> Result<u64, Refused> {
        let mut tables: Vec<(String, String)> = Vec::new();
        for binding in bindings.iter() {
            let table = (binding.schema.clone(), binding.table.clone());
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        let (schemas, names): (Vec<_>, Vec<_>) = tables.iter().cloned().unzip();
        let tx = SystemTx::begin(self.kernel.db(), "what a subscription asks for").await?;
        let rows = tx
            .query(include_str!("subscribe.sql"), &[&schemas, &names])
            .await?;
        tx.commit().await?;
        let mut place = 0;
        let mut found: HashMap<(String, String), Option<Table>> = HashMap::new();
        for (table, row) in tables.into_iter().zip(rows) {
            let (oid, described): (Option<u32>, Option<Value>) = (
                row.try_get(0).map_err(Error::from)?,
                row.try_get(1).map_err(Error::from)?,
            );
            let Some(oid) = oid else {
                return Err(not_published(&table.0, &table.1));
            };
            let log: String = row.try_get(2).map_err(Error::from)?;
            let log = log
                .parse::<Position>()
                .map_err(|()| Refused::Away("The log has no place.".to_owned()))?;
            place = log.log;
            let described = described.map(|described| Table::described(oid, described));
            found.insert(table, described.transpose()?);
        }
        let mut values = Values::default();
        for binding in bindings.iter_mut() {
            let table = found.get(&(binding.schema.clone(), binding.table.clone()));
            match table.and_then(Option::as_ref) {
                Some(table) => {
                    for condition in &mut binding.conditions {
                        values.take(table, condition)?;
                    }
                }
                None if binding.conditions.is_empty() && binding.select.is_none() => {}
                None => {
                    return Err(Refused::Params(
                        "A filter or a list of columns needs a schema and a table.".to_owned(),
                    ));
                }
            }
        }
        values.write(&self.kernel, context).await?;
        for ((schema, name), table) in &found {
            let Some(table) = table else { continue };
            let view = self.around.views.of(&self.kernel, table, context.role).await?;
            if !view.reads_any() {
                return Err(not_published(schema, name));
            }
            let mut conditions = HashSet::new();
            for binding in bindings.iter() {
                if (&binding.schema, &binding.table) != (schema, name) {
                    continue;
                }
                let filtered = binding.conditions.iter().map(|condition| &condition.column);
                if let Some(name) = filtered
                    .chain(binding.select.iter().flatten())
                    .find(|name| table.column(name).is_none() || !view.reads(name))
                {
                    return Err(Refused::Params(format!("invalid column for filter {name}")));
                }
                conditions.extend(&binding.conditions);
            }
            let conditions: Vec<&Condition> = conditions.into_iter().collect();
            wall::try_out(&self.kernel, context, table, &conditions).await?;
        }
        Ok(place)
    }
}

/// Takes as many conditions from the connection's allowance as the database will have to be asked about.
fn hold_conditions(
    allowance: &Allowance,
    bindings: &[Binding],
) -> Result<Option<OwnedSemaphorePermit>, Refused> {
    let asked = bindings
        .iter()
        .flat_map(|binding| &binding.conditions)
        .filter(|condition| condition.asks)
        .count();
    let asked = u32::try_from(asked).unwrap_or(u32::MAX);
    match allowance.conditions.clone().try_acquire_many_owned(asked) {
        Ok(held) => Ok(Some(held)),
        Err(TryAcquireError::Closed) => Ok(None),
        Err(TryAcquireError::NoPermits) => Err(too_many_conditions("too many are in use by this connection")),
    }
}

fn too_many_conditions(why: &str) -> Refused {
    Refused::Full(format!("TooManyConditions: {why}"))
}

/// Values of filters, to be written as PostgreSQL does: all of them with one statement.
#[derive(Default)]
struct Values<'a> {
    by_type: BTreeMap<String, Vec<&'a mut String>>,
    patterns: Vec<String>,
}

impl<'a> Values<'a> {
    /// Takes those of a condition on a table.
    fn take(&mut self, table: &Table, condition: &'a mut Condition) -> Result<(), Refused> {
        let Some(column) = table.column(&condition.column) else {
            return Err(Refused::Params(format!(
                "invalid column for filter {}",
                condition.column
            )));
        };
        let base = &table.columns[column].base;
        condition.asks = condition.asks(table);
        if matches!(condition.operator, Operator::Match | Operator::Imatch) {
            self.patterns.extend(condition.values.first().cloned());
        }
        if !condition.operator.takes_pattern() && condition.operator != Operator::Is && filter::is_known(base)
        {
            let known = self.by_type.entry(base.clone()).or_default();
            known.extend(&mut condition.values);
        }
        Ok(())
    }

    /// Writes them, so that equal ones are equal texts; patterns are tried out.
    async fn write(mut self, kernel: &Kernel, context: &RequestContext) -> Result<(), Refused> {
        let mut parts = Vec::new();
        let mut params = Vec::new();
        for (number, (base, values)) in self.by_type.iter().enumerate() {
            params.push(Param::text(filter::array(values.iter().map(|value| &***value))));
            parts.push(format!(
                "select {number}, n, (v::pg_catalog.{})::text from pg_catalog.unnest(${}::text[]) with ordinality as given (v, n)",
                filter::quoted(base),
                params.len()
            ));
        }
        if !self.patterns.is_empty() {
            params.push(Param::text(filter::array(&self.patterns)));
            parts.push(format!(
                "select -1, n, ('' ~ v)::text from pg_catalog.unnest(${}::text[]) with ordinality as given (v, n)",
                params.len()
            ));
        }
        if parts.is_empty() {
            return Ok(());
        }
        let sql = parts.join(" union all ").into();
        let reply = kernel.db().run(context, Statement { sql, params }).await?;
        let mut lists: Vec<_> = self.by_type.values_mut().collect();
        for row in &reply.rows {
            let [Some(list), Some(place), Some(text)] = &row[..] else {
                continue;
            };
            let number = |cell: &[u8]| std::str::from_utf8(cell).ok()?.parse::<usize>().ok();
            if let (Some(list), Some(place)) = (number(list), number(place))
                && let Some(value) = lists.get_mut(list).and_then(|list| list.get_mut(place - 1))
            {
                **value = String::from_utf8_lossy(text).into_owned();
            }
        }
        Ok(())
    }
}

fn earliest(one: Option<Since>, other: Option<Since>) -> Option<Since> {
    match (one, other) {
        (Some(Since::After(a)), Some(Since::After(b))) => Some(Since::After(a.min(b))),
        (Some(Since::At(a)), Some(Since::At(b))) => Some(Since::At(a.min(b))),
        (one, other) => other.or(one),
    }
}

fn not_published(schema: &str, table: &str) -> Refused {
    Refused::Params(format!(
        "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: \
         [schema: {schema}, table: {table}]"
    ))
}

/// Reads what a client asks for, and since when it missed changes.
fn read(wanted: &Wanted) -> Result<(Binding, Option<Since>), Refused> {
    let params = &wanted.params;
    let wrong = |what: &str| Refused::Params(format!("{what} in {params}"));
    if !params.is_object() {
        return Err(wrong("something that is no subscription"));
    }
    let text = |name: &str| match &params[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str())),
        _ => Err(wrong(&format!("`{name}` is not a text"))),
    };
    let action = match text("event")?.unwrap_or("*").to_ascii_uppercase().as_str() {
        "*" => None,
        "INSERT" => Some(Action::Insert),
        "UPDATE" => Some(Action::Update),
        "DELETE" => Some(Action::Delete),
        _ => return Err(wrong("`event` is none of *, INSERT, UPDATE, DELETE")),
    };
    let or_all = |name: Option<&str>| name.filter(|name| !name.is_empty()).unwrap_or("*").to_owned();
    let conditions = filter::parse(text("filter")?.unwrap_or_default()).map_err(Refused::Params)?;
    let select = match &params["select"] {
        Value::Null => None,
        Value::String(names) if names.trim() == "*" || names.is_empty() => None,
        Value::String(names) => Some(names.split(',').map(|name| name.trim().to_owned()).collect()),
        Value::Array(names) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            Some(
                names
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| wrong("`select` is not a list of names"))?,
            )
        }
        _ => return Err(wrong("`select` is not a list of names")),
    };
    let since = match text("since")? {
        None | Some("") => None,
        Some(since) => {
            Some(read_since(since).ok_or_else(|| wrong("`since` is neither a position nor a time"))?)
        }
    };
    let binding = Binding {
        id: wanted.id,
        action,
        schema: or_all(text("schema")?),
        table: or_all(text("table")?),
        conditions,
        select,
    };
    Ok((binding, since))
}

/// The position of a change, or when it was committed.
pub fn read_since(text: &str) -> Option<Since> {
    text.parse()
        .map(Since::After)
        .or_else(|()| text.parse::<Timestamp>().map(Since::At))
        .ok()
}
