//! Which rows callers may see: the policies of the table, asked of the row as the log has it. So a row that is gone is judged like
//! one that is there, and the answer is the one of the moment the change was made, not of a later look.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    db::{Param, RequestContext, Statement, TextRow},
};

use super::{
    filter::{Condition, array, quoted},
    pgoutput::Tuple,
    table::{self, Table},
};

/// What a role may see of a table. It speaks of columns by name: what the log describes may be older than the catalogue.
#[derive(Clone, Debug)]
pub struct View {
    columns: HashSet<String>,
    /// `None`: nothing is walled.
    policies: Option<Vec<Policy>>,
}

/// A policy for reading.
#[derive(Clone, Debug, Deserialize)]
struct Policy {
    /// One that lets in, rather than one that keeps out.
    permissive: bool,
    /// What must hold of a row.
    condition: String,
    /// Looks at the row as one.
    whole: bool,
    /// Names of the columns it looks at.
    columns: Vec<String>,
}

impl View {
    /// Whether a column may be read.
    pub fn reads(&self, column: &str) -> bool {
        self.columns.contains(column)
    }

    /// Whether any may be.
    pub fn reads_any(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Which columns may be read, in the table's order.
    pub fn readable(&self, table: &Table) -> Arc<[bool]> {
        let columns = table.columns.iter();
        columns.map(|column| self.reads(&column.name)).collect()
    }

    /// What must hold of a row of which only some columns are known: a policy that looks at others lets nobody in, and keeps all
    /// out. `None`: nobody may see it.
    fn wall(&self, knows: impl Fn(&str) -> bool, knows_all: bool) -> Option<String> {
        let Some(policies) = &self.policies else {
            return Some("true".to_owned());
        };
        let can_be_asked = |policy: &Policy| {
            (knows_all || !policy.whole) && policy.columns.iter().all(|column| knows(column))
        };
        let mut lets_in = String::new();
        let mut keeps_out = String::new();
        for policy in policies {
            match (policy.permissive, can_be_asked(policy)) {
                (true, true) => {
                    let or = if lets_in.is_empty() { "" } else { " or " };
                    let _ = write!(lets_in, "{or}({})", policy.condition);
                }
                (true, false) => {}
                (false, true) => _ = write!(keeps_out, " and ({})", policy.condition),
                (false, false) => return None,
            }
        }
        (!lets_in.is_empty()).then(|| format!("({lets_in}){keeps_out}"))
    }

    /// Columns that its policies look at.
    fn looked_at<'a>(&'a self, table: &'a Table) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        let policies = || self.policies.iter().flatten();
        if policies().any(|policy| policy.whole) {
            Box::new(table.columns.iter().map(|column| &*column.name))
        } else {
            Box::new(policies().flat_map(|policy| &policy.columns).map(|name| &**name))
        }
    }
}

/// Views, as long as the schema stays as it is; asked anew now and then where nobody tells of it.
#[derive(Debug, Default)]
pub struct Views(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Counts what was told of the schema.
    news: u64,
    since: Option<Instant>,
    views: HashMap<(u32, &'static str), Arc<View>>,
}

#[derive(Deserialize)]
struct Described {
    columns: HashSet<String>,
    policies: Option<Vec<Policy>>,
}

impl Views {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a role may see of a table.
    pub async fn of(&self, kernel: &Kernel, table: &Table, role: &'static str) -> Result<Arc<View>> {
        let age = Duration::from_secs(kernel.config().realtime.check_seconds.max(1));
        let news = {
            let mut known = self.known();
            if known.since.is_none_or(|since| since.elapsed() >= age) {
                known.views.clear();
                known.since = Some(Instant::now());
            }
            if let Some(view) = known.views.get(&(table.oid, role)) {
                return Ok(view.clone());
            }
            known.news
        };
        let tx = SystemTx::begin(kernel.db(), "what roles may see of a table").await?;
        let row = tx
            .query_one(
                "select realtime.view_of($1, $2::text::name)",
                &[&table.oid, &role],
            )
            .await?;
        tx.commit().await?;
        let described: Option<serde_json::Value> = row.try_get(0)?;
        let described: Described = match described {
            Some(described) => serde_json::from_value(described).map_err(Error::internal)?,
            // The table is gone.
            None => Described {
                columns: HashSet::new(),
                policies: Some(Vec::new()),
            },
        };
        let view = Arc::new(View {
            columns: described.columns,
            policies: described.policies,
        });
        let mut known = self.known();
        // What was asked before the news may be old already.
        if known.news == news {
            known.views.insert((table.oid, role), view.clone());
        }
        Ok(view)
    }

    /// Something in the schema changed.
    pub fn forget(&self) {
        let mut known = self.known();
        known.news += 1;
        known.views.clear();
    }
}

/// What the database says of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be seen.
    pub visible: bool,
    /// Which of the conditions hold.
    pub holds: Vec<bool>,
}

/// A row that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// As the log has it.
    pub row: &'a Tuple,
    /// It is one as it was before.
    pub before: bool,
}

/// Conditions asked with one statement at most.
const TOGETHER: usize = 200;

/// Asks for rows of one table in the context of a caller. Policies and conditions are asked of those rows only of which the log
/// carries what they look at, or of which that can be computed.
pub async fn judge(
    kernel: &Kernel,
    context: &RequestContext,
    table: &Table,
    view: &View,
    conditions: &[&Condition],
    rows: &[Asked<'_>],
) -> Result<Vec<Verdict>> {
    if view.policies.is_none() && conditions.is_empty() {
        let verdict = Verdict {
            visible: true,
            holds: Vec::new(),
        };
        return Ok(vec![verdict; rows.len()]);
    }
    let mut verdicts = vec![Verdict::default(); rows.len()];
    for (shape, places) in alike(table, view, conditions, rows) {
        let Some(wall) = view.wall(|name| shape.knows(table, name), shape.knows_all()) else {
            continue;
        };
        let tuples: Vec<&Tuple> = places.iter().map(|&place| rows[place].row).collect();
        let mut parts = conditions.chunks(TOGETHER);
        let mut part = Some(parts.next().unwrap_or_default());
        while let Some(conditions) = part {
            let statement = statement(table, &shape, &wall, conditions, &tuples);
            let reply = kernel.db().run(context, statement).await?;
            for row in &reply.rows {
                let place = number(row).and_then(|number| places.get(number.wrapping_sub(1)));
                let Some(verdict) = place.and_then(|&place| verdicts.get_mut(place)) else {
                    return Err(Error::internal(
                        "the wall was asked of a row and spoke of another",
                    ));
                };
                let truth = |cell: &Option<bytes::Bytes>| cell.as_deref() == Some(b"t");
                verdict.visible = row.get(1).is_some_and(truth);
                verdict.holds.extend(row.iter().skip(2).map(truth));
            }
            part = parts.next();
        }
    }
    Ok(verdicts)
}

/// What is known of rows, for each column of the table; of columns that nobody looks at it is not told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape(Vec<Option<table::Known>>);

impl Shape {
    fn knows(&self, table: &Table, name: &str) -> bool {
        let known = table.column(name).and_then(|column| self.0[column]);
        known.is_some_and(|known| known != table::Known::Missing)
    }

    fn knows_all(&self) -> bool {
        !self.0.contains(&Some(table::Known::Missing))
    }

    fn computes(&self, column: usize) -> bool {
        self.0[column] == Some(table::Known::Computed)
    }
}

/// Rows of which the same is known, by their places.
fn alike(
    table: &Table,
    view: &View,
    conditions: &[&Condition],
    rows: &[Asked<'_>],
) -> HashMap<Shape, Vec<usize>> {
    let filtered = conditions.iter().map(|condition| &*condition.column);
    let names: HashSet<&str> = view.looked_at(table).chain(filtered).collect();
    let columns: Vec<usize> = names.into_iter().filter_map(|name| table.column(name)).collect();
    let mut shapes: HashMap<Shape, Vec<usize>> = HashMap::new();
    for (place, asked) in rows.iter().enumerate() {
        let mut shape = vec![None; table.columns.len()];
        for &column in &columns {
            shape[column] = Some(table.known(asked.row, asked.before, column));
        }
        shapes.entry(Shape(shape)).or_default().push(place);
    }
    shapes
}

/// Asks about no row: what is wrong with the conditions, or with what the caller may do, shows.
pub async fn try_out(
    kernel: &Kernel,
    context: &RequestContext,
    table: &Table,
    conditions: &[&Condition],
) -> Result<()> {
    let shape = Shape(vec![Some(table::Known::Carried); table.columns.len()]);
    for conditions in conditions.chunks(TOGETHER) {
        let asked = statement(table, &shape, "true", conditions, &[]);
        kernel.db().run(context, asked).await?;
    }
    Ok(())
}

fn number(row: &TextRow) -> Option<usize> {
    std::str::from_utf8(row.first()?.as_deref()?).ok()?.parse().ok()
}

/// The number of a row, under a name that no policy means.
const NUMBER: &str = "tenon row number";

fn statement(
    table: &Table,
    shape: &Shape,
    wall: &str,
    conditions: &[&Condition],
    rows: &[&Tuple],
) -> Statement {
    let name = quoted(&table.name);
    let mut sql = format!("select \"{NUMBER}\", coalesce(({wall}), false)");
    let mut params = vec![Param::text(array(rows.iter().map(|row| table.literal(row))))];
    for condition in conditions {
        if !shape.knows(table, &condition.column) {
            sql.push_str(", false");
            continue;
        }
        let _ = write!(
            sql,
            ", coalesce(({}), false)",
            condition.to_sql(table, params.len() + 1)
        );
        params.extend(condition.parameter().map(Param::text));
    }
    sql.push_str(" from (select ");
    for (index, column) in table.columns.iter().enumerate() {
        match &column.computed {
            Some(computed) if shape.computes(index) => _ = write!(sql, "{}", computed.expression),
            _ => _ = write!(sql, "given.{}", quoted(&column.name)),
        }
        let _ = write!(sql, " as {}, ", quoted(&column.name));
    }
    let _ = write!(sql, "\"{NUMBER}\" from (select ");
    for (index, column) in table.columns.iter().enumerate() {
        let _ = write!(sql, "c{index} as {}, ", quoted(&column.name));
    }
    let _ = write!(
        sql,
        "number as \"{NUMBER}\" from pg_catalog.unnest($1::text[]::{}.{name}[]) with ordinality as unnested(",
        quoted(&table.schema)
    );
    for index in 0..table.columns.len() {
        let _ = write!(sql, "c{index}, ");
    }
    // The row has the table's name, so that what policies call it is right.
    let _ = write!(sql, "number)) as given) as {name}");
    Statement {
        sql: sql.into(),
        params,
    }
}
