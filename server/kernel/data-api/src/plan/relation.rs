//! Finds the relation of a request and the relationship of an embed.

use super::suggest::{nearest, nearest_relation};
use super::{Planner, Via};
use crate::error::{Error, Result};
use crate::schema_cache::{Cardinality, QualifiedName, Relationship, Table};

impl<'a> Planner<'a> {
    /// The relation with this name in the request's schema.
    pub(super) fn table(&self, name: &str) -> Result<&'a Table> {
        let qualified = self.qualified(name);
        self.cache.table(&qualified).ok_or_else(|| {
            let names = self.cache.tables().map(|table| &table.qualified);
            let names = names
                .filter(|known| known.schema == qualified.schema)
                .map(|known| known.name.as_str());
            Error::no_table(&qualified.schema, name, nearest_relation(name, names))
        })
    }

    /// The relationship that an embed means, by what it is called and the hint after it.
    pub(super) fn relationship(
        &self,
        from: &QualifiedName,
        target: &str,
        hint: Option<&str>,
    ) -> Result<&'a Relationship> {
        let schema = &self.request.schema;
        let mut found: Vec<&Relationship> = self
            .cache
            .relationships(from)
            .iter()
            .filter(|candidate| candidate.foreign_table.schema == *schema)
            .filter(|candidate| candidate.is_meant(target, hint))
            .collect();
        // A relationship that somebody wrote as a function stands before what foreign keys say.
        if let Some(computed) = found.iter().find(|candidate| candidate.is_computed()) {
            return Ok(computed);
        }
        // A relation that refers to itself: by its name its children are meant, by the column its parent.
        if found.len() > 1 && found.iter().any(|candidate| candidate.is_self()) {
            let children = target == from.name;
            found.retain(|candidate| !candidate.is_self() || candidate.holds_key != children);
        }
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(Error::no_relationship(
                &from.name,
                target,
                hint,
                schema,
                self.suggest_relationship(from, target),
            )),
            several => Err(Error::ambiguous_relationship(&from.name, target, several)),
        }
    }

    fn suggest_relationship(&self, from: &QualifiedName, target: &str) -> Option<String> {
        let children = self
            .cache
            .relationships(from)
            .iter()
            .filter(|child| child.foreign_table.schema == self.request.schema)
            .map(|child| child.foreign_table.name.as_str());
        let (wanted, near) = if self.cache.is_related(from) {
            (target, nearest(target, children))
        } else {
            let parents = self.cache.related(&self.request.schema);
            let parents = parents.filter(|table| table.schema == from.schema);
            (
                from.name.as_str(),
                nearest(&from.name, parents.map(|table| table.name.as_str())),
            )
        };
        near.map(|near| format!("Perhaps you meant '{near}' instead of '{wanted}'."))
    }

    /// How the far side of a relationship is reached.
    pub(super) fn via(&self, relationship: &Relationship) -> Via {
        match &relationship.cardinality {
            Cardinality::ManyToMany(junction) => Via::Junction {
                junction: junction.clone(),
                tenant: self.is_tenant(&junction.table),
            },
            Cardinality::Computed { function, .. } => Via::Function(function.clone()),
            _ => Via::Columns(relationship.columns.clone()),
        }
    }

    /// The relation's rows belong to organisations and it is known which one is asked for.
    pub(super) fn is_tenant(&self, table: &QualifiedName) -> bool {
        self.tenant.is_some() && self.cache.table(table).is_some_and(|table| table.tenant)
    }
}
