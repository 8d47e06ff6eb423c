//! Relationships between relations, and how a request names them.
//!
//! Foreign keys are composite as a rule (`(org_id, supplier_id)` → `(org_id, id)`), so a relationship is a list of
//! column pairs and joins on all of them.

use super::QualifiedName;
use super::table::TENANT_COLUMN;

/// The table between the two sides of a many-to-many relationship.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Junction {
    /// The table.
    pub table: QualifiedName,
    /// Foreign key to the near side.
    pub source_constraint: String,
    /// Foreign key to the far side.
    pub target_constraint: String,
    /// Pairs of near column and junction column.
    pub source: Vec<(String, String)>,
    /// Pairs of far column and junction column.
    pub target: Vec<(String, String)>,
}

/// How many rows stand on each side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// The near side holds the foreign key.
    ManyToOne,
    /// The far side holds the foreign key.
    OneToMany,
    /// Like one of the two above, with a unique key.
    OneToOne,
    /// Through a junction.
    ManyToMany(Junction),
    /// A function of the near row.
    Computed {
        /// The function.
        function: QualifiedName,
        /// It returns at most one row.
        to_one: bool,
    },
}

/// A way from one relation to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relationship {
    /// Near side.
    pub table: QualifiedName,
    /// Far side.
    pub foreign_table: QualifiedName,
    /// How many.
    pub cardinality: Cardinality,
    /// The foreign key, or the function that computes it.
    pub constraint: String,
    /// Pairs of near and far column; empty with a junction or a function.
    pub columns: Vec<(String, String)>,
    /// The foreign key is on the near side.
    pub holds_key: bool,
    /// The far side is a view.
    pub to_view: bool,
}

impl Relationship {
    /// The embed is an object, not an array.
    pub fn is_to_one(&self) -> bool {
        match &self.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => true,
            Cardinality::OneToMany | Cardinality::ManyToMany(_) => false,
            Cardinality::Computed { to_one, .. } => *to_one,
        }
    }

    /// The one column that refers to another, and that other, of a foreign key on the near side.
    pub fn key_pair(&self) -> Option<(&str, &str)> {
        if !self.holds_key || !matches!(self.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne) {
            return None;
        }
        let near = key_column(self.columns.iter().map(|(near, _)| near))?;
        let far = key_column(self.columns.iter().map(|(_, far)| far))?;
        Some((near, far))
    }

    /// Pairs of near and far column as clients know them: which organisation goes without saying.
    pub fn public_columns(&self) -> Vec<(&str, &str)> {
        let pairs = || {
            self.columns
                .iter()
                .map(|(near, far)| (near.as_str(), far.as_str()))
        };
        let told: Vec<_> = pairs()
            .filter(|pair| *pair != (TENANT_COLUMN, TENANT_COLUMN))
            .collect();
        if told.is_empty() { pairs().collect() } else { told }
    }

    /// Both sides are the same relation.
    pub(crate) fn is_self(&self) -> bool {
        self.table == self.foreign_table
    }

    /// Somebody wrote it as a function.
    pub(crate) fn is_computed(&self) -> bool {
        matches!(self.cardinality, Cardinality::Computed { .. })
    }

    /// `select=target(…)` or `select=target!hint(…)` means this relationship. Without a hint the target is the far relation,
    /// the constraint or the near column of the key; the latter two never mean a view, of which there may be many over
    /// one table. With a hint the target is the far relation, and the hint the constraint, the junction, or a single
    /// column of either side.
    pub(crate) fn is_meant(&self, target: &str, hint: Option<&str>) -> bool {
        match (&self.cardinality, hint) {
            (Cardinality::Computed { function, .. }, _) => function.name == target,
            (Cardinality::ManyToMany(_), None) => self.foreign_table.name == target,
            (Cardinality::ManyToMany(junction), Some(hint)) => {
                self.foreign_table.name == target && junction.table.name == hint
            }
            (_, None) => {
                let of_key = self.constraint == target || self.near_column() == Some(target);
                self.foreign_table.name == target || of_key && (!self.to_view || self.is_self())
            }
            (_, Some(hint)) => {
                let far = key_column(self.columns.iter().map(|(_, far)| far));
                self.foreign_table.name == target
                    && (self.constraint == hint || self.near_column() == Some(hint) || far == Some(hint))
            }
        }
    }

    fn near_column(&self) -> Option<&str> {
        key_column(self.columns.iter().map(|(near, _)| near))
    }

    /// What candidates are sorted by where they are listed.
    pub(super) fn rank(&self) -> impl Ord + '_ {
        let kind = match &self.cardinality {
            Cardinality::OneToMany => 0,
            Cardinality::ManyToOne => 1,
            Cardinality::OneToOne => 2,
            Cardinality::ManyToMany(_) => 3,
            Cardinality::Computed { .. } => 4,
        };
        let junction = match &self.cardinality {
            Cardinality::ManyToMany(junction) => Some(junction),
            _ => None,
        };
        (
            &self.foreign_table,
            kind,
            junction,
            &self.constraint,
            &self.columns,
        )
    }
}

/// The one column of a key beside the organisation's.
fn key_column<'c>(columns: impl Iterator<Item = &'c String>) -> Option<&'c str> {
    let all: Vec<&str> = columns.map(String::as_str).collect();
    match all.as_slice() {
        [only] => Some(only),
        many => {
            let mut rest = many.iter().filter(|column| **column != TENANT_COLUMN);
            match (rest.next(), rest.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            }
        }
    }
}
