//! Functions that clients may call, and functions that compute columns or relationships.

use serde::Deserialize;

use super::QualifiedName;

/// What a function returns, of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// Nothing.
    Void,
    /// One value.
    Scalar,
    /// Several columns.
    Composite,
    /// Several columns that the call alone knows: read as one value.
    Record,
}

/// An input argument.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Argument {
    /// Name; empty if it has none.
    pub name: String,
    /// Type as it may stand in a cast.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Type as it may stand in the definition of a record, where some types without a length would cut.
    #[serde(default)]
    pub record_type: String,
    /// The relation whose row type it is.
    pub relation: Option<QualifiedName>,
    /// It has no default.
    pub required: bool,
    /// `VARIADIC`
    pub variadic: bool,
}

/// One overload of a function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Function {
    /// Its name.
    #[serde(flatten)]
    pub name: QualifiedName,
    /// Comment.
    pub comment: Option<String>,
    /// It may write; such functions cannot be called by GET.
    pub volatile: bool,
    /// What `SET` says of it: name and value.
    #[serde(default)]
    pub settings: Vec<(String, String)>,
    /// Type that it returns, of a row.
    #[serde(default)]
    pub returns_type: String,
    /// Input arguments.
    pub args: Vec<Argument>,
    /// `SETOF` or `TABLE`.
    pub returns_set: bool,
    /// Declared `ROWS 1`, or no set.
    pub one_row: bool,
    /// What a row is.
    pub returns: Returns,
    /// The relation whose rows it returns.
    pub relation: Option<QualifiedName>,
}

impl Function {
    /// The body of a call is its only argument, which has no name.
    pub fn takes_unnamed(&self, types: &[&str]) -> bool {
        matches!(self.args.as_slice(), [only] if only.name.is_empty() && types.contains(&only.type_name.as_str()))
    }

    /// A request can name all its arguments, or its body is the only one.
    pub(super) fn is_callable(&self) -> bool {
        self.args.iter().all(|arg| !arg.name.is_empty())
            || self.takes_unnamed(&["json", "jsonb", "text", "xml", "bytea"])
    }

    /// The relation that it computes a column of.
    pub(super) fn computes_column(&self) -> Option<&QualifiedName> {
        let [only] = self.args.as_slice() else { return None };
        if self.returns_set || self.returns != Returns::Scalar {
            return None;
        }
        only.relation.as_ref()
    }

    /// The relation that a computed relationship starts at, and the one it leads to.
    pub(super) fn computes_relationship(&self) -> Option<(&QualifiedName, &QualifiedName)> {
        let [only] = self.args.as_slice() else { return None };
        Some((only.relation.as_ref()?, self.relation.as_ref()?))
    }
}
