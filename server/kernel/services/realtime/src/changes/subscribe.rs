//! Subscribing: what a client asks for is read and tried out before it counts, so that it harms nobody afterwards.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use tenon_sdk::{Error, SystemTx, db::RequestContext, error::Kind};

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
    ) -> Result<Subscribed, Refused> {
        let listening = self.listen();
        let mut bindings = Vec::new();
        let mut since = None;
        for one in wanted {
            let (binding, from) = read(one)?;
            bindings.push(binding);
            since = earliest(since, from);
        }
        let org = self.kernel.db().resolve(&context).await?.org;
        self.ready().await?;
        let now = self.try_out(&context, &mut bindings).await?;
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
        let (ticket, known) = self.registry.add(context, org, make, since);
        if !known {
            missed.reload("What changed since then is not known any more: read again what you show.");
        }
        Ok(Subscribed {
            changes: self.clone(),
            ticket,
            _listening: listening,
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

    /// Checks tables, columns and values; writes values as PostgreSQL does. Gives the place in the log from which they count.
    async fn try_out(&self, context: &RequestContext, bindings: &mut [Binding]) -> Result<u64, Refused> {
        let tx = SystemTx::begin(self.kernel.db(), "what a subscription asks for").await?;
        let row = tx
            .query_one("select pg_catalog.pg_current_wal_insert_lsn()::text", &[])
            .await?;
        let place: String = row.try_get(0).map_err(Error::from)?;
        let place = place
            .parse::<Position>()
            .map_err(|()| Refused::Away("The log has no place.".to_owned()))?;
        let published = tx
            .query(
                "select p.relation, p.schema_name::text, p.table_name::text from realtime.published() p",
                &[],
            )
            .await?;
        let mut tables = Vec::new();
        for binding in bindings.iter_mut() {
            let found = published.iter().find(|row| {
                let named = |index| row.try_get::<_, String>(index).unwrap_or_default();
                (binding.schema == "*" || binding.schema == named(1))
                    && (binding.table == "*" || binding.table == named(2))
            });
            let Some(found) = found else {
                return Err(not_published(binding));
            };
            let is_one = binding.schema != "*" && binding.table != "*";
            if !is_one && (!binding.conditions.is_empty() || binding.select.is_some()) {
                return Err(Refused::Params(
                    "A filter or a list of columns needs a schema and a table.".to_owned(),
                ));
            }
            if is_one {
                let oid: u32 = found.try_get(0).map_err(Error::from)?;
                let row = tx.query_one("select realtime.relation($1)", &[&oid]).await?;
                let table = Table::described(oid, row.try_get(0).map_err(Error::from)?)?;
                for condition in &mut binding.conditions {
                    write_values(&tx, &table, condition).await?;
                }
                tables.push((table, binding.clone()));
            }
        }
        tx.commit().await?;
        for (table, binding) in tables {
            let view = self.around.views.of(&self.kernel, &table, context.role).await?;
            let may_read = |name: &String| table.column(name).is_some() && view.reads(name);
            if !view.reads_any() {
                return Err(not_published(&binding));
            }
            let filtered = binding.conditions.iter().map(|condition| &condition.column);
            if let Some(name) = filtered
                .chain(binding.select.iter().flatten())
                .find(|name| !may_read(name))
            {
                return Err(Refused::Params(format!("invalid column for filter {name}")));
            }
            let conditions: Vec<&Condition> = binding.conditions.iter().collect();
            wall::try_out(&self.kernel, context, &table, &conditions).await?;
        }
        Ok(place.log)
    }
}

fn earliest(one: Option<Since>, other: Option<Since>) -> Option<Since> {
    match (one, other) {
        (Some(Since::After(a)), Some(Since::After(b))) => Some(Since::After(a.min(b))),
        (Some(Since::At(a)), Some(Since::At(b))) => Some(Since::At(a.min(b))),
        (one, other) => other.or(one),
    }
}

fn not_published(binding: &Binding) -> Refused {
    Refused::Params(format!(
        "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: \
         [schema: {}, table: {}]",
        binding.schema, binding.table
    ))
}

/// Values as PostgreSQL writes them, so that equal ones are equal texts; patterns are tried out.
async fn write_values(tx: &SystemTx, table: &Table, condition: &mut Condition) -> Result<(), Refused> {
    let Some(column) = table
        .columns
        .iter()
        .find(|column| column.name == condition.column)
    else {
        return Err(Refused::Params(format!(
            "invalid column for filter {}",
            condition.column
        )));
    };
    if matches!(condition.operator, Operator::Match | Operator::Imatch) {
        tx.query("select '' ~ $1::text", &[&condition.values[0]]).await?;
    }
    if condition.operator.takes_pattern()
        || condition.operator == Operator::Is
        || !filter::is_known(&column.base)
    {
        return Ok(());
    }
    let sql = format!(
        "select ($1::text::pg_catalog.{})::text",
        filter::quoted(&column.base)
    );
    for value in &mut condition.values {
        *value = tx
            .query_one(&sql, &[&*value])
            .await?
            .try_get(0)
            .map_err(Error::from)?;
    }
    Ok(())
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
