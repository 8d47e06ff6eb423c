//! What views show: which column of which table stands behind each column of a view.
//!
//! PostgreSQL keeps a view as the tree of its query. Every entry of a query's target list carries the number of the
//! relation and column that it was taken from, followed through subqueries and common table expressions, but not through
//! set operations and not into other views; [`origins`] reads these numbers and [`Views`] follows them from view to view.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::QualifiedName;
use super::node::origins;

/// What `views.sql` returns.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ViewCatalogue {
    rules: Vec<Rule>,
    relations: Vec<Relation>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    view: u32,
    action: String,
}

#[derive(Debug, Deserialize)]
struct Relation {
    oid: u32,
    #[serde(flatten)]
    name: QualifiedName,
    columns: Option<Vec<(i16, String)>>,
    primary_key: Vec<String>,
}

/// A view over a table: for each of the table's columns that it shows, the view's own names for it, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The view.
    pub view: QualifiedName,
    /// Column of the table to columns of the view.
    pub columns: HashMap<String, Vec<String>>,
}

/// All views, by the tables that they show.
#[derive(Debug, Default)]
pub(super) struct Views {
    shown: HashMap<QualifiedName, Vec<Shown>>,
    primary_keys: HashMap<QualifiedName, Vec<String>>,
}

/// Number of a relation and of a column.
type Place = (u32, i16);

impl Views {
    pub fn new(catalogue: &ViewCatalogue) -> Self {
        let mut taken: HashMap<Place, Place> = HashMap::new();
        for rule in &catalogue.rules {
            for origin in origins(&rule.action) {
                taken.insert((rule.view, origin.column), (origin.table, origin.table_column));
            }
        }
        let views: HashSet<u32> = catalogue.rules.iter().map(|rule| rule.view).collect();
        let relations: HashMap<u32, &Relation> = catalogue
            .relations
            .iter()
            .map(|relation| (relation.oid, relation))
            .collect();
        let mut found = Self::default();
        for relation in &catalogue.relations {
            if !views.contains(&relation.oid) {
                found
                    .primary_keys
                    .insert(relation.name.clone(), relation.primary_key.clone());
                continue;
            }
            for (number, column) in relation.columns.iter().flatten() {
                let Some((table, number)) = base(&taken, &views, (relation.oid, *number)) else {
                    continue;
                };
                let Some(table) = relations.get(&table) else {
                    continue;
                };
                let known = table.columns.iter().flatten().find(|(known, _)| *known == number);
                if let Some((_, base)) = known {
                    found.add(&table.name, base, &relation.name, column);
                }
            }
        }
        found
    }

    fn add(&mut self, table: &QualifiedName, base: &str, view: &QualifiedName, column: &str) {
        let of_table = self.shown.entry(table.clone()).or_default();
        let position = of_table.iter().position(|shown| shown.view == *view);
        let position = position.unwrap_or_else(|| {
            of_table.push(Shown {
                view: view.clone(),
                columns: HashMap::new(),
            });
            of_table.len() - 1
        });
        let columns = &mut of_table[position].columns;
        columns
            .entry(base.to_owned())
            .or_default()
            .push(column.to_owned());
    }

    /// The views over a table.
    pub fn over(&self, table: &QualifiedName) -> &[Shown] {
        self.shown.get(table).map_or(&[], Vec::as_slice)
    }

    /// The key of each view's rows: the primary keys that it shows whole, each column under its first name.
    pub fn primary_keys(&self) -> HashMap<QualifiedName, Vec<String>> {
        let mut tables: Vec<_> = self
            .primary_keys
            .iter()
            .filter(|(_, key)| !key.is_empty())
            .collect();
        tables.sort();
        let mut found: HashMap<QualifiedName, Vec<String>> = HashMap::new();
        for (table, key) in tables {
            for shown in self.over(table) {
                let names: Option<Vec<&String>> = key
                    .iter()
                    .map(|column| shown.columns.get(column).and_then(|names| names.first()))
                    .collect();
                for name in names.into_iter().flatten() {
                    let of_view = found.entry(shown.view.clone()).or_default();
                    if !of_view.contains(name) {
                        of_view.push(name.clone());
                    }
                }
            }
        }
        found
    }
}

/// The table's column at the end of a chain of views.
fn base(taken: &HashMap<Place, Place>, views: &HashSet<u32>, start: Place) -> Option<Place> {
    let mut place = *taken.get(&start)?;
    // Views cannot go round in circles; what a broken catalogue says must not either.
    for _ in 0..views.len() {
        if !views.contains(&place.0) {
            break;
        }
        place = *taken.get(&place)?;
    }
    (!views.contains(&place.0)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> QualifiedName {
        QualifiedName::new("shop", name)
    }

    fn relation(oid: u32, called: &str, columns: &[&str], key: &[&str]) -> Relation {
        let columns = columns
            .iter()
            .zip(1..)
            .map(|(column, number)| (number, (*column).to_owned()));
        Relation {
            oid,
            name: name(called),
            columns: Some(columns.collect()),
            primary_key: key.iter().map(|&column| column.to_owned()).collect(),
        }
    }

    fn rule(view: u32, columns: &[Place]) -> Rule {
        let entries: Vec<String> = columns
            .iter()
            .zip(1..)
            .map(|((table, column), number)| {
                format!(
                    "{{TARGETENTRY :resno {number} :resorigtbl {table} :resorigcol {column} :resjunk false}}"
                )
            })
            .collect();
        let entries = entries.join(" ");
        let action = format!("({{QUERY :commandType 1 :targetList ({entries})}})");
        Rule { view, action }
    }

    #[test]
    fn views_are_followed_down_to_tables() {
        let views = Views::new(&ViewCatalogue {
            rules: vec![
                rule(20, &[(1, 2), (1, 1), (1, 1), (0, 0)]),
                rule(21, &[(20, 2), (20, 4)]),
            ],
            relations: vec![
                relation(1, "orders", &["id", "number"], &["id"]),
                relation(20, "late", &["n", "a", "b", "sum"], &[]),
                relation(21, "later", &["key", "sum"], &[]),
            ],
        });
        let over = views.over(&name("orders"));
        assert_eq!(over.len(), 2);
        assert_eq!(over[0].columns["id"], ["a", "b"]);
        assert_eq!(over[0].columns["number"], ["n"]);
        assert_eq!(over[1].view, name("later"));
        assert_eq!(over[1].columns["id"], ["key"]);
        let keys = views.primary_keys();
        assert_eq!(keys[&name("late")], ["a"]);
        assert_eq!(keys[&name("later")], ["key"]);
    }

    #[test]
    fn a_circle_of_views_leads_nowhere() {
        let views = Views::new(&ViewCatalogue {
            rules: vec![rule(20, &[(21, 1)]), rule(21, &[(20, 1)])],
            relations: vec![relation(20, "a", &["x"], &[]), relation(21, "b", &["x"], &[])],
        });
        assert!(views.over(&name("a")).is_empty() && views.over(&name("b")).is_empty());
    }
}
