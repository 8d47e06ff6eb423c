//! One exposed schema in full, as descriptions and generated types need it: everything that the planner can do without
//! and therefore the schema cache does not keep.

use std::collections::HashMap;

use serde::Deserialize;

/// Reads a schema, named by the one parameter as `text`; one row with one JSON column.
pub const QUERY: &str = include_str!("catalogue.sql");

/// Types that a whole body can be.
const BODY_TYPES: [&str; 5] = ["bytea", "json", "jsonb", "text", "xml"];

/// Number of a type in PostgreSQL's catalogue.
pub type TypeId = u32;

/// A schema with what stands in it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Catalogue {
    /// Its name.
    pub schema: String,
    /// Comment.
    pub comment: Option<String>,
    /// Tables and views by name.
    pub relations: Vec<Relation>,
    /// Functions by name, overloads with fewer arguments first.
    pub functions: Vec<Routine>,
    /// Every type that any of them uses, and every enum and composite type of the schema.
    pub types: HashMap<TypeId, Type>,
}

/// A table, view, materialised view or foreign table.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the catalogue tells them"
)]
pub struct Relation {
    /// Name.
    pub name: String,
    /// A view or materialised view.
    pub view: bool,
    /// Comment.
    pub comment: Option<String>,
    /// The current role has some privilege on it.
    pub accessible: bool,
    /// POST may work.
    pub insertable: bool,
    /// PATCH may work.
    pub updatable: bool,
    /// DELETE may work.
    pub deletable: bool,
    /// Columns in their order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub type_id: TypeId,
    /// The type's modifier as PostgreSQL keeps it; -1 for none.
    pub typmod: i32,
    /// The modifier as it is written, of types that are not PostgreSQL's own.
    pub modifier: Option<String>,
    /// It is never null.
    pub required: bool,
    /// Expression of the default, its own or its domain's.
    pub default: Option<String>,
    /// `a` for always, `d` for by default.
    pub identity: Option<char>,
    /// Computed by PostgreSQL, never written.
    pub generated: bool,
    /// A write may name it.
    pub updatable: bool,
    /// Comment.
    pub comment: Option<String>,
}

/// One overload of a function.
#[derive(Debug, Clone, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, as the catalogue tells them"
)]
pub struct Routine {
    /// Name.
    pub name: String,
    /// Comment.
    pub comment: Option<String>,
    /// The current role may call it.
    pub accessible: bool,
    /// It may write.
    pub volatile: bool,
    /// What it returns, of a row.
    pub returns: TypeId,
    /// `SETOF` or `TABLE`.
    pub returns_set: bool,
    /// At most one row.
    pub one_row: bool,
    /// All arguments in their order, those that return something too.
    pub arguments: Vec<Argument>,
}

/// An argument.
#[derive(Debug, Clone, Deserialize)]
pub struct Argument {
    /// Name; empty if it has none.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub type_id: TypeId,
    /// Which way it goes.
    pub mode: Mode,
    /// It has no default.
    pub required: bool,
}

/// Which way an argument goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mode {
    /// `IN`
    #[serde(rename = "i")]
    In,
    /// `OUT`
    #[serde(rename = "o")]
    Out,
    /// `INOUT`
    #[serde(rename = "b")]
    Both,
    /// `VARIADIC`
    #[serde(rename = "v")]
    Variadic,
    /// A column of `RETURNS TABLE`.
    #[serde(rename = "t")]
    Table,
}

/// What kind of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// None of the following.
    Base,
    /// An array.
    Array,
    /// A list of words.
    Enum,
    /// Another type with a name and conditions of its own.
    Domain,
    /// `CREATE TYPE … AS (…)`
    Composite,
    /// The row of a relation.
    Row,
}

/// A type.
#[derive(Debug, Clone, Deserialize)]
pub struct Type {
    /// Schema.
    pub schema: String,
    /// Name in the catalogue, `int4`.
    pub name: String,
    /// As it is written in SQL, `integer`; qualified unless it is PostgreSQL's own.
    pub sql: String,
    /// What kind.
    pub kind: Kind,
    /// Of an array.
    pub element: Option<TypeId>,
    /// Of a domain.
    pub base: Option<TypeId>,
    /// A domain's modifier of its base; -1 for none.
    pub typmod: i32,
    /// The relation of a row.
    pub relation: Option<String>,
    /// Values of an enum in their order.
    pub values: Option<Vec<String>>,
    /// Attributes of a composite type.
    pub attributes: Option<Vec<Attribute>>,
}

/// An attribute of a composite type.
#[derive(Debug, Clone, Deserialize)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub type_id: TypeId,
}

impl Catalogue {
    /// Reads what [`QUERY`] returned.
    pub fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// A type by its number.
    pub fn type_of(&self, id: TypeId) -> Option<&Type> {
        self.types.get(&id)
    }

    /// The type that a domain stands for, through domains of domains; any other type itself.
    pub fn base_of(&self, id: TypeId) -> Option<&Type> {
        let mut found = self.type_of(id)?;
        while let (Kind::Domain, Some(base)) = (found.kind, found.base) {
            found = self.type_of(base)?;
        }
        Some(found)
    }

    /// A type as it is written in SQL, arrays with `[]`.
    pub fn sql_of(&self, id: TypeId) -> String {
        let Some(found) = self.type_of(id) else {
            return String::new();
        };
        match (found.kind, found.element) {
            (Kind::Array, Some(element)) => format!("{}[]", self.sql_of(element)),
            _ => found.sql.clone(),
        }
    }

    /// A request can name all arguments of a function, or its body is the only one.
    pub fn is_callable(&self, routine: &Routine) -> bool {
        let mut nameless = routine.inputs().filter(|argument| argument.name.is_empty());
        let Some(first) = nameless.next() else { return true };
        let takes_body = self
            .type_of(first.type_id)
            .is_some_and(|found| found.schema == "pg_catalog" && BODY_TYPES.contains(&found.name.as_str()));
        takes_body && routine.inputs().count() == 1
    }

    /// The type of a column for people: a domain over one of PostgreSQL's own types is shown as that.
    pub fn shown_type(&self, column: &Column) -> String {
        if self
            .type_of(column.type_id)
            .is_some_and(|found| found.kind == Kind::Domain)
            && let Some(base) = self.base_of(column.type_id)
            && base.schema == "pg_catalog"
        {
            return self.sql_of(self.base_id(column.type_id));
        }
        let written = self.sql_of(column.type_id);
        match &column.modifier {
            Some(modifier) => written + modifier,
            None => written,
        }
    }

    /// Most characters (or bits) that a column takes, if its type says so.
    pub fn max_length(&self, column: &Column) -> Option<i32> {
        let mut typmod = column.typmod;
        let mut found = self.type_of(column.type_id)?;
        while let (Kind::Domain, Some(base)) = (found.kind, found.base) {
            if typmod < 0 {
                typmod = found.typmod;
            }
            found = self.type_of(base)?;
        }
        if typmod < 0 || found.schema != "pg_catalog" {
            return None;
        }
        match found.name.as_str() {
            // PostgreSQL adds four bytes of header.
            "bpchar" | "varchar" => Some(typmod - 4),
            "bit" | "varbit" => Some(typmod),
            _ => None,
        }
    }

    fn base_id(&self, mut id: TypeId) -> TypeId {
        while let Some((Kind::Domain, Some(base))) = self.type_of(id).map(|found| (found.kind, found.base)) {
            id = base;
        }
        id
    }
}

impl Routine {
    /// Arguments that a caller gives.
    pub fn inputs(&self) -> impl Iterator<Item = &Argument> {
        self.arguments
            .iter()
            .filter(|argument| matches!(argument.mode, Mode::In | Mode::Both | Mode::Variadic))
    }

    /// Columns that a call returns, if they are arguments.
    pub fn outputs(&self) -> impl Iterator<Item = &Argument> {
        self.arguments
            .iter()
            .filter(|argument| matches!(argument.mode, Mode::Out | Mode::Both | Mode::Table))
    }
}
