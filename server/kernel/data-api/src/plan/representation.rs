//! Values of domains that are shown and read otherwise than they are stored.

use super::{ColumnRef, OutputColumn, Planner};
use crate::api_request::Field;
use crate::schema_cache::{ColumnKind, QualifiedName, Representation};

impl Planner<'_> {
    /// How the type of a relation's own column is shown and read, if its casts say so.
    pub(super) fn representation(&self, table: &QualifiedName, field: &Field) -> Option<&Representation> {
        if !field.path.is_empty() {
            return None;
        }
        let column = self.cache.table(table)?.column(&field.name)?;
        self.cache.representation(&column.type_name)
    }

    /// All columns by their names, if one of them is not shown as it is; then `*` will not do.
    pub(super) fn all_shown(&self, table: &QualifiedName) -> Option<Vec<OutputColumn>> {
        let columns = &self.cache.table(table)?.columns;
        let shown = |type_name: &str| self.cache.representation(type_name)?.to_json.clone();
        let any = columns.iter().any(|column| shown(&column.type_name).is_some());
        any.then(|| self.all_columns(table))
    }

    /// `*` as the columns that it stands for.
    pub(super) fn all_columns(&self, table: &QualifiedName) -> Vec<OutputColumn> {
        let columns = self.cache.table(table).map_or(&[][..], |table| &table.columns);
        let shown = |type_name: &str| self.cache.representation(type_name)?.to_json.clone();
        let outputs = columns.iter().map(|column| {
            let shown = shown(&column.type_name);
            OutputColumn {
                name: shown.is_some().then(|| column.name.clone()),
                shown,
                cast: None,
                column: ColumnRef {
                    name: column.name.clone(),
                    function: None,
                    path: Vec::new(),
                    to_json: false,
                    tsvector: column.kind == ColumnKind::Tsvector,
                },
                aggregate: None,
            }
        });
        outputs.collect()
    }
}
