//! Which sheet of a file feeds which sheet of a template, and from which columns.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use tenon_sdk::error::{Error, Result};
use tenon_sdk::imports::{SheetSpec, TemplateSpec};

use crate::Workbook;

/// The mapping of a whole file. Serialises to the form of the HTTP interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mapping {
    /// Its sheets; sheets left out are not imported.
    pub sheets: Vec<SheetMapping>,
}

/// The mapping of one sheet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SheetMapping {
    /// Name of the sheet in the file.
    pub name: String,
    /// Key of the template's sheet, or `None` to leave the sheet out.
    pub target: Option<String>,
    /// Row of the headings, from 1; `None` if data begins in row 1.
    pub header_row: Option<u32>,
    /// Column (from 0) of each field by its key; fields left out or `None` have no column.
    pub columns: BTreeMap<String, Option<u32>>,
}

/// A sheet to be read, resolved against file and template.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Position among the workbook's visible sheets.
    pub sheet: usize,
    /// Its name.
    pub name: String,
    /// What it feeds.
    pub spec: &'static SheetSpec,
    /// Row of the headings; 0 if there are none.
    pub header_row: u32,
    /// Column of each field, in the template's order.
    pub columns: Vec<Option<usize>>,
}

impl Mapping {
    /// Checks the mapping and puts its sheets in the template's order.
    ///
    /// Errors, all `imports.mapping_*`: a sheet or field that does not exist, a target or column used twice, a
    /// required field without a column, nothing to import.
    pub fn plan(&self, workbook: &Workbook, spec: &'static TemplateSpec) -> Result<Vec<Planned>> {
        let mut planned = Vec::new();
        for mapped in &self.sheets {
            let Some(target) = &mapped.target else { continue };
            let sheet = workbook.sheet_index(&mapped.name).ok_or_else(|| {
                invalid(
                    "imports.mapping_unknown_sheet",
                    format!("The file has no sheet {}.", mapped.name),
                )
            })?;
            let spec = spec.sheet(target).ok_or_else(|| {
                invalid(
                    "imports.mapping_unknown_target",
                    format!("The template has no sheet {target}."),
                )
            })?;
            planned.push(mapped.resolve(sheet, spec)?);
        }
        let (mut sheets, mut targets) = (HashSet::new(), HashSet::new());
        for plan in &planned {
            if !sheets.insert(plan.sheet) || !targets.insert(plan.spec.key) {
                return Err(invalid(
                    "imports.mapping_target_twice",
                    format!(
                        "{} is given more than one sheet, or {} is mapped twice.",
                        plan.spec.title, plan.name
                    ),
                ));
            }
        }
        if planned.is_empty() {
            return Err(invalid(
                "imports.mapping_empty",
                "No sheet of the file is to be imported.".to_owned(),
            )
            .hint("Choose what at least one of its sheets holds."));
        }
        let place = |plan: &Planned| spec.sheets.iter().position(|sheet| sheet.key == plan.spec.key);
        planned.sort_by_key(place);
        Ok(planned)
    }
}

impl SheetMapping {
    fn resolve(&self, sheet: usize, spec: &'static SheetSpec) -> Result<Planned> {
        let mut columns = vec![None; spec.fields.len()];
        let mut used = HashSet::new();
        for (key, column) in &self.columns {
            let index = spec.index_of(key).ok_or_else(|| {
                invalid(
                    "imports.mapping_unknown_field",
                    format!("{} has no field {key}.", spec.title),
                )
            })?;
            if let Some(column) = *column {
                if !used.insert(column) {
                    return Err(invalid(
                        "imports.mapping_column_twice",
                        format!(
                            "On {}, column {} is given to more than one field.",
                            self.name,
                            crate::reader::column_name(column)
                        ),
                    ));
                }
                columns[index] = Some(column as usize);
            }
        }
        let missing: Vec<&str> = spec
            .fields
            .iter()
            .zip(&columns)
            .filter(|(field, column)| field.required && column.is_none())
            .map(|(field, _)| field.label)
            .collect();
        if !missing.is_empty() {
            return Err(invalid(
                "imports.mapping_incomplete",
                format!(
                    "On {}, no column is chosen for: {}.",
                    self.name,
                    missing.join(", ")
                ),
            )
            .hint("Choose the columns by hand, or add them to the file."));
        }
        Ok(Planned {
            sheet,
            name: self.name.clone(),
            spec,
            header_row: self.header_row.unwrap_or(0),
            columns,
        })
    }
}

fn invalid(code: &'static str, message: String) -> Error {
    Error::unprocessable(code, message)
}
