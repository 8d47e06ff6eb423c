//! What the generators have in common: which fields a row, an insert and an update have.

use crate::catalogue::{Catalogue, Column, Kind, Relation, Routine, TypeId};
use crate::schema_cache::{Cardinality, QualifiedName, Relationship, SchemaCache, TENANT_COLUMN};

/// Which of the three types of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Row,
    Insert,
    Update,
}

/// Whether a field is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
    /// It may not be given.
    Never,
}

/// A field of a row, insert or update.
pub(super) struct Field<'c> {
    pub name: &'c str,
    pub type_id: TypeId,
    pub nullable: bool,
    pub presence: Presence,
    /// Its domain says how it looks in JSON.
    pub represented: bool,
}

/// The fields of a relation, and the columns that functions compute of its rows.
pub(super) fn fields<'c>(
    catalogue: &'c Catalogue,
    relation: &'c Relation,
    shape: Shape,
    cache: &SchemaCache,
) -> Vec<Field<'c>> {
    let name = QualifiedName::new(&catalogue.schema, &relation.name);
    let tenant = cache.table(&name).is_some_and(|table| table.tenant);
    let mut fields: Vec<Field<'c>> = relation
        .columns
        .iter()
        .map(|column| Field {
            name: &column.name,
            type_id: column.type_id,
            nullable: !column.required,
            presence: presence(relation, column, shape, tenant),
            represented: represented(catalogue, column.type_id, shape, cache),
        })
        .collect();
    if shape == Shape::Row {
        fields.extend(computed(catalogue, relation).map(|routine| Field {
            name: &routine.name,
            type_id: routine.returns,
            nullable: true,
            presence: Presence::Required,
            represented: represented(catalogue, routine.returns, shape, cache),
        }));
    }
    fields.sort_by_key(|field| field.name);
    fields
}

fn represented(catalogue: &Catalogue, id: TypeId, shape: Shape, cache: &SchemaCache) -> bool {
    let Some(found) = cache.representation(&catalogue.sql_of(id)) else {
        return false;
    };
    match shape {
        Shape::Row => found.to_json.is_some(),
        Shape::Insert | Shape::Update => found.from_json.is_some(),
    }
}

fn presence(relation: &Relation, column: &Column, shape: Shape, tenant: bool) -> Presence {
    let unwritable = column.generated || column.identity == Some('a') || (relation.view && !column.updatable);
    match shape {
        Shape::Row => Presence::Required,
        _ if unwritable => Presence::Never,
        Shape::Update => Presence::Optional,
        Shape::Insert => {
            let filled = column.default.is_some() || column.identity.is_some();
            // The request says whose a row is.
            if column.required && !filled && !(tenant && column.name == TENANT_COLUMN) {
                Presence::Required
            } else {
                Presence::Optional
            }
        }
    }
}

/// Functions of one row that return one value.
fn computed<'c>(catalogue: &'c Catalogue, relation: &'c Relation) -> impl Iterator<Item = &'c Routine> {
    catalogue.functions.iter().filter(move |routine| {
        !routine.returns_set
            && routine.outputs().next().is_none()
            && row_argument(catalogue, routine) == Some(relation.name.as_str())
            && catalogue.base_of(routine.returns).is_some_and(|found| {
                !matches!(found.kind, Kind::Row | Kind::Composite) && found.sql != "void"
            })
            && relation.columns.iter().all(|column| column.name != routine.name)
    })
}

/// The relation whose row is the only argument of a function.
pub(super) fn row_argument<'c>(catalogue: &'c Catalogue, routine: &'c Routine) -> Option<&'c str> {
    let mut inputs = routine.inputs();
    let (Some(only), None) = (inputs.next(), inputs.next()) else {
        return None;
    };
    row_of(catalogue, only.type_id)
}

/// The relation of this schema whose row a type is.
pub(super) fn row_of(catalogue: &Catalogue, id: TypeId) -> Option<&str> {
    let found = catalogue.type_of(id)?;
    let name = found.relation.as_deref().filter(|_| found.kind == Kind::Row)?;
    let known =
        found.schema == catalogue.schema && catalogue.relations.iter().any(|relation| relation.name == name);
    known.then_some(name)
}

/// Foreign keys of a relation to relations of its own schema, as clients see them: without the organisation.
pub(super) fn relationships<'c>(
    catalogue: &Catalogue,
    relation: &Relation,
    cache: &'c SchemaCache,
) -> Vec<(&'c Relationship, Vec<(&'c str, &'c str)>)> {
    let name = QualifiedName::new(&catalogue.schema, &relation.name);
    let mut found: Vec<_> = cache
        .relationships(&name)
        .iter()
        .filter(|relationship| {
            relationship.holds_key
                && relationship.foreign_table.schema == catalogue.schema
                && matches!(
                    relationship.cardinality,
                    Cardinality::ManyToOne | Cardinality::OneToOne
                )
        })
        .map(|relationship| (relationship, relationship.public_columns()))
        .collect();
    found.sort_by(|(one, _), (other, _)| {
        (&one.constraint, &one.foreign_table).cmp(&(&other.constraint, &other.foreign_table))
    });
    found
}
